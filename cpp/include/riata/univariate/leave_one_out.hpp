#pragma once

#include <memory>

#include "riata/design/design.hpp"
#include "riata/loss/survival.hpp"
#include "riata/model/loss_spec.hpp"

namespace riata {

/// What one-feature models eta_i = offset_i + a_j + b_j x_ij are fitted to.
struct UnivariateProblem {
  LossSpec loss;           // of one output
  Vec y, weights;          // n numbers each; rows of weight 0 take no part
  Vec offset = {};         // n numbers, or none
  Survival survival = {};  // of losses::Cox
  bool intercept = true;   // whether there is an a_j; without one it is 0
  int steps = 2;           // of Newton's method from b_j = 0; quadratic losses need, and take, one
};

/// One model per feature. A column that does not vary where the loss has weight has slope 0.
struct UnivariateFits {
  Vec intercept, slope;
};

/// The leave-one-out predictions of one model per feature as columns: column j holds a_j + b_j x_ij, where row i took
/// no part in the fit. Newton's step is a weighted least-squares fit, from which a row is taken out exactly:
///
///     z_ij = eta_ij - q_ij e_ij / (1 - h_ij q_ij),   q_ij = 1 / sum(h) + (x_ij - mean_j)^2 / sum(h (x_j - mean_j)^2)
///
/// with h the curvature of the loss at the point of the last step and e what its gradient, to first order, is after
/// it. For squares this is the exact leave-one-out fit; for other losses it is that of the last step, the usual
/// approximation (Rad & Maleki 2020). Rows of weight 0 get a_j + b_j x_ij. Offsets are left out of z.
///
/// Columns are computed from those of `source` whenever they are asked for; none is kept.
/// Source: Chatterjee, Hastie & Tibshirani (2025), Univariate-guided sparse regression.
class LeaveOneOut : public Design {
 public:
  virtual const UnivariateFits& fits() const = 0;

 protected:
  using Design::Design;
};

/// Fits the models, in one pass over `source`, during which `poll` is called. Throws std::invalid_argument for a loss
/// of several outputs, vectors of another size or fewer than one step, NonFiniteError for NaN or infinity in a column.
std::unique_ptr<LeaveOneOut> leave_one_out_design(std::shared_ptr<const Design> source, UnivariateProblem problem,
                                                  int threads, const Poll& poll = {});

}  // namespace riata
