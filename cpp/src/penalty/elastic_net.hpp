#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

namespace riata {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Elastic net on one coefficient inside a box: l1 |b| + l2/2 b^2 for lower <= b <= upper, infinite outside
/// (Friedman, Hastie, Tibshirani 2010, sec. 2). Both weights already include lambda and the penalty factor.
/// Lasso, ridge, adaptive weights, sign constraints and unpenalised features are all values of this one type.
/// Throughout, `c` is the negative gradient of the loss in b.
struct ElasticNet {
  double l1 = 0.0;
  double l2 = 0.0;
  double lower = -kInfinity;
  double upper = kInfinity;

  double value(double b) const { return l1 * std::abs(b) + 0.5 * l2 * b * b; }

  /// argmin_b (b - z)^2 / (2 step) + value(b) over the box. Returns +0.0, never -0.0, inside the threshold.
  double prox(double z, double step) const {
    const double excess = std::abs(z) - step * l1;
    const double b = excess <= 0.0 ? 0.0 : std::copysign(excess, z) / (1.0 + step * l2);
    return std::clamp(b, lower, upper) + 0.0;
  }

  /// Rate at which the objective falls when b increases; positive means that increasing b helps.
  double gain_up(double b, double c) const { return b < upper ? c - l2 * b - (b < 0.0 ? -l1 : l1) : -kInfinity; }
  /// The same for decreasing b.
  double gain_down(double b, double c) const { return b > lower ? -(c - l2 * b + (b > 0.0 ? -l1 : l1)) : -kInfinity; }

  /// Distance from c to the subdifferential at b: zero exactly when b is optimal.
  double kkt_violation(double b, double c) const { return std::max({gain_up(b, c), gain_down(b, c), 0.0}); }

  /// Largest s in [0, 1] with conjugate(s c) finite.
  double feasible_scale(double c) const {
    if (l2 > 0.0) return 1.0;
    if (c > l1 && upper == kInfinity) return l1 / c;
    if (c < -l1 && lower == -kInfinity) return l1 / -c;
    return 1.0;
  }

  /// sup_b c b - value(b) over the box; infinite when c is not dual feasible.
  double conjugate(double c) const {
    const double excess = std::abs(c) - l1;
    if (excess <= 0.0) return 0.0;
    const double bound = c > 0.0 ? upper : -lower;
    if (bound <= 0.0) return 0.0;
    if (l2 <= 0.0) return excess * bound;
    const double b = std::min(excess / l2, bound);
    return b * (excess - 0.5 * l2 * b);
  }
};

}  // namespace riata
