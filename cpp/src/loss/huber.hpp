#pragma once

#include <optional>

#include "loss/loss.hpp"

namespace riata {

/// f(eta) = r^2 / 2 where |r| <= delta, else delta (|r| - delta / 2), with r = y - eta (Huber 1964).
class Huber : public Loss {
 public:
  Huber(Vec y, Vec omega, double delta);

  double value(const Vec& eta) const override;
  /// The curvature is omega up to |r| = delta and 0 beyond.
  void derivatives(const Vec& eta, Vec& u, Vec& h) const override;
  double dual(const Vec& u) const override;
  double scaling_gap(const Vec& eta, const Vec& u, const Vec& h, double scale) const override;
  double saturated() const override { return 0.0; }
  Vec model_curvature(const Vec& eta, const Vec& h, bool majorize) const override;
  double intercept(const Vec& base, double start) const override;

 private:
  std::optional<double> newton_intercept(const Vec& residual, double start) const;
  double scanned_intercept(const Vec& residual) const;

  Vec y_;
  Vec largest_;  // |u| beyond delta
  double delta_;
};

}  // namespace riata
