#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "solver/anderson.hpp"
#include "solver/inner_solver.hpp"

/// Block coordinate descent, shared by the solvers that move several coefficients at a time.
namespace riata {

/// Which blocks of coefficients a method works on next: the active ones, and of the others those that violate most.
class BlockChoice {
 public:
  void clear() {
    blocks_.clear();
    entering_.clear();
    worst_ = 0.0;
  }
  void add(Index block, bool active, double violation, double tolerance) {
    worst_ = std::max(worst_, violation);
    if (active) {
      blocks_.push_back(block);
    } else if (violation > tolerance) {
      entering_.push_back({-violation, block});
    }
  }
  /// Largest violation of those added.
  double worst() const { return worst_; }
  /// The blocks, in increasing order.
  std::span<const Index> choose() {
    std::sort(entering_.begin(), entering_.end());
    const std::size_t most = std::max<std::size_t>(10, blocks_.size() / 4);
    if (entering_.size() > most) entering_.resize(most);
    for (const auto& [violation, block] : entering_) blocks_.push_back(block);
    std::sort(blocks_.begin(), blocks_.end());
    return blocks_;
  }
  /// The violation that is to be left on them, `distance` being how far the fit is from good enough (InnerProblem): the
  /// gap goes with the square of the violation.
  double target(double tolerance, double distance) const {
    const double share = std::clamp(0.5 / std::sqrt(distance), 0.02, 0.5);
    return std::max(0.5 * tolerance, share * worst_);
  }

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void rooms(Archive& archive) {
    archive.rooms(blocks_, entering_);
  }

 private:
  std::vector<Index> blocks_;
  std::vector<std::pair<double, Index>> entering_;
  double worst_ = 0.0;
};

/// Sweeps over blocks on the columns, extrapolated (Anderson type II) where that lowers the objective.
class BlockDescent {
 public:
  /// Brings the violation on some units of a grouped penalty down to the target, from the model's current point.
  /// `sweep()` takes each unit to its minimum, or nearer, and returns the largest violation before.
  template <class Sweep>
  void run(InnerProblem& problem, std::span<const Index> units, double target, Vec& b, InnerResult& result,
           const Sweep& sweep) {
    constexpr int kRounds = 60;  // before the whole working set is looked at again
    const Grouped& all = *problem.penalty.grouped();
    Index total = 0;
    for (const Index unit : units) total += all.begin(unit + 1) - all.begin(unit);
    anderson_.begin(total);
    for (int round = 0; round < kRounds && result.iterations < problem.max_iter; ++round, ++result.iterations) {
      if (problem.poll) problem.poll();
      auto iterate = anderson_.iterate(round);
      Index row = 0;
      for (const Index unit : units) {
        const auto part = std::as_const(all).part(std::as_const(b), unit);
        iterate.segment(row, part.size()) = part;
        row += part.size();
      }
      if (Anderson::enough(round) && !problem.model.coupled()) extrapolate(problem, units, b);
      if (sweep() <= target) break;
    }
  }

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void rooms(Archive& archive) {
    archive.rooms(anderson_, kept_);
  }

 private:
  void extrapolate(InnerProblem& problem, std::span<const Index> units, Vec& b) {
    if (!anderson_.combine()) return;
    Quadratic& model = problem.model;
    const Grouped& all = *problem.penalty.grouped();
    const auto value = [&] { return model.half_rss() + problem.penalty.value(b); };
    const double before = value();
    kept_ = b;
    const auto combined = anderson_.combined();
    Index row = 0;
    for (const Index unit : units) {
      auto part = all.part(b, unit);
      const bool active = (part.array() != 0.0).any();
      for (Index i = 0; i < part.size(); ++i) {
        // Where a coefficient is zero by its own threshold it stays so.
        const bool free = all[unit].each > 0.0 ? part[i] != 0.0 : active;
        if (free) part[i] = combined[row + i];
      }
      row += part.size();
    }
    model.move_to(b);
    if (value() < before) return;
    b = kept_;
    model.move_to(b);
  }

  Anderson anderson_;
  Vec kept_;
};

}  // namespace riata
