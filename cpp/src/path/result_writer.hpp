#pragma once

#include <span>
#include <vector>

#include "path/response.hpp"
#include "penalty/penalty_family.hpp"
#include "solver/path_point.hpp"
#include "solver/standardized_columns.hpp"

namespace riata {

/// The result of a path as it comes: accepted points on the original scale.
class ResultWriter {
 public:
  /// `response` gives what takes predictions back to its own scale.
  ResultWriter(const Loss& loss, const PenaltyFamily& penalty, const StandardizedColumns& columns,
               const Features& features, const PathOptions& options, Response& response);

  struct Certificate {
    double primal, dual, gap;
  };
  /// Takes up a point with coefficients of `features`, those without penalty first; `free_columns` are the scaled
  /// columns of those that have no bounds either.
  void add(const PathPoint& p, std::span<const Index> features, const Mat& free_columns, const Certificate& of);
  /// The linear predictor at a point, as PathOptions::held_out is told of it; in order where that is of every row.
  Vec predicted(Index point) const;
  /// Those of a point, and of the points before it, have been used.
  void told(Index point);
  /// Drops points beyond the first `count`.
  void truncate(Index count);
  /// The finished result, with the means and scales; the writer is of no use afterwards.
  PathResult take(StandardizedColumns& columns);

  PathResult& result() { return result_; }
  const PathResult& result() const { return result_; }
  double null_deviance() const { return null_deviance_; }
  /// Whether a fit leaves at most `share` of the deviance about a level.
  bool leaves_at_most(double share, std::size_t i) const {
    return null_deviance_ > 0.0 && result_.deviance_ratio[i] >= 1.0 - share * spread_ / null_deviance_;
  }

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void state(Archive& archive) {
    PathResult& r = result_;
    archive(r.alphas, r.coef_indptr, r.coef_indices, r.coef_values, r.intercepts, r.primal, r.dual, r.dual_gaps,
            r.deviance_ratio, r.converged, r.locally_convex, r.n_active, r.n_iter, r.solver, r.alpha_max,
            r.null_objective, r.exhausted, r.separated, r.linear_predictor, r.n_groups, untold_);
  }

 private:
  /// The feature that a column of the fit belongs to: groups that overlap have columns of their own.
  Index feature_of(Index column) const {
    const bool member = column < static_cast<Index>(features_.column.size());
    return member ? features_.column[static_cast<std::size_t>(column)] : column;
  }
  /// What a column of the fit counts for; see Features::label.
  Index label_of(Index column) const {
    if (features_.label.empty() || features_.factor(column) == 0.0) return -1;
    return features_.label[static_cast<std::size_t>(feature_of(column))];
  }
  void add_coefficients(const PathPoint& p, std::span<const Index> features, Vec& unseen);
  Mat predictions(const PathPoint& p, const std::vector<Index>& rows, const Vec& taken, const Vec& centred) const;
  Vec centred_away(const PathPoint& p, std::span<const Index> features, const Mat& free_columns) const;

  const Loss& loss_;
  const PenaltyFamily& penalty_;
  const StandardizedColumns& columns_;
  const Features& features_;
  const PathOptions& options_;
  Vec outer_offset_, y_shift_;  // see Response
  std::vector<Index> held_out_, every_row_;
  std::vector<Vec> untold_;  // linear predictors of every row at the last points
  double null_deviance_, spread_;
  PathResult result_;
};

}  // namespace riata
