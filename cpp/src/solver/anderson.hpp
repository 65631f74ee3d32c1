#pragma once

#include <Eigen/Cholesky>
#include <cmath>

#include "riata/types.hpp"

namespace riata {

/// Extrapolation of the iterates of a descent: the affine combination of the last few that minimises the combined step
/// (Anderson type II, Bertrand & Massias 2021). Memory is kept from one use to the next.
class Anderson {
 public:
  /// Begins with iterates of so many numbers.
  void begin(Index size) { history_.resize(size, kWindow + 1); }
  /// Where iterate k belongs. Once there are enough of them combine() may be called.
  auto iterate(Index k) { return history_.col(k % (kWindow + 1)); }
  static bool enough(Index k) { return k % (kWindow + 1) == kWindow; }
  /// False when there is no combination.
  bool combine() {
    steps_ = history_.rightCols(kWindow) - history_.leftCols(kWindow);
    normal_.noalias() = steps_.transpose() * steps_;
    const double trace = normal_.trace();
    if (!(trace > 0.0)) return false;
    normal_.diagonal().array() += 1e-12 * trace;
    factor_.compute(normal_);
    weights_.setOnes(kWindow);
    weights_ = factor_.solve(weights_);
    const double total = weights_.sum();
    if (!std::isfinite(total) || total == 0.0) return false;
    weights_ /= total;
    combined_.noalias() = history_.rightCols(kWindow) * weights_;
    return combined_.allFinite();
  }
  const Vec& combined() const { return combined_; }

 private:
  static constexpr Index kWindow = 5;  // steps that are combined

  Mat history_, steps_, normal_;
  Eigen::LDLT<Mat> factor_;
  Vec weights_, combined_;
};

}  // namespace riata
