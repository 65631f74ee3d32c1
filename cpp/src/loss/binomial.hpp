#pragma once

#include "loss/loss.hpp"

namespace riata {

/// f(eta) = log(1 + e^eta) - y eta for y in [0, 1] (a class or a proportion).
class Binomial : public Loss {
 public:
  Binomial(Vec y, Vec omega);

  double value(const Vec& eta) const override;
  void derivatives(const Vec& eta, Vec& u, Vec& h) const override;
  double dual(const Vec& u) const override;
  double saturated() const override { return saturated_; }
  /// A row on the wrong side has a loss of log 2 at least.
  double separation() const override;
  bool falls_for_ever(Index row) const override { return y_[row] == 0.0 || y_[row] == 1.0; }

 private:
  Vec y_;
  double saturated_ = 0.0;
};

}  // namespace riata
