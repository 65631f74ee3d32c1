#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "penalty/elastic_net.hpp"
#include "penalty/thread_room.hpp"
#include "riata/types.hpp"

/// The penalty of one group of coefficients: a norm, an l2 part, and an l1 norm within.
namespace riata {

/// |v|, also where its square leaves the range of numbers.
template <class V>
double safe_norm(const V& v) {
  const double norm = v.norm();
  if ((norm > 1e-140 && norm < 1e140) || std::isnan(norm) || v.size() == 0) return norm;
  const double largest = v.cwiseAbs().maxCoeff();
  return largest > 0.0 && largest < kInfinity ? largest * (v / largest).norm() : largest;
}

/// each |b|_1 + l1 |b|_2 + l2/2 |b|_2^2 of a vector b: the group lasso (Yuan & Lin 2006) with a ridge part and, where
/// `each` is not zero, the sparse group lasso (Simon et al. 2013). All weights already include lambda and the penalty
/// factor; `c` is the negative gradient of the loss in b.
struct GroupNorm {
  double l1 = 0.0;
  double l2 = 0.0;
  double each = 0.0;

  template <class B>
  double value(const B& b) const {
    const double norm = safe_norm(b);
    return l1 * norm + 0.5 * l2 * norm * norm + (each > 0.0 ? each * b.template lpNorm<1>() : 0.0);
  }

  /// argmin_b |b - z|^2 / (2 step) + value(b) is z, soft-thresholded at step * each, times this, with the norm then.
  double shrinkage(double norm_z, double step) const {
    const double excess = norm_z - step * l1;
    return excess <= 0.0 ? 0.0 : excess / (norm_z * (1.0 + step * l2));
  }
  /// That, in the place of z.
  template <class Z>
  void prox(Z&& z, double step) const {
    if (each > 0.0) z.array() = z.array().sign() * (z.array().abs() - step * each).max(0.0);
    z *= shrinkage(z.norm(), step);
  }

  /// |S(c, each)|_2, with S the soft threshold: what is held against l1 where b is zero.
  template <class C>
  double size(const C& c) const {
    return each > 0.0 ? safe_norm(soft(c, each)) : safe_norm(c);
  }

  /// Distance from c to the subdifferential at b: zero exactly when b is optimal.
  template <class B, class C>
  double kkt_violation(const B& b, const C& c) const {
    const double norm = safe_norm(b);
    if (norm == 0.0) return std::max(size(c) - l1, 0.0);
    auto rest = evaluated(c - (l2 + l1 / norm) * b);
    if (each == 0.0) return safe_norm(rest);
    for (Index i = 0; i < rest.size(); ++i) {
      rest[i] = b[i] != 0.0 ? rest[i] - std::copysign(each, b[i]) : std::max(std::abs(rest[i]) - each, 0.0);
    }
    return safe_norm(rest);
  }

  /// Smallest s with |S(c, s each)|_2 <= s l1: the dual norm (Ndiaye et al. 2016). In order of size the terms that
  /// count at s are the first k, and s solves (k each^2 - l1^2) s^2 - 2 each S1 s + S2 = 0, S1 and S2 the sums of them
  /// and of their squares.
  template <class C>
  double dual_norm(const C& c) const {
    if (each == 0.0) {
      const double norm = safe_norm(c);
      return norm == 0.0 ? 0.0 : l1 > 0.0 ? norm / l1 : kInfinity;
    }
    const double largest = c.template lpNorm<Eigen::Infinity>();
    if (l1 == 0.0 || largest == 0.0) return largest / each;
    std::vector<double> sorted(static_cast<std::size_t>(c.size()));
    for (Index i = 0; i < c.size(); ++i) sorted[static_cast<std::size_t>(i)] = std::abs(c[i]) / largest;
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    double s1 = 0.0, s2 = 0.0, spread = 0.0, root = 0.0;
    for (std::size_t k = 0; k < sorted.size(); ++k) {
      const double count = static_cast<double>(k + 1), off = k == 0 ? 0.0 : sorted[k] - s1 / static_cast<double>(k);
      spread += off * off * static_cast<double>(k) / count;  // sum of squares about the mean
      s1 += sorted[k];
      s2 += sorted[k] * sorted[k];
      // The root where the first k + 1 count. Under it each^2 S1^2 - (k each^2 - l1^2) S2, without cancellation.
      const double inside = std::max(l1 * l1 * s2 - each * each * count * spread, 0.0);
      root = s2 / (each * s1 + std::sqrt(inside));
      if (k + 1 == sorted.size() || each * root >= sorted[k + 1]) break;
    }
    return root * largest;
  }

  /// Largest s in [0, 1] with conjugate(s c) finite.
  template <class C>
  double feasible_scale(const C& c) const {
    if (l2 > 0.0) return 1.0;
    if (each == 0.0) {
      const double norm = safe_norm(c);
      return norm <= l1 ? 1.0 : l1 / norm;
    }
    const double norm = dual_norm(c) * (1.0 + 1e-14);  // the root is known up to its rounding
    return norm <= 1.0 ? 1.0 : 1.0 / norm;
  }

  /// sup_b c'b - value(b) at scale * c; infinite when it is not dual feasible.
  template <class C>
  double conjugate(const C& c, double scale) const {
    const double excess = (each > 0.0 ? safe_norm(soft(c * scale, each)) : scale * safe_norm(c)) - l1;
    if (excess <= 0.0) return 0.0;
    return l2 > 0.0 ? 0.5 * excess * excess / l2 : kInfinity;
  }

 private:
  template <class Z>
  static auto soft(const Z& z, double threshold) {
    return evaluated((z.array().sign() * (z.array().abs() - threshold).max(0.0)).matrix());
  }
  /// The vector, in one place, until the next one.
  template <class Z>
  static auto evaluated(const Z& z) {
    auto out = thread_room<GroupNorm>(z.size());
    if constexpr (Z::RowsAtCompileTime == 1) {
      out = z.transpose();
    } else {
      out = z;
    }
    return out;
  }
};

}  // namespace riata
