#pragma once

#include <span>
#include <tuple>
#include <vector>

#include "loss/loss.hpp"
#include "path/solver_choice.hpp"
#include "penalty/penalty_family.hpp"
#include "solver/curvature_reuse.hpp"
#include "solver/gram_cache.hpp"
#include "solver/inner_solvers.hpp"
#include "solver/path_point.hpp"

namespace riata {

/// Minimises the quadratic model plus the penalty over the working set, by the inner solver that was asked for or, with
/// "auto", by the one that promises to be cheapest.
class WorkingSetSolver {
 public:
  WorkingSetSolver(const Pool& pool, bool use_gram, bool small_means, int threads, const Loss& loss,
                   const PenaltyFamily& penalty, const PathOptions& options, Counters& counters);

  /// The smooth part; its owner says where it is expanded.
  Quadratic& model() { return model_; }
  const Quadratic& model() const { return model_; }
  /// Active-set Newton, for steps of modified Newton too.
  ActiveSetNewton& active_set() { return std::get<ActiveSetNewton>(solvers_); }
  const ActiveSetNewton& active_set() const { return std::get<ActiveSetNewton>(solvers_); }
  /// When the curvature of a loss that is not quadratic is renewed.
  CurvatureReuse& reuse() { return reuse_; }
  const CurvatureReuse& reuse() const { return reuse_; }

  /// Names the working set: positions in the pool and 1 / scale; old number of a feature -> new number or -1.
  void working_set_changed(std::span<const Index> new_number, std::vector<Index> positions,
                           std::vector<double> inv_scale);
  /// The curvature of the model is another one.
  void hessian_changed();

  /// What a solver is asked for at a point.
  struct Task {
    const Penalties& net;
    double tolerance;
    Index max_iter;
    std::span<const Index> entering = {};  // this and what follows: see InnerProblem
    InnerProblem::Enough enough = {};
    bool stale = false;
    double lambda = 0.0;
    bool long_step = false;  // from a point so far away that the cost tells nothing of the next
  };
  /// The solver for penalties of single coefficients.
  Solver choose(const Vec& b, const Penalties& net);
  /// Whether Solver::kNewton is to be used: for all but convex penalties of single coefficients, and with many outputs
  /// when a factor of all that are active would be dear.
  bool uses_blocks(const Vec& b) const;
  /// Moves b, with its c, to the minimum from where the model was last, and notes in `p` which solver did it.
  /// Solver::kNewton stands for whichever the penalty and the option ask for.
  InnerResult solve(PathPoint& p, Solver solver, const Task& task, Vec& b, Vec& c);
  /// See SolverChoice::follow.
  void follow(const WorkingSetSolver& leader) { choice_.follow(leader.choice_); }
  /// Tells "auto" what a step with a new factor has cost.
  void report_factor(double cost, const Vec& b);

  /// The Gram matrix of active features (one output).
  Mat active_gram(std::span<const Index> active);

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(model_);
    std::apply([&](auto&... solvers) { archive(solvers...); }, solvers_);
    archive(active_gram_, choice_, reuse_);
  }

 private:
  SolverChoice::Situation situation(const Vec& b) const;
  Index factor_limit() const;
  bool has_dual(const Penalties& net) const;
  bool uses_samples(const Vec& b, const Penalties& net) const;
  bool may_follow(const Vec& b, const Penalties& net) const;
  template <class Fn>
  void for_each_solver(const Fn& fn) {
    std::apply([&](auto&... solvers) { (fn(static_cast<InnerSolver&>(solvers)), ...); }, solvers_);
  }
  InnerSolver& method(Solver solver);
  InnerSolver& block_method(Solver solver);
  Solver block_solver() const;
  InnerResult solve_blocks(const InnerProblem& problem, Solver solver, Vec& b, Vec& c);
  InnerResult solve_by_samples(PathPoint& p, InnerProblem problem, bool long_step, Vec& b, Vec& c);
  InnerResult solve_by_choice(PathPoint& p, InnerProblem problem, bool long_step, Vec& b, Vec& c);

  const Loss& loss_;
  const PenaltyFamily& penalty_;
  const PathOptions& options_;
  Counters& counters_;
  Quadratic model_;
  InnerSolvers solvers_;
  GramCache active_gram_;
  SolverChoice choice_;
  CurvatureReuse reuse_;
};

}  // namespace riata
