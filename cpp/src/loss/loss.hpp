#pragma once

#include <limits>
#include <memory>

#include "loss/curvature.hpp"
#include "riata/model/loss_spec.hpp"
#include "riata/types.hpp"

namespace riata {

/// A convex loss F(eta) = sum_i omega_i f_i(eta_i) of the linear predictor, seen through a few operations on whole
/// vectors, so that losses that couple rows fit the same seam. `omega` are the observation weights scaled to sum
/// to 1; rows with omega_i = 0 contribute nothing and get u_i = h_i = 0. `eta` includes the offset. A loss with K
/// outputs has K linear predictors a row: eta, u and h are then n x K, one column after the other in one vector.
class Loss {
 public:
  static constexpr double kFlattest = 1e-9;  // curvature of a model, relative to what it is of the order of

  virtual ~Loss() = default;

  virtual Index outputs() const { return 1; }

  virtual double value(const Vec& eta) const = 0;

  /// What rounding may make of value(), beyond an ulp or so: smaller changes of it mean nothing.
  virtual double rounding() const { return 0.0; }

  /// u = -F'(eta) and h = diagonal of F''(eta).
  virtual void derivatives(const Vec& eta, Vec& u, Vec& h) const = 0;

  /// -F*(-u), the loss part of the dual objective (Fenchel conjugate; docs/algorithms.md, section 2);
  /// -infinity outside the domain, never clipped into it.
  virtual double dual(const Vec& u) const = 0;
  /// The same, or a bound below it, at scale * u for the u = -F'(eta) and 0 <= scale <= 1.
  virtual double dual_at(const Vec& /*eta*/, const Vec& u, double scale) const { return dual(scale * u); }
  /// F(eta) + scale u'eta - dual_at(eta, u, scale), up to the third order of 1 - scale, without logarithms where it can
  /// be: what it costs to scale u, with h as derivatives() gives it.
  virtual double scaling_gap(const Vec& eta, const Vec& u, const Vec& h, double scale) const;

  /// A value above the infimum that F cannot have unless the rows are separated: then it falls to it when eta, less
  /// offset, is multiplied by ever larger numbers. 0 where F has a minimum or that cannot be told.
  virtual double separation() const { return 0.0; }

  /// Whether the loss of a row has no minimum but falls for ever, where its eta goes the way of its gradient: that of a
  /// class, of a count of zero, of a row without event.
  virtual bool falls_for_ever(Index /*row*/) const { return false; }

  /// Infimum of F: what a saturated model reaches.
  virtual double saturated() const = 0;

  /// True when F(eta + g) = F(eta) for every number g: no intercept can be told, and sum(u) = 0 at every eta.
  virtual bool shift_invariant() const { return false; }

  /// True when adding a number to all outputs of a row changes nothing: of coefficients only differences between
  /// outputs can be told, unless a penalty does.
  virtual bool symmetric() const { return false; }

  /// Intercepts g, one an output, that minimise F(base + g) as a function of g, from `start`: sum(u) = 0 in each.
  virtual Vec intercepts(const Vec& base, const Vec& start) const;

  /// F'' at eta where it is not the diagonal h, else null; with `floor` times the variance in omega added to it. With
  /// `intercept`, the intercepts are minimised out of it.
  virtual std::unique_ptr<Curvature> curvature(const Vec& /*eta*/, double /*floor*/, bool /*intercept*/) const {
    return nullptr;
  }

  /// Curvature that a quadratic model of F takes at eta, one number a row: h, as derivatives() gives it, where that is
  /// not too flat; with several outputs what is common to them. More than usual when it is to `majorize`, where the
  /// loss knows what keeps a model above F.
  virtual Vec model_curvature(const Vec& /*eta*/, const Vec& h, bool /*majorize*/) const {
    return h.cwiseMax(kFlattest * omega_);
  }

  /// The root that solve_intercept() looks for, where the loss has a way of its own to it, else NaN.
  virtual double intercept(const Vec& /*base*/, double /*start*/) const {
    return std::numeric_limits<double>::quiet_NaN();
  }

  /// True when F is quadratic with F'' = diag(omega): one Newton step is exact and its factor keeps for ever.
  virtual bool quadratic() const { return false; }

  const Vec& omega() const { return omega_; }

 protected:
  explicit Loss(Vec omega) : omega_(std::move(omega)) {}
  Vec omega_;
};

/// The loss of rows with these y; losses::Cox has a constructor of its own. For losses::Multigaussian and Multinomial y
/// is n x K, one column after the other. Throws std::invalid_argument for a response outside its domain.
std::unique_ptr<Loss> make_loss(const LossSpec& spec, Vec y, Vec omega);

/// Solves sum_i u_i(base + g) = 0 for the intercept g of a loss with one output, starting at `start`; safeguarded
/// Newton.
double solve_intercept(const Loss& loss, const Vec& base, double start);

}  // namespace riata
