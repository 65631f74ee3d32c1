#pragma once

#include "loss/loss.hpp"

namespace riata {

/// f(eta) = (y - eta)^2 / 2.
class Gaussian : public Loss {
 public:
  Gaussian(Vec y, Vec omega) : Loss(std::move(omega)), y_(std::move(y)) {}

  double value(const Vec& eta) const override { return 0.5 * (omega_.array() * (y_ - eta).array().square()).sum(); }

  void derivatives(const Vec& eta, Vec& u, Vec& h) const override {
    u = omega_.cwiseProduct(y_ - eta);
    h = omega_;
  }

  double dual(const Vec& u) const override;
  double saturated() const override { return 0.0; }
  bool quadratic() const override { return true; }

 private:
  Vec y_;
};

}  // namespace riata
