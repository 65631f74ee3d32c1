#include "loss/risk_sets.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>

#include "kernel/kernels.hpp"

namespace riata {
namespace {

constexpr double kNear = 30.0;  // range of eta within which a common exponent costs no precision
constexpr double kInf = std::numeric_limits<double>::infinity();

[[noreturn]] void refuse(const std::string& message) {
  throw std::invalid_argument(message);
}

void check(const Vec& time, const Survival& s, const Vec& omega) {
  const auto check_size = [&](const Vec& v, const char* name) {
    if (v.size() != time.size()) refuse(std::string(name) + " must have one value for each row of X");
  };
  check_size(s.event, "event");
  if (s.start.size() > 0) check_size(s.start, "start");
  if (s.stratum.size() > 0) check_size(s.stratum, "strata");
  for (Index i = 0; i < time.size(); ++i) {
    if (omega[i] <= 0.0) continue;
    const std::string where = " in row " + std::to_string(i);
    if (s.event[i] != 0.0 && s.event[i] != 1.0) {
      refuse("event must be 0 or 1, got " + std::to_string(s.event[i]) + where);
    }
    if (s.start.size() > 0 && !(s.start[i] < time[i])) {
      refuse("start must be less than the time, got start " + std::to_string(s.start[i]) + " and time " +
             std::to_string(time[i]) + where);
    }
    if (s.stratum.size() > 0 && !std::isfinite(s.stratum[i])) refuse("strata must be finite" + where);
  }
}

/// Rows with omega > 0 of each stratum.
std::map<double, std::vector<Index>> by_stratum(const Survival& survival, const Vec& omega) {
  std::map<double, std::vector<Index>> groups;
  for (Index i = 0; i < omega.size(); ++i) {
    if (omega[i] > 0.0) groups[survival.stratum.size() > 0 ? survival.stratum[i] : 0.0].push_back(i);
  }
  return groups;
}

/// The distinct times at which some of the rows have an event.
std::vector<double> event_times(const Vec& time, const Vec& event, std::span<const Index> rows) {
  std::vector<double> times;
  for (Index i : rows) {
    if (event[i] != 0.0) times.push_back(time[i]);
  }
  std::sort(times.begin(), times.end());
  times.erase(std::unique(times.begin(), times.end()), times.end());
  return times;
}

/// Events of one stratum over which a row is at risk, both included; none when high < low.
struct Interval {
  Index low, high;
  /// Size of the blocks that its parts are chains over, as a power of two.
  Index level() const { return low == high ? 0 : std::bit_width(static_cast<std::uint64_t>(low ^ high)) - 1; }
};

/// Place of event k in the chains over blocks of 2^level of so many events: even blocks run forwards, odd ones back.
Index place(Index k, Index level, Index events) {
  const Index first = (k >> level) << level, last = std::min(first + (Index{1} << level), events) - 1;
  return ((k >> level) & 1) != 0 ? first + last - k : k;
}

}  // namespace

RiskSets::RiskSets(const Vec& time, const Survival& survival, const Vec& omega) : rows_(time.size()), tie_begin_{0} {
  check(time, survival, omega);
  std::vector<Member> members;
  for (const auto& [label, rows] : by_stratum(survival, omega)) {
    const std::vector<double> times = event_times(time, survival.event, rows);
    add_stratum(times, time, survival, rows, members);
    time_.insert(time_.end(), times.begin(), times.end());
    stratum_.insert(stratum_.end(), times.size(), label);
  }
  if (size() == 0) {
    refuse("y must hold an event among rows with positive weight for the cox loss, got censored times only");
  }
  std::stable_sort(members.begin(), members.end(), [](const Member& a, const Member& b) { return a.cell < b.cell; });
  cell_begin_.assign(cell_event_.size() + 1, 0);
  for (const Member& m : members) {
    member_.push_back(m.row);
    ++cell_begin_[static_cast<std::size_t>(m.cell) + 1];
  }
  for (std::size_t c = 0; c < cell_event_.size(); ++c) cell_begin_[c + 1] += cell_begin_[c];
}

/// Appends events and cells of one stratum, and puts its rows into them.
void RiskSets::add_stratum(std::span<const double> times, const Vec& time, const Survival& survival,
                           std::span<const Index> rows, std::vector<Member>& members) {
  const Index events = static_cast<Index>(times.size());
  const auto at_most = [&](double t) { return std::upper_bound(times.begin(), times.end(), t) - times.begin(); };
  const Index main = static_cast<Index>(cell_event_.size()) + events - 1;  // the chain of those there from the start
  std::vector<std::vector<Index>> ties(times.size());
  std::vector<std::pair<Index, Interval>> late;
  std::vector<Index> levels;
  for (Index i : rows) {
    const Interval at_risk{survival.start.size() > 0 ? at_most(survival.start[i]) : 0, at_most(time[i]) - 1};
    if (at_risk.high < at_risk.low) continue;
    if (survival.event[i] != 0.0) ties[static_cast<std::size_t>(at_risk.high)].push_back(i);
    if (at_risk.low == 0) {
      members.push_back({main - at_risk.high, i});
    } else {
      late.push_back({i, at_risk});
      levels.push_back(at_risk.level());
    }
  }
  std::sort(levels.begin(), levels.end());
  levels.erase(std::unique(levels.begin(), levels.end()), levels.end());
  const Index blocks = add_chains(events, levels);
  for (const auto& [i, at_risk] : late) {
    const Index level = at_risk.level(), cut = (at_risk.high >> level) << level;
    const auto number = std::lower_bound(levels.begin(), levels.end(), level) - levels.begin();
    const Index first = blocks + number * events;
    members.push_back({first + place(at_risk.high, level, events), i});
    if (at_risk.low < cut) members.push_back({first + place(at_risk.low, level, events), i});
  }
  for (const auto& tied_rows : ties) {
    tie_row_.insert(tie_row_.end(), tied_rows.begin(), tied_rows.end());
    tie_begin_.push_back(tie_row_.size());
  }
}

/// Appends the cells of one stratum, whose events follow those there are: the main chain, then the blocks of each
/// level. Returns the first cell of the blocks.
Index RiskSets::add_chains(Index events, std::span<const Index> levels) {
  const Index first = size();
  for (Index k = events - 1; k >= 0; --k) {
    cell_event_.push_back(first + k);
    linked_.push_back(k < events - 1);
  }
  const Index blocks = static_cast<Index>(cell_event_.size());
  for (const Index level : levels) {
    for (Index c = 0; c < events; ++c) {
      cell_event_.push_back(first + place(c, level, events));  // place() is its own inverse
      linked_.push_back((c & ((Index{1} << level) - 1)) != 0);
    }
  }
  return blocks;
}

RiskSets::Shares::Shares(const RiskSets& sets, const Vec& weights, const Vec& eta)
    : sets_(sets),
      size_(weights),
      highest_(Vec::Constant(sets.size(), -kInf)),
      sum_(Vec::Zero(sets.size())),
      own_(static_cast<Index>(sets.member_.size())) {
  const Index cells = static_cast<Index>(sets.cell_event_.size());
  carry_.resize(cells);
  const auto used = weights.array() > 0.0;
  const double common = used.select(eta.array(), -kInf).maxCoeff();
  near_ = used.select(eta.array(), kInf).minCoeff() >= common - kNear;
  if (near_) {
    Vec grown = used.select(eta.array() - common, 0.0);
    kernels().exponentials(grown.data(), grown.size(), grown.data());
    size_.array() *= grown.array();
  }
  Vec largest(cells), sum(cells);  // the sum of a cell is sum e^largest
  double high = -kInf, total = 0.0;
  for (Index c = 0; c < cells; ++c) {
    const std::size_t at = static_cast<std::size_t>(c);
    const Index first = static_cast<Index>(sets.cell_begin_[at]), last = static_cast<Index>(sets.cell_begin_[at + 1]);
    double before = sets.linked_[at] != 0 ? total : 0.0;
    double top = near_ ? common : before > 0.0 ? high : -kInf;
    for (Index m = first; m < last && !near_; ++m) {
      top = std::max(top, eta[sets.member_[static_cast<std::size_t>(m)]]);
    }
    if (before > 0.0 && top > high) before *= std::exp(high - top);
    high = top;
    total = before;
    for (Index m = first; m < last; ++m) {
      const Index i = sets.member_[static_cast<std::size_t>(m)];
      own_[m] = near_ ? size_[i] : size_[i] * std::exp(eta[i] - high);
      total += own_[m];
    }
    if (total > 0.0) own_.segment(first, last - first) /= total;
    carry_[c] = total > 0.0 ? before / total : 0.0;
    largest[c] = high;
    sum[c] = total;
    highest_[sets.cell_event_[at]] = std::max(highest_[sets.cell_event_[at]], high);
  }
  part_.resize(cells);
  for (Index c = 0; c < cells; ++c) {
    const Index k = sets.cell_event_[static_cast<std::size_t>(c)];
    part_[c] = sum[c] > 0.0 ? sum[c] * std::exp(largest[c] - highest_[k]) : 0.0;
    sum_[k] += part_[c];
  }
  for (Index c = 0; c < cells; ++c) part_[c] /= sum_[sets.cell_event_[static_cast<std::size_t>(c)]];
  log_sum_ = sum_.array().log();
}

void RiskSets::Shares::means(const double* v, Vec& means) const {
  means.setZero(sets_.size());
  double mean = 0.0;
  for (Index c = 0; c < carry_.size(); ++c) {
    const std::size_t at = static_cast<std::size_t>(c);
    mean *= carry_[c];
    for (std::size_t m = sets_.cell_begin_[at]; m < sets_.cell_begin_[at + 1]; ++m) {
      mean += own_[static_cast<Index>(m)] * v[sets_.member_[m]];
    }
    means[sets_.cell_event_[at]] += part_[c] * mean;
  }
}

Vec RiskSets::Shares::spread(const Vec& g, bool squared) const {
  const auto power = [squared](double x) { return squared ? x * x : x; };
  Vec out = Vec::Zero(sets_.rows_);
  double sum = 0.0;  // over the events of this cell and of those that go on from it
  for (Index c = carry_.size() - 1; c >= 0; --c) {
    const std::size_t at = static_cast<std::size_t>(c);
    sum += power(part_[c]) * g[sets_.cell_event_[at]];
    for (std::size_t m = sets_.cell_begin_[at]; m < sets_.cell_begin_[at + 1]; ++m) {
      out[sets_.member_[m]] += power(own_[static_cast<Index>(m)]) * sum;
    }
    sum *= power(carry_[c]);
  }
  return out;
}

}  // namespace riata
