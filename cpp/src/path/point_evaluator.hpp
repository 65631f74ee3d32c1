#pragma once

#include <span>

#include "path/fit_parts.hpp"
#include "solver/path_point.hpp"

namespace riata {

/// What a solution is in the data, not in the model that it was found with.
class PointEvaluator {
 public:
  explicit PointEvaluator(const FitParts& fit) : fit_(fit) {}

  /// eta, u and c of the points that have not been evaluated: one product with the supports, one with the working set
  /// or, at the `first_try`, with its Gram matrix. `c_error` is that of the point at which the model was expanded.
  void evaluate(std::span<PathPoint> points, double c_error, bool first_try);

 private:
  void correct_correlations(PathPoint& p, double c_error) const;
  bool correlate_by_gram(std::span<PathPoint* const> points, double c_error);

  FitParts fit_;
};

}  // namespace riata
