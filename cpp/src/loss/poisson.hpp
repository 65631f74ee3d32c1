#pragma once

#include "loss/loss.hpp"

namespace riata {

/// Half the Poisson deviance at the mean mu = level e^eta,
///   f(eta) = mu - y - y log(mu / y)   (mu where y = 0),
/// for y >= 0, a count or a rate: e^eta - y eta plus what makes its infimum 0. Taken relative to a `level` near the
/// mean of y, eta is small and keeps its digits, whatever the unit of y.
class Poisson : public Loss {
 public:
  Poisson(Vec y, Vec omega, double level = 1.0);

  /// Infinite where e^eta is, never NaN.
  double value(const Vec& eta) const override;
  void derivatives(const Vec& eta, Vec& u, Vec& h) const override;
  double dual(const Vec& u) const override;
  double scaling_gap(const Vec& eta, const Vec& u, const Vec& h, double scale) const override;
  double saturated() const override { return 0.0; }
  bool falls_for_ever(Index row) const override { return y_[row] == 0.0; }
  Vec model_curvature(const Vec& eta, const Vec& h, bool majorize) const override;
  double intercept(const Vec& base, double start) const override;

 private:
  Vec y_;
  Vec weighted_;                // omega y, rounded as it is in u: u never exceeds it
  Vec log_ratio_;               // log(y / level), 0 where y = 0
  double level_, total_ = 0.0;  // sum of weighted_
};

}  // namespace riata
