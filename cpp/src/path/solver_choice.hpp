#pragma once

#include "riata/solver.hpp"
#include "riata/types.hpp"

namespace riata {

/// Which inner solver "auto" uses next, from predicted cost. A factor of k features costs k^2 a solve and an update,
/// and more when it has to be built; coordinate descent costs its updates, few on a nearly orthogonal support, very
/// many on a correlated one. That number cannot be known beforehand: where the factor has become dear, descent is tried
/// with that as its budget, and kept as long as it is the cheaper one. Costs are counted operations in rough
/// nanoseconds, never measured time, so that the choice is the same on every machine and for any number of threads.
class SolverChoice {
 public:
  /// `active` features now, `column_cost` of one product with a working-set column; `builds` is the share of solves
  /// that start with a new factor (changing curvature).
  struct Situation {
    Index active;
    double column_cost;
    double builds;
  };

  /// Solver::kActiveSet or kDescent; then budget() is what the solver may spend.
  Solver next(const Situation& now);
  double budget() const { return budget_; }
  /// What the solver chosen by next() spent, and whether it got there. After a failure the caller runs the former.
  void report(Solver solver, double cost, bool converged, const Situation& now);
  /// Of problems that are alike one finds out for all: this one tries descent only while that one goes by it.
  void follow(const SolverChoice& leader) { held_ = !leader.descending_; }

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(descending_, per_square_, last_descent_, budget_, wait_, backoff_);
  }

 private:
  double factor_cost(const Situation& now) const;
  static double build_cost(const Situation& now);

  bool descending_ = false, held_ = false;
  double per_square_ = 2.0;  // cost of the factor over active^2, as last seen
  double last_descent_ = 0.0;
  double budget_ = 0.0;
  Index wait_ = 0, backoff_ = 4;  // solves until descent may be tried again
};

}  // namespace riata
