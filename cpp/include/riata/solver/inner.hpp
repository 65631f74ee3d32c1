#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "riata/counters.hpp"
#include "riata/penalty/concave.hpp"
#include "riata/penalty/elastic_net.hpp"
#include "riata/solver/gram_factor.hpp"
#include "riata/solver/quadratic.hpp"

namespace riata {

/// What inner solvers are asked where each coefficient has a penalty P of its own: minimise q(b) + sum_w
/// penalty_w(b_w), starting at b, until no KKT condition of the working set is violated by more than `tolerance` (in
/// units of the gradient).
template <class P>
struct SeparateProblem {
  Quadratic& model;
  std::span<const P> penalty;
  double tolerance;
  Index max_iter;
  Counters& counters;
  const Poll& poll;
  double max_cost = kInfinity;  // coordinate descent gives up beyond this (see InnerResult::cost)
};
using InnerProblem = SeparateProblem<ElasticNet>;

/// Outcome of an inner solver; b and c (the correlations at b, on the whole working set) are passed by reference.
struct InnerResult {
  bool converged = false;
  Index iterations = 0;
  double cost = 0.0;  // counted operations in rough nanoseconds: for choosing a solver, not for clocks
};

/// Largest KKT violation over the working set.
template <class P>
double worst_violation(std::span<const P> penalty, const Vec& b, const Vec& c) {
  double worst = 0.0;
  for (std::size_t w = 0; w < penalty.size(); ++w) {
    const Index i = static_cast<Index>(w);
    worst = std::max(worst, penalty[w].kkt_violation(b[i], c[i]));
  }
  return worst;
}

/// Objective q(b) + penalty, given c at b.
template <class P>
double objective(const SeparateProblem<P>& problem, const Vec& b, const Vec& c) {
  double sum = problem.model.value(b, c);
  for (std::size_t w = 0; w < problem.penalty.size(); ++w) sum += problem.penalty[w].value(b[static_cast<Index>(w)]);
  return sum;
}

/// "homotopy": Newton on the active features with their signs fixed, features entering and leaving a Cholesky factor
/// that is kept from one lambda to the next (feature-sign search, Lee et al. 2007; active-set Newton with the factor
/// updates of Osborne et al. 2000). Each round solves exactly on the active set, clips what crosses zero or a bound,
/// and adds what violates; if rounds stop decreasing the objective it goes over to one change at a time with an exact
/// ratio test, which terminates.
class ActiveSet {
 public:
  /// `ridge_changes`: the l2 part of the penalties will differ between calls (elastic net down a path).
  explicit ActiveSet(bool ridge_changes) : factor_(ridge_changes) {}

  /// Features kept in the factor, as working-set numbers.
  const std::vector<Index>& features() const { return active_; }
  /// Renumbers after the working set changed: old number -> new number.
  void renumber(std::span<const Index> new_number);
  /// Forgets the factor (the curvature changed); the next solve builds it from the support of b.
  void reset();

  /// `entering` (may be empty) are features expected to become active: a hint that saves a round.
  InnerResult solve(InnerProblem problem, Vec& b, Vec& c, std::span<const Index> entering);

  /// Goes on with the factor under these penalties: true if there is one, it takes their ridge terms and is not worn
  /// out (it may be made anew from its Gram matrix); else it is forgotten.
  bool take_up(std::span<const ElasticNet> penalty);

  /// One step of modified Newton: moves b to the minimum of the model over the active features on their sides, after
  /// `entering` have joined them or, with none and c known `everywhere`, the features that violate most. c is needed
  /// on the active features and on those entering; no product with columns is taken but for the factor. `length` times
  /// the way is gone: 1 where the curvature is right.
  InnerResult step(InnerProblem problem, Vec& b, Vec c, std::span<const Index> entering, bool everywhere,
                   double length);

  /// See path/archive.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(active_, side_, factor_);
  }

 private:
  struct Side {
    double low, high, sign;
  };
  static Side side_of(const ElasticNet& penalty, double b, bool upwards);
  void build(InnerProblem& problem, const Vec& b, const Vec& c);
  std::vector<Index> enter(InnerProblem& problem, const Vec& b, const Vec& c, std::span<const Index> features);
  bool exchange(InnerProblem& problem, Vec& b, const Vec& c, Index w);
  std::vector<Index> move(Vec& b, const Vec& step, bool careful) const;
  void leave(Counters& counters, Index position);
  void begin(InnerProblem& problem, const Vec& b, const Vec& c);
  void mark_active(Index size);
  double residual(const InnerProblem& problem, const Vec& b, const Vec& c, Vec& out) const;
  bool stays_inside(const Vec& b, const Vec& step) const;
  bool advance(InnerProblem& problem, Vec& b, Vec& c, Vec& step, double length, bool careful);
  std::vector<Index> violating(const InnerProblem& problem, const Vec& b, const Vec& c, std::size_t limit) const;
  std::size_t most_entering() const;

  std::vector<Index> active_;
  std::vector<Side> side_;
  std::vector<char> is_active_;
  GramFactor factor_;
  Mat gram_;  // scratch
  double cost_ = 0.0;
};

/// "cd": cyclic coordinate descent (Friedman et al. 2010) with Anderson extrapolation (Bertrand & Massias 2021), on the
/// Gram matrix when the model keeps one, else on the columns. For penalties that are not convex each step goes to the
/// global minimum over its coefficient (Breheny & Huang 2011), and the end is a stationary point.
template <class P>
InnerResult coordinate_descent(SeparateProblem<P> problem, Vec& b, Vec& c);
extern template InnerResult coordinate_descent(SeparateProblem<ElasticNet>, Vec&, Vec&);
extern template InnerResult coordinate_descent(SeparateProblem<Concave>, Vec&, Vec&);

}  // namespace riata
