#include "riata/loss/concordance.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <vector>

namespace riata {
namespace {

/// Sums of weights by rank, of which prefixes are asked (Fenwick 1994).
class RankSums {
 public:
  explicit RankSums(std::size_t size) : tree_(size + 1, 0.0) {}
  void add(std::size_t rank, double weight) {
    for (std::size_t i = rank + 1; i < tree_.size(); i += i & (~i + 1)) tree_[i] += weight;
  }
  /// Of the ranks below `end`.
  double below(std::size_t end) const {
    double sum = 0.0;
    for (std::size_t i = end; i > 0; i -= i & (~i + 1)) sum += tree_[i];
    return sum;
  }

 private:
  std::vector<double> tree_;
};

struct Pairs {
  double concordant = 0.0, comparable = 0.0;
};

/// Goes back in time over the rows of one stratum; `at_risk` holds those that have not yet had their event or left.
void count(const Vec& time, const Survival& survival, const Vec& weights, const Vec& score, std::vector<Index> rows,
           Pairs& pairs) {
  std::vector<double> scores;
  for (Index i : rows) scores.push_back(score[i]);
  std::sort(scores.begin(), scores.end());
  scores.erase(std::unique(scores.begin(), scores.end()), scores.end());
  const auto rank = [&](Index i) {
    return static_cast<std::size_t>(std::lower_bound(scores.begin(), scores.end(), score[i]) - scores.begin());
  };
  RankSums at_risk(scores.size());
  // At equal times those censored come first: they are at risk at the others' events.
  std::sort(rows.begin(), rows.end(), [&](Index a, Index b) {
    if (time[a] != time[b]) return time[a] > time[b];
    return survival.event[a] != survival.event[b] ? survival.event[a] < survival.event[b] : a < b;
  });
  std::vector<Index> by_start;
  if (survival.start.size() > 0) {
    by_start = rows;
    std::sort(by_start.begin(), by_start.end(), [&](Index a, Index b) {
      return survival.start[a] != survival.start[b] ? survival.start[a] > survival.start[b] : a < b;
    });
  }
  std::size_t entered = 0;
  for (std::size_t first = 0; first < rows.size();) {
    const double now = time[rows[first]];
    std::size_t event = first;
    for (; event < rows.size() && time[rows[event]] == now && survival.event[rows[event]] == 0.0; ++event) {
      at_risk.add(rank(rows[event]), weights[rows[event]]);
    }
    std::size_t last = event;
    while (last < rows.size() && time[rows[last]] == now) ++last;
    for (; entered < by_start.size() && survival.start[by_start[entered]] >= now; ++entered) {
      at_risk.add(rank(by_start[entered]), -weights[by_start[entered]]);
    }
    const double everybody = event < last ? at_risk.below(scores.size()) : 0.0;
    for (std::size_t k = event; k < last; ++k) {
      const Index i = rows[k];
      const double lower = at_risk.below(rank(i)), not_higher = at_risk.below(rank(i) + 1);
      pairs.concordant += weights[i] * 0.5 * (lower + not_higher);
      pairs.comparable += weights[i] * everybody;
    }
    for (std::size_t k = event; k < last; ++k) at_risk.add(rank(rows[k]), weights[rows[k]]);
    first = last;
  }
}

}  // namespace

double concordance(const Vec& time, const Survival& survival, const Vec& weights, const Vec& score) {
  std::map<double, std::vector<Index>> strata;
  for (Index i = 0; i < time.size(); ++i) {
    if (weights[i] > 0.0) strata[survival.stratum.size() > 0 ? survival.stratum[i] : 0.0].push_back(i);
  }
  Pairs pairs;
  for (auto& [label, rows] : strata) count(time, survival, weights, score, std::move(rows), pairs);
  return pairs.comparable > 0.0 ? pairs.concordant / pairs.comparable : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace riata
