#pragma once

#include <vector>

#include "path/asked_grid.hpp"
#include "path/grid_group.hpp"
#include "path/response.hpp"

namespace riata {

/// Tells the callbacks of PathOptions what has been fitted since, and applies the stopping rules that look at fits.
class GridReport {
 public:
  /// `passes` over X so far.
  GridReport(const PathOptions& options, const std::vector<Problem>& problems, double passes)
      : options_(options), problems_(problems), passes_(passes) {}

  /// A lambda at which progress stops or throws is told again by a fit that goes on from there.
  template <class Fit>
  void tell(std::vector<GridGroup<Fit>>& groups) const {
    bool wanted = true;  // until progress wants no more: what has been fitted by then is kept all the same
    for (auto& group : groups) {
      if (group.goes_on()) group.outcome = tell(group, groups, wanted);
      wanted = wanted && group.outcome != Outcome::kInterrupted;
    }
    if (!wanted) end_all(groups, Outcome::kInterrupted);
    for (auto& group : groups) {
      if (group.goes_on() && group.reported == group.total()) group.outcome = Outcome::kComplete;
    }
  }

 private:
  template <class Fit>
  Outcome tell(GridGroup<Fit>& group, const std::vector<GridGroup<Fit>>& groups, bool wanted) const {
    const PathResult& r = group.front().result();
    for (; group.reported < group.front().fitted(); ++group.reported) {
      const std::size_t i = static_cast<std::size_t>(group.reported);
      group.retained = group.reported;
      if (options_.max_active >= 0 && r.n_active[i] > options_.max_active) return Outcome::kMaxActive;
      if (options_.max_groups >= 0 && r.n_groups[i] > options_.max_groups) return Outcome::kMaxGroups;
      group.retained = group.reported + 1;
      if (wanted && options_.held_out) tell_held_out(group);
      Index done = 1, total = 0;  // of all grids; what is left of those that have ended is done with
      for (const auto& other : groups) {
        done += other.goes_on() ? other.reported : other.total();
        total += other.total();
      }
      if (wanted && options_.progress &&
          !options_.progress(done, total, r.alphas[i], r.n_active[i], r.dual_gaps[i], passes_)) {
        return Outcome::kInterrupted;
      }
      if (options_.alphas.empty() && options_.stop_early && group.front().leaves_at_most(kUnexplained, i)) {
        return Outcome::kDeviance;
      }
    }
    return Outcome::kGoesOn;
  }

  template <class Fit>
  void tell_held_out(const GridGroup<Fit>& group) const {
    std::vector<Vec> predictors(problems_.size());
    for (std::size_t i = 0; i < group.fits.size(); ++i) {
      const Problem& problem = problems_[group.problems[i]];
      const Index outputs = response_of(problems_, problem).y.size() / problem.weights.size();
      const Mat& all = group.fits[i]->result().linear_predictor;
      predictors[group.problems[i]] = all.middleCols(group.reported * outputs, outputs).reshaped();
    }
    options_.held_out(predictors);
  }

  const PathOptions& options_;
  const std::vector<Problem>& problems_;
  double passes_;
};

}  // namespace riata
