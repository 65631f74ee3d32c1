#pragma once

#include <span>

#include "path/working_set_solver.hpp"
#include "solver/linear_predictor.hpp"
#include "solver/path_point.hpp"
#include "solver/stopping_rule.hpp"

namespace riata {

/// What a solution is in the data, not in the model that it was found with.
class PointEvaluator {
 public:
  PointEvaluator(const Loss& loss, const PenaltyFamily& penalty, const StandardizedColumns& columns,
                 const WorkingSet& work, const LinearPredictor& predictor, const StoppingRule& rule,
                 WorkingSetSolver& solver, const PathOptions& options)
      : loss_(loss),
        penalty_(penalty),
        columns_(columns),
        work_(work),
        predictor_(predictor),
        rule_(rule),
        solver_(solver),
        options_(options) {}

  /// eta, u and c of the points that have not been evaluated: one product with the supports, one with the working set
  /// or, at the `first_try`, with its Gram matrix. `c_error` is that of the point at which the model was expanded.
  void evaluate(std::span<PathPoint> points, double c_error, bool first_try);

 private:
  void correct_correlations(PathPoint& p, double c_error) const;
  bool correlate_by_gram(std::span<PathPoint* const> points, double c_error);

  const Loss& loss_;
  const PenaltyFamily& penalty_;
  const StandardizedColumns& columns_;
  const WorkingSet& work_;
  const LinearPredictor& predictor_;
  const StoppingRule& rule_;
  WorkingSetSolver& solver_;
  const PathOptions& options_;
};

}  // namespace riata
