#pragma once

#include <span>
#include <vector>

#include "solver/dual_hessian.hpp"
#include "solver/inner_solver.hpp"

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
/// a loss that is not quadratic (DualHessian). The length of a Newton step is that of an exact line search where the
/// full step does not do. Each lambda starts where the line through the last two solutions leads.
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
  /// Takes note of where another solver starts a lambda, so that the first one here starts on the line, too.
  void follow(const InnerProblem& problem, const Vec& c);
  void working_set_changed(std::span<const Index> new_number, Index outputs) override;
  /// Nothing: K knows no curvature, and a factor at another still preconditions.
  void hessian_changed() override {}

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(hessian_, trail_, trial_.gap_ratio, trial_.violation_ratio, known_.b, known_.image);
    archive.rooms(trial_.b, trial_.c, z_, u_, c_, gradient_, step_, change_, all_, fixed_, unknown_, sign_, rows_,
                  values_);
  }

 private:
  /// Where the lambdas before this one were solved.
  struct Trail {
    struct Solution {
      double lambda = 0.0;
      Vec u, c;
    };
    double lambda = 0.0;    // of the last solve
    Solution last, before;  // where that started, and the one before it

    template <class Archive>
    void state(Archive& archive) {
      archive(lambda, last.lambda, last.u, last.c, before.lambda, before.u, before.c);
    }
  };
  /// Coefficients and the sum of their columns: where the last solve ended, or this one began.
  struct Known {
    Vec b, image;
  };
  /// The coefficients that are tried, and what points are judged by, to what is known of them here.
  struct Trial {
    Vec b, c;
    double gap_ratio = 0.0, violation_ratio = 0.0;
  };
  void begin(InnerProblem& problem, const Vec& c);
  void make_image(Quadratic& model);
  void extrapolate(Quadratic& model, double lambda);
  void update(InnerProblem& problem);
  bool step(InnerProblem& problem);
  double search_line(const InnerProblem& problem) const;
  double judge(InnerProblem& problem, double norm);
  double norm_enough(const InnerProblem& problem) const;
  bool promising(const InnerProblem& problem, double norm) const;

  DualHessian hessian_;
  Trail trail_;
  Known known_;
  Trial trial_;

  // Of one solve.
  Vec z_, u_, c_, gradient_;  // the present point
  Vec step_, change_;         // from it, in z and in c
  std::vector<Index> all_, fixed_, unknown_;
  std::vector<signed char> sign_;
  Vec rows_, values_;
};

}  // namespace riata
