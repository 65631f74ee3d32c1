#pragma once

#include "loss/loss.hpp"

namespace riata {

/// f(eta) = |y - eta|^2 / 2 of K responses at a time.
class Multigaussian : public Loss {
 public:
  /// y is n x K, one response after the other.
  Multigaussian(Vec y, Vec omega);

  Index outputs() const override { return y_.cols(); }
  double value(const Vec& eta) const override;
  void derivatives(const Vec& eta, Vec& u, Vec& h) const override;
  double dual(const Vec& u) const override;
  double saturated() const override { return 0.0; }
  bool quadratic() const override { return true; }
  Vec intercepts(const Vec& base, const Vec& start) const override;

 private:
  Mat y_;
};

}  // namespace riata
