#pragma once

#include <memory>
#include <string_view>

#include "riata/types.hpp"

namespace riata {

/// A convex loss F(eta) = sum_i omega_i f_i(eta_i) of the linear predictor, seen through a few operations on whole
/// vectors, so that losses that couple rows fit the same seam. `omega` are the observation weights scaled to sum
/// to 1; rows with omega_i = 0 contribute nothing and get u_i = h_i = 0. `eta` includes the offset.
class Loss {
 public:
  virtual ~Loss() = default;

  virtual double value(const Vec& eta) const = 0;

  /// u = -F'(eta) and h = diagonal of F''(eta).
  virtual void derivatives(const Vec& eta, Vec& u, Vec& h) const = 0;

  /// -F*(-u), the loss part of the dual objective (Fenchel conjugate; docs/algorithms.md, section 2);
  /// -infinity outside the domain, never clipped into it.
  virtual double dual(const Vec& u) const = 0;

  /// Infimum of F: what a saturated model reaches.
  virtual double saturated() const = 0;

  /// True when F is quadratic with F'' = diag(omega): one Newton step is exact and its factor keeps for ever.
  virtual bool quadratic() const { return false; }

  const Vec& omega() const { return omega_; }

 protected:
  explicit Loss(Vec omega) : omega_(std::move(omega)) {}
  Vec omega_;
};

/// "gaussian" or "binomial". Throws std::invalid_argument for an unknown name or a response outside its domain.
std::unique_ptr<Loss> make_loss(std::string_view name, Vec y, Vec omega);

/// Solves sum_i u_i(base + g) = 0 for the intercept g, starting at `start`; safeguarded Newton.
double solve_intercept(const Loss& loss, const Vec& base, double start);

}  // namespace riata
