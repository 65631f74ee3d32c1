#pragma once

#include "loss/loss.hpp"

namespace riata {

/// f(eta) = log sum_k e^eta_k - sum_k y_k eta_k for K classes, y a class (one 1, else 0) or the shares of all, which
/// sum to 1. Symmetric: every class has coefficients; adding a number to all eta of a row changes nothing.
class Multinomial : public Loss {
 public:
  /// y is n x K, one class after the other.
  Multinomial(Vec y, Vec omega);

  Index outputs() const override { return y_.cols(); }
  double value(const Vec& eta) const override;
  void derivatives(const Vec& eta, Vec& u, Vec& h) const override;
  double dual(const Vec& u) const override;
  /// With F'' (y / pi) = omega (y - pi) in each row, the quadratic term is (1 - scale)^2 / 2 sum omega (sum y^2 / pi -
  /// 1).
  double scaling_gap(const Vec& eta, const Vec& u, const Vec& h, double scale) const override;
  double saturated() const override { return saturated_; }
  /// A row of which another class has the largest eta has a loss of log 2 at least.
  double separation() const override;
  bool falls_for_ever(Index row) const override { return y_.row(row).maxCoeff() == 1.0; }
  bool symmetric() const override { return true; }
  /// They sum to zero.
  Vec intercepts(const Vec& base, const Vec& start) const override;
  /// What is common to the outputs: the mean of F'' over the directions that it does not map to zero.
  Vec model_curvature(const Vec& eta, const Vec& h, bool majorize) const override;
  std::unique_ptr<Curvature> curvature(const Vec& eta, double floor, bool intercept) const override;

 private:
  Mat y_;
  double saturated_ = 0.0;
};

}  // namespace riata
