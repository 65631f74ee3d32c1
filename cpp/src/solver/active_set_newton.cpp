#include "solver/active_set_newton.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace riata {
namespace {

constexpr Index kRefreshAfter = 500;              // factor updates, beyond two a feature, before factoring afresh
constexpr int kStallsBeforeSingleSteps = 3;       // rounds without descent before one-at-a-time steps
constexpr int kHalvings = 3, kMostHalvings = 16;  // of how many enter together: after two such rounds, and at most
constexpr Index kBuildBlock = 64;                 // features entered together when the factor is built

}  // namespace

void ActiveSetNewton::invalidate() {
  active_.clear();
  side_.clear();
  factor_.clear();
}

void ActiveSetNewton::working_set_changed(std::span<const Index> new_number, Index outputs) {
  for (Index& e : active_) {
    const Index w = new_number[static_cast<std::size_t>(e / outputs)];
    e = w < 0 ? -1 : w * outputs + e % outputs;
  }
}

/// The interval a feature moves in while its penalty keeps the slope it has at b (or just above, just below zero).
ActiveSetNewton::Side ActiveSetNewton::side_of(const ElasticNet& penalty, double b, bool upwards) {
  if (penalty.l1 == 0.0) return {penalty.lower, penalty.upper, 0.0};
  if (b > 0.0 || (b == 0.0 && upwards)) return {0.0, penalty.upper, 1.0};
  return {penalty.lower, 0.0, -1.0};
}

void ActiveSetNewton::leave(Counters& counters, Index position) {
  is_active_[static_cast<std::size_t>(active_[static_cast<std::size_t>(position)])] = 0;
  cost_ += static_cast<double>((factor_.size() - position) * (factor_.size() - position));
  factor_.remove(position);
  active_.erase(active_.begin() + position);
  side_.erase(side_.begin() + position);
  ++counters.factor_updates;
}

/// Adds features to the factor; returns those that are collinear with it.
const std::vector<Index>& ActiveSetNewton::enter(InnerProblem& problem, const Vec& b, const Vec& c,
                                                 std::span<const Index> features) {
  const auto net = problem.penalty.entries();
  std::vector<Index>&collinear = scratch_.collinear, &rows = scratch_.rows;
  std::vector<double>& ridge = scratch_.ridge;
  collinear.clear();
  for (std::size_t begin = 0; begin < features.size(); begin += kBuildBlock) {
    const auto block = features.subspan(begin, std::min<std::size_t>(kBuildBlock, features.size() - begin));
    rows = active_;
    rows.insert(rows.end(), block.begin(), block.end());
    auto gram = scratch_.gram.shape(static_cast<Index>(rows.size()), static_cast<Index>(block.size()));
    problem.model.gram_block(rows, block, gram);
    ridge.clear();
    for (Index w : block) ridge.push_back(net[static_cast<std::size_t>(w)].l2);
    const Index m = static_cast<Index>(block.size());
    const double k = static_cast<double>(rows.size());
    cost_ += static_cast<double>(block.size()) * k * (0.08 * k + 0.1 * problem.model.column_cost());
    const auto& accepted = factor_.append(gram.topRows(gram.rows() - m), gram.bottomRows(m), ridge);
    std::size_t next = 0;
    for (Index r = 0; r < m; ++r) {
      const Index w = block[static_cast<std::size_t>(r)];
      if (next == accepted.size() || accepted[next] != r) {
        collinear.push_back(w);
        continue;
      }
      ++next;
      active_.push_back(w);
      const ElasticNet& penalty = net[static_cast<std::size_t>(w)];
      side_.push_back(side_of(penalty, b[w], penalty.gain_up(b[w], c[w]) > 0.0));
      is_active_[static_cast<std::size_t>(w)] = 1;
      ++problem.counters.factor_updates;
    }
  }
  return collinear;
}

/// Feature w violates its condition but is a combination of active ones: moving along that null direction leaves the
/// loss as it is and lowers the penalty, until an active feature reaches the end of its interval and makes room.
bool ActiveSetNewton::exchange(InnerProblem& problem, Vec& b, const Vec& c, Index w) {
  const auto net = problem.penalty.entries();
  const ElasticNet& penalty = net[static_cast<std::size_t>(w)];
  const bool upwards = penalty.gain_up(b[w], c[w]) > 0.0;
  const double sign = upwards ? 1.0 : -1.0;
  auto direction = scratch_.direction.shape(static_cast<Index>(active_.size()));
  problem.model.gram_block(active_, std::span(&w, 1), direction);
  factor_.solve(direction);
  direction *= -sign;
  const Side side = side_of(penalty, b[w], upwards);
  double max_step = upwards ? side.high - b[w] : b[w] - side.low;
  Index blocking = -1;
  for (Index i = 0; i < direction.size(); ++i) {
    const Side& s = side_[static_cast<std::size_t>(i)];
    const double at = b[active_[static_cast<std::size_t>(i)]], d = direction[i];
    if (std::abs(d) < 1e-8) continue;
    const double room = d > 0.0 ? (s.high - at) / d : (s.low - at) / d;
    if (room < max_step) {
      max_step = room;
      blocking = i;
    }
  }
  if (!std::isfinite(max_step)) return false;  // unpenalised and collinear: nothing to gain
  max_step = std::max(max_step, 0.0);
  for (Index i = 0; i < direction.size(); ++i) {
    const Side& s = side_[static_cast<std::size_t>(i)];
    double& value = b[active_[static_cast<std::size_t>(i)]];
    value = i == blocking ? (direction[i] > 0.0 ? s.high : s.low)
                          : std::clamp(value + max_step * direction[i], s.low, s.high);
  }
  b[w] += sign * max_step;
  if (blocking < 0) return true;  // w went all the way to its own bound
  leave(problem.counters, blocking);
  enter(problem, b, c, std::span(&w, 1));
  return true;
}

void ActiveSetNewton::build(InnerProblem& problem, const Vec& b, const Vec& c) {
  const auto net = problem.penalty.entries();
  invalidate();
  std::fill(is_active_.begin(), is_active_.end(), 0);
  std::vector<Index>& support = scratch_.support;
  support.clear();
  for (Index w = 0; w < problem.model.size(); ++w) {
    const ElasticNet& penalty = net[static_cast<std::size_t>(w)];
    const bool inside = b[w] > penalty.lower && b[w] < penalty.upper;
    if ((b[w] != 0.0 && inside) || (penalty.l1 == 0.0 && penalty.kkt_violation(b[w], c[w]) > 0.0)) support.push_back(w);
  }
  enter(problem, b, c, support);
}

/// Moves the active features towards their exact solution and returns the positions that hit an end of their interval
/// (increasing order). With `one_at_a_time`, stops at the first one; otherwise clips all that would pass.
const std::vector<Index>& ActiveSetNewton::move(Vec& b, const VecMap& step, bool one_at_a_time) {
  double max_step = 1.0;
  Index blocking = -1;
  if (one_at_a_time) {
    for (Index i = 0; i < step.size(); ++i) {
      const Side& s = side_[static_cast<std::size_t>(i)];
      const double at = b[active_[static_cast<std::size_t>(i)]], to = at + step[i];
      if (to >= s.low && to <= s.high) continue;
      const double room = std::max((step[i] > 0.0 ? s.high - at : s.low - at) / step[i], 0.0);
      if (room < max_step) {
        max_step = room;
        blocking = i;
      }
    }
  }
  std::vector<Index>& stopped = scratch_.stopped;
  stopped.clear();
  for (Index i = 0; i < step.size(); ++i) {
    const Side& s = side_[static_cast<std::size_t>(i)];
    double& value = b[active_[static_cast<std::size_t>(i)]];
    const double to = value + max_step * step[i];
    const bool vanished = to == 0.0 && value != 0.0 && s.sign != 0.0;
    if (i == blocking) {
      value = (step[i] > 0.0 ? s.high : s.low) + 0.0;
    } else {
      value = std::clamp(to, s.low, s.high) + 0.0;
    }
    if (i == blocking || vanished || value != to) stopped.push_back(i);
  }
  return stopped;
}

bool ActiveSetNewton::try_reuse(std::span<const ElasticNet> penalty) {
  if (active_.empty()) return false;
  std::vector<double>& ridge = scratch_.ridge;
  ridge.clear();
  for (Index w : active_) ridge.push_back(penalty[static_cast<std::size_t>(w)].l2);
  const bool tired = factor_.updates() > kRefreshAfter + 2 * factor_.size();
  if (factor_.set_ridge(ridge) && (!tired || factor_.refactor())) return true;
  invalidate();
  return false;
}

void ActiveSetNewton::mark_active(Index size) {
  is_active_.assign(static_cast<std::size_t>(size), 0);
  for (Index w : active_) is_active_[static_cast<std::size_t>(w)] = 1;
}

/// What is missing to the conditions of the active features on their sides, as the next step; returns the largest.
double ActiveSetNewton::residual(const InnerProblem& problem, const Vec& b, const Vec& c) {
  const auto net = problem.penalty.entries();
  auto out = scratch_.step.shape(factor_.size());
  for (Index i = 0; i < out.size(); ++i) {
    const Index w = active_[static_cast<std::size_t>(i)];
    const ElasticNet& penalty = net[static_cast<std::size_t>(w)];
    out[i] = c[w] - penalty.l2 * b[w] - penalty.l1 * side_[static_cast<std::size_t>(i)].sign;
  }
  return out.size() > 0 ? out.cwiseAbs().maxCoeff() : 0.0;
}

/// Whether no active feature passes an end of its interval.
bool ActiveSetNewton::stays_inside(const Vec& b, const VecMap& step) const {
  for (Index i = 0; i < step.size(); ++i) {
    const Side& s = side_[static_cast<std::size_t>(i)];
    const double to = b[active_[static_cast<std::size_t>(i)]] + step[i];
    if (!(to >= s.low && to <= s.high)) return false;
  }
  return true;
}

/// Newton step for the residual, `length` times its own; what reaches the end of its interval leaves. True when nothing
/// did. c follows on the active features.
bool ActiveSetNewton::advance(InnerProblem& problem, Vec& b, Vec& c, double length, bool one_at_a_time) {
  const auto net = problem.penalty.entries();
  auto step = scratch_.step.vec(), before = scratch_.before.shape(step.size());
  factor_.solve(step);
  step *= length;
  cost_ += 0.35 * static_cast<double>(step.size() * step.size());
  ++problem.counters.newton_steps;
  for (Index i = 0; i < step.size(); ++i) before[i] = b[active_[static_cast<std::size_t>(i)]];
  const auto& stopped = move(b, step, one_at_a_time);
  if (stopped.empty()) {
    // A full step ends where the conditions of the active features hold; the caller's evaluation has the last word.
    for (std::size_t i = 0; i < active_.size(); ++i) {
      const Index w = active_[i];
      const ElasticNet& penalty = net[static_cast<std::size_t>(w)];
      c[w] = penalty.l2 * b[w] + penalty.l1 * side_[i].sign;
    }
    return true;
  }
  for (Index i = 0; i < step.size(); ++i) step[i] = b[active_[static_cast<std::size_t>(i)]] - before[i];
  auto gradient_change = scratch_.gradient_change.shape(step.size());
  factor_.multiply(step, gradient_change);
  for (Index i = 0; i < step.size(); ++i) c[active_[static_cast<std::size_t>(i)]] -= gradient_change[i] / length;
  for (auto it = stopped.rbegin(); it != stopped.rend(); ++it) leave(problem.counters, *it);
  return false;
}

/// To enter: the features outside the factor that violate their condition most, at most `limit`, in increasing order.
void ActiveSetNewton::find_candidates(const InnerProblem& problem, const Vec& b, const Vec& c, std::size_t limit) {
  const auto net = problem.penalty.entries();
  std::vector<Candidate>& found = scratch_.found;
  found.clear();
  for (Index w = 0; w < problem.model.size(); ++w) {
    if (is_active_[static_cast<std::size_t>(w)]) continue;
    const double gain = net[static_cast<std::size_t>(w)].kkt_violation(b[w], c[w]);
    if (gain > problem.tolerance) found.push_back({gain, w});
  }
  if (found.size() > limit) {
    std::nth_element(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(limit), found.end(),
                     [](const Candidate& x, const Candidate& y) {
                       return x.gain != y.gain ? x.gain > y.gain : x.feature < y.feature;
                     });
    found.resize(limit);
  }
  candidates_.clear();
  for (const Candidate& v : found) candidates_.push_back(v.feature);
  std::sort(candidates_.begin(), candidates_.end());
}

std::size_t ActiveSetNewton::most_entering() const {
  return std::max<std::size_t>(10, active_.size() / 4);
}

void ActiveSetNewton::begin(InnerProblem& problem, const Vec& b, const Vec& c) {
  cost_ = 0.0;
  mark_active(problem.model.size());
  if (!try_reuse(problem.penalty.entries())) build(problem, b, c);
}

InnerResult ActiveSetNewton::step(InnerProblem problem, Vec& b, Vec c, bool everywhere, double length) {
  const auto net = problem.penalty.entries();
  begin(problem, b, c);
  candidates_.assign(problem.entering.begin(), problem.entering.end());
  if (candidates_.empty() && everywhere) find_candidates(problem, b, c, most_entering());
  std::erase_if(candidates_, [&](Index w) { return is_active_[static_cast<std::size_t>(w)] != 0; });
  for (Index w = 0; w < problem.model.size(); ++w) {  // what a step cut short has left away from zero
    const ElasticNet& penalty = net[static_cast<std::size_t>(w)];
    if (b[w] != 0.0 && !is_active_[static_cast<std::size_t>(w)] && b[w] > penalty.lower && b[w] < penalty.upper &&
        std::find(candidates_.begin(), candidates_.end(), w) == candidates_.end()) {
      candidates_.push_back(w);
    }
  }
  enter(problem, b, c, candidates_);
  InnerResult result;
  residual(problem, b, c);
  result.converged = advance(problem, b, c, length, false);
  ++result.iterations;
  if (!result.converged && problem.max_iter > 1) {
    // Without what was stopped the others may go elsewhere, but not past the end of an interval in their turn: often a
    // feature that has yet to enter is what they are waiting for.
    residual(problem, b, c);
    auto step = scratch_.step.vec();
    factor_.solve(step);
    step *= length;
    if (stays_inside(b, step)) move(b, step, false);
    ++result.iterations;
  }
  result.cost = cost_;
  return result;
}

InnerResult ActiveSetNewton::solve(InnerProblem problem, Vec& b, Vec& c) {
  Quadratic& model = problem.model;
  std::vector<Index>&all = scratch_.all, &inactive = scratch_.inactive;
  all.resize(static_cast<std::size_t>(model.size()));
  std::iota(all.begin(), all.end(), Index{0});
  begin(problem, b, c);

  InnerResult result;
  const auto finish = [&](bool converged) {
    result.converged = converged;
    result.cost = cost_;
    return result;
  };
  bool everywhere = true, one_at_a_time = false, refreshed = false;
  double best = kInfinity, last_worst = kInfinity;
  int stalled = 0;   // rounds without descent, in a row
  int halvings = 0;  // of how many may enter together
  candidates_.assign(problem.entering.begin(), problem.entering.end());
  for (; result.iterations < problem.max_iter; ++result.iterations) {
    if (problem.poll) problem.poll();
    double worst = residual(problem, b, c);

    bool settled = false;  // the active features meet their conditions as well as they are going to
    // Who enters. On arrival at a new lambda the active features move first: most that seem to violate then do not.
    if (everywhere && (result.iterations > 0 || worst <= problem.tolerance)) {
      find_candidates(problem, b, c, one_at_a_time ? 1 : std::max<std::size_t>(most_entering() >> halvings, 1));
      if (candidates_.empty()) {
        if (worst <= problem.tolerance) {
          return finish(true);
        }
        if (worst > 0.5 * last_worst) {  // no longer improving: rounding, or a tired factor
          if (refreshed) return finish(false);
          refreshed = true;
          if (!factor_.refactor()) build(problem, b, c);
          worst = residual(problem, b, c);
        }
      }
      settled = worst <= problem.tolerance || worst > 0.5 * last_worst;
      last_worst = worst;
    }
    if (!candidates_.empty()) {
      std::erase_if(candidates_, [&](Index w) { return is_active_[static_cast<std::size_t>(w)] != 0; });
      const std::size_t before_entry = active_.size();
      const auto& collinear = enter(problem, b, c, candidates_);
      candidates_.clear();
      // A combination of active features takes a place only when nothing else is left to do: once they have moved, most
      // such features (an identical column above all) no longer violate, and the one that was there first stays.
      if (everywhere && active_.size() == before_entry && settled) {
        for (Index w : collinear) {
          if (exchange(problem, b, c, w)) {
            model.correlations(b, all, c);
            break;  // the others may no longer violate
          }
        }
      }
      residual(problem, b, c);
    }
    cost_ += model.column_cost() * static_cast<double>(model.size());
    everywhere = advance(problem, b, c, 1.0, one_at_a_time) || active_.empty();
    if (everywhere) {
      inactive.clear();
      for (Index w : all) {
        if (!is_active_[static_cast<std::size_t>(w)]) inactive.push_back(w);
      }
      model.correlations(b, inactive, c);
      const double value = objective(problem, b, c);
      stalled = value < best - 1e-13 * std::abs(best) ? 0 : stalled + 1;
      best = std::min(best, value);
      if (stalled > 1) halvings = std::min(halvings + kHalvings, kMostHalvings);
      if (stalled == 0) halvings = std::max(halvings - 1, 0);
      one_at_a_time = one_at_a_time || stalled >= kStallsBeforeSingleSteps;
    }
  }
  if (!everywhere) model.correlations(b, all, c);
  return finish(false);
}

}  // namespace riata
