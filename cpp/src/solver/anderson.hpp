#pragma once

#include <Eigen/Cholesky>
#include <cmath>

#include "solver/room.hpp"

namespace riata {

/// Extrapolation of the iterates of a descent: the affine combination of the last few that minimises the combined step
/// (Anderson type II, Bertrand & Massias 2021). Memory is kept from one use to the next.
class Anderson {
 public:
  /// Begins with iterates of so many numbers.
  void begin(Index size) { size_ = size; }
  /// Where iterate k belongs. Once there are enough of them combine() may be called.
  auto iterate(Index k) { return history().col(k % (kWindow + 1)); }
  static bool enough(Index k) { return k % (kWindow + 1) == kWindow; }
  /// False when there is no combination.
  bool combine() {
    auto history = this->history();
    auto steps = steps_.shape(size_, kWindow);
    steps = history.rightCols(kWindow) - history.leftCols(kWindow);
    normal_.noalias() = steps.transpose() * steps;
    const double trace = normal_.trace();
    if (!(trace > 0.0)) return false;
    normal_.diagonal().array() += 1e-12 * trace;
    factor_.compute(normal_);
    weights_.setOnes(kWindow);
    weights_ = factor_.solve(weights_);
    const double total = weights_.sum();
    if (!std::isfinite(total) || total == 0.0) return false;
    weights_ /= total;
    auto combined = this->combined();
    combined.noalias() = history.rightCols(kWindow) * weights_;
    return combined.allFinite();
  }
  VecMap combined() { return combined_.shape(size_); }

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void rooms(Archive& archive) {
    archive.rooms(history_, steps_, combined_);
  }

 private:
  static constexpr Index kWindow = 5;  // steps that are combined

  MatMap history() { return history_.shape(size_, kWindow + 1); }

  Index size_ = 0;
  Room history_, steps_, combined_;
  Mat normal_;
  Eigen::LDLT<Mat> factor_;
  Vec weights_;
};

}  // namespace riata
