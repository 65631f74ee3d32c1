#pragma once

#include "certify/duality_gap.hpp"
#include "path/fit_parts.hpp"
#include "path/result_writer.hpp"

/// The decision whether a fit is good enough.
namespace riata {

/// Share of the deviance of the model with no feature that is rounding: of a residual that could be brought to zero
/// solvers leave some 1e-12.
inline constexpr double kNothingLeft = 1e-20;

/// Decides whether a solution is good enough, by what it is in the data, and takes it into the result if so.
class Certifier {
 public:
  Certifier(const FitParts& fit, const DualityGap& gap, ResultWriter& writer) : fit_(fit), gap_(gap), writer_(writer) {}

  /// Whether a null fit explains the response up to rounding, or separates its rows: then it goes on in its direction
  /// until the rest of the loss is nothing next to the tolerance. `all_free`: no unpenalised feature has bounds.
  bool explains_all(PathPoint& p, bool all_free) const;
  /// Takes a point into the result if its certificate is good enough, or this was the `last_try`. Of a point on the way
  /// to another one only a penalty that is not convex asks how good it is.
  bool accept(PathPoint& p, bool last_try);

 private:
  bool locally_convex(const PathPoint& p, const Penalties& net);

  FitParts fit_;
  const DualityGap& gap_;
  ResultWriter& writer_;
};

}  // namespace riata
