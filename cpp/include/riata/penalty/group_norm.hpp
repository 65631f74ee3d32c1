#pragma once

#include <algorithm>
#include <cmath>

#include "riata/penalty/elastic_net.hpp"

namespace riata {

/// |v|, also where its square leaves the range of numbers.
template <class V>
double safe_norm(const V& v) {
  const double norm = v.norm();
  return norm > 1e-140 && norm < 1e140 ? norm : v.stableNorm();
}

/// l1 |b| + l2/2 |b|^2 of a vector b with its Euclidean norm: the group lasso (Yuan & Lin 2006) with a ridge part.
/// Both weights already include lambda and the penalty factor. It depends on norms alone; `c` is the negative gradient
/// of the loss in b.
struct GroupNorm {
  double l1 = 0.0;
  double l2 = 0.0;

  double value(double norm) const { return l1 * norm + 0.5 * l2 * norm * norm; }

  /// argmin_b |b - z|^2 / (2 step) + value(|b|) is z times this.
  double shrinkage(double norm_z, double step) const {
    const double excess = norm_z - step * l1;
    return excess <= 0.0 ? 0.0 : excess / (norm_z * (1.0 + step * l2));
  }

  /// Distance from c to the subdifferential at b: zero exactly when b is optimal.
  template <class B, class C>
  double kkt_violation(const B& b, const C& c) const {
    const double norm = safe_norm(b);
    if (norm == 0.0) return std::max(safe_norm(c) - l1, 0.0);
    return safe_norm((c - (l2 + l1 / norm) * b).eval());
  }

  /// Largest s in [0, 1] with conjugate(s |c|) finite.
  double feasible_scale(double norm_c) const { return l2 > 0.0 || norm_c <= l1 ? 1.0 : l1 / norm_c; }

  /// sup_b c'b - value(|b|); infinite when c is not dual feasible.
  double conjugate(double norm_c) const {
    const double excess = norm_c - l1;
    if (excess <= 0.0) return 0.0;
    return l2 > 0.0 ? 0.5 * excess * excess / l2 : kInfinity;
  }
};

}  // namespace riata
