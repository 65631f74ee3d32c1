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
      // (what may end the path is asked for in any case)
      if (options_.held_out && (wanted || options_.patience > 0)) tell_held_out(group, r.alphas[i]);
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
      if (group.validation.ends(options_.patience)) return Outcome::kPatience;
    }
    return Outcome::kGoesOn;
  }

  /// Told again by a fit that goes on, an alpha has its score already.
  template <class Fit>
  void tell_held_out(GridGroup<Fit>& group, double alpha) const {
    if (group.validation.size() > group.reported) return;
    std::vector<Vec> predictors(problems_.size());
    for (std::size_t i = 0; i < group.fits.size(); ++i) {
      predictors[group.problems[i]] = group.fits[i]->predicted(group.reported);
    }
    const HeldOutScore score = options_.held_out(group.leader, alpha, predictors);
    group.validation.add(score);
    for (auto& fit : group.fits) fit->told(group.reported);
  }

  const PathOptions& options_;
  const std::vector<Problem>& problems_;
  double passes_;
};

}  // namespace riata
