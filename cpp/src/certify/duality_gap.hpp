#pragma once

#include <utility>

#include "loss/loss.hpp"
#include "penalty/penalties.hpp"
#include "solver/linear_predictor.hpp"
#include "solver/path_point.hpp"
#include "solver/stopping_rule.hpp"

namespace riata {

/// Lower bounds of the objective, from the gradient of the loss at a solution.
class DualityGap {
 public:
  /// `largest_norm` of the scaled columns.
  DualityGap(const Loss& loss, const LinearPredictor& predictor, double largest_norm)
      : loss_(loss), predictor_(predictor), largest_norm_(largest_norm) {}

  /// The scaled columns of features without penalty and bounds: their c must be exactly zero for a finite bound.
  void set_free_columns(Mat columns) { free_columns_ = std::move(columns); }
  const Mat& free_columns() const { return free_columns_; }

  /// Removes what rounding left of the inner products of u with intercept and free columns, while keeping u inside the
  /// domain of the conjugate.
  void make_dual_feasible(PathPoint& p) const;
  /// The bound at the largest scale of p.u for which it is finite; c, with the penalty `net`, of all features that are
  /// not proven to be far from their threshold.
  double dual(const PathPoint& p, const Penalties& net, const Vec& c) const;
  /// What an unpenalised coefficient adds to the conjugate where u has a `slope` along its column: what rounding leaves
  /// of that may take its product with the optimal coefficient from the bound, for which the one at hand stands in.
  /// Infinity where it is more than rounding.
  double free_conjugate(double slope, double coefficient, const Vec& u) const;

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(free_columns_);
  }

 private:
  bool move_dual_point(PathPoint& p) const;
  double free_conjugate(Index unit, const PathPoint& p, const Penalties& net, const Vec& c, double scale) const;

  const Loss& loss_;
  const LinearPredictor& predictor_;
  double largest_norm_;
  Mat free_columns_;
};

}  // namespace riata
