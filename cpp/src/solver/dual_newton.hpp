#pragma once

#include <span>
#include <vector>

#include "solver/dense_factor.hpp"
#include "solver/inner_solver.hpp"
#include "solver/sample_gram.hpp"

namespace riata {

/// Solver::kSamples for elastic nets with an l2 part: semismooth Newton on the dual (Li, Sun & Toh 2018, without the
/// augmented Lagrangian that the lasso needs; Boschi, Reimherr & Chiaromonte 2020), for about as many active features
/// as rows, or more.
///
/// With u the negative gradient in eta and c = Xs'u, the coefficients follow from c, one by one: b_j(c_j) is what
/// minimises penalty_j(b) - c_j b, and the dual, u'H^-1 u / 2 and so on plus the conjugates of the penalties, is smooth
/// and, but for the kinks of b_j, quadratic. In z = H^-1/2 (u - u0) its Hessian is I + H^1/2 K H^1/2 / lambda, K the
/// sum of x_j x_j' / (l2_j / lambda) over the features that are active and within their bounds: n x n however many
/// these are, and K depends neither on lambda nor on H, so that it is kept down the path and through the curvatures of
/// a loss that is not quadratic. A Newton step is conjugate gradients with the factor of an earlier Hessian; its length
/// is that of an exact line search where the full step does not do. Each lambda starts where the line through the last
/// two solutions leads.
class DualNewton final : public InnerSolver {
 public:
  /// Whether a model and a penalty are of the kind: one output, rows that are not coupled, columns at hand rather than
  /// their Gram matrix, and an l2 part for every coefficient.
  static bool handles(const Quadratic& model, const Penalties& penalty);
  /// Bytes of what it keeps for n rows: K, a factor, and columns on their way into K.
  static double memory(Index rows) {
    return 16.0 * static_cast<double>(rows) * static_cast<double>(rows + SampleGram::kColumns);
  }

  InnerResult solve(InnerProblem problem, Vec& b, Vec& c) override;
  void working_set_changed(std::span<const Index> new_number, Index outputs) override;
  /// Nothing: K knows no curvature, and a factor at another still preconditions.
  void hessian_changed() override {}

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(gram_, factor_, spent_, lambda_, last_.lambda, last_.u, last_.c, before_.lambda, before_.u, before_.c,
            gap_ratio_, violation_ratio_, kept_b_, image_);
  }

 private:
  struct Solution {
    double lambda = 0.0;
    Vec u, c;
  };
  void begin(InnerProblem& problem, const Vec& c);
  void extrapolate(Quadratic& model, double lambda);
  void update(InnerProblem& problem);
  void project(Vec& x) const;
  bool step(InnerProblem& problem);
  bool conjugate_gradients(const InnerProblem& problem);
  bool make_factor(const InnerProblem& problem);
  void apply(const InnerProblem& problem, const Vec& x, Vec& out);
  double search_line(const InnerProblem& problem) const;
  double judge(InnerProblem& problem, double norm);
  bool promising(const InnerProblem& problem, double norm) const;

  SampleGram gram_;
  DenseFactor factor_;
  double spent_ = 0.0;  // multiplications in conjugate gradients since the factor was made
  double lambda_ = 0.0;
  Solution last_, before_;  // where this lambda started, and the one before it
  Vec kept_b_, image_;      // where the last solve ended, or this one began, and the sum of its columns
  double gap_ratio_ = 0.0, violation_ratio_ = 0.0;  // of what a point is judged by to what is known of it here

  // Of one solve.
  std::vector<Index> all_, fixed_, unknown_;
  std::vector<signed char> sign_;
  Vec root_, unit_;  // of the curvature; the same with norm 1, or nothing
  Vec z_, u_, c_, gradient_, step_, change_;
  Vec residual_, search_, solved_, product_, rows_, values_;
  Vec trial_b_, trial_c_;
};

}  // namespace riata
