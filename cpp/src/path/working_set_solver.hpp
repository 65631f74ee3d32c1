#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "path/solver_choice.hpp"
#include "penalty/penalty_family.hpp"
#include "riata/loss/loss.hpp"
#include "riata/solver/block_newton.hpp"
#include "riata/solver/group_descent.hpp"
#include "riata/solver/inner.hpp"
#include "riata/solver/sorted_newton.hpp"
#include "solver/curvature_reuse.hpp"
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
  ActiveSet& active_set() { return active_set_; }
  const ActiveSet& active_set() const { return active_set_; }
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
    PenalisedProblem::Enough enough = {};
    bool stale = false;  // see PenalisedProblem
  };
  /// The name of a solver for penalties of single coefficients.
  std::string choose(const Vec& b);
  /// Whether solve_blocks() is to be used: for all but convex penalties of single coefficients, and with many outputs
  /// when a factor of all that are active would be dear.
  bool uses_blocks(const Vec& b) const;
  /// Both move b, with its c, to the minimum from where the model was last, and note in `p` which solver did it.
  InnerResult solve(PathPoint& p, const std::string& solver, const Task& task, Vec& b, Vec& c,
                    std::span<const Index> entering);
  InnerResult solve_blocks(PathPoint& p, const Task& task, Vec& b, Vec& c);
  /// Tells "auto" what a step with a new factor has cost.
  void report_factor(double cost, const Vec& b);

  /// The Gram matrix of active features (one output).
  Mat active_gram(std::span<const Index> active);

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(model_, active_set_, block_newton_, sorted_newton_, active_gram_, choice_, reuse_);
  }

 private:
  SolverChoice::Situation situation(const Vec& b) const;
  Index factor_limit() const;
  InnerResult solve_groups(const PenalisedProblem& problem, Vec& b, Vec& c);

  const Loss& loss_;
  const PenaltyFamily& penalty_;
  const PathOptions& options_;
  Counters& counters_;
  Quadratic model_;
  ActiveSet active_set_;
  BlockNewton block_newton_;
  GroupDescent group_descent_;
  SortedNewton sorted_newton_;
  HeldGram active_gram_;
  SolverChoice choice_;
  CurvatureReuse reuse_;
};

}  // namespace riata
