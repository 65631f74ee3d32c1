#pragma once

#include <functional>
#include <span>

#include "penalty/penalties.hpp"
#include "riata/counters.hpp"
#include "solver/quadratic.hpp"

/// The seam between a path and the methods that solve its problem on the working set.
namespace riata {

/// What inner solvers are asked: minimise q(b) + penalty(b) over the working set, starting at b, until no KKT condition
/// is violated by more than `tolerance` (in units of the gradient).
struct InnerProblem {
  /// At most 1 when b, with its c, will do whatever the tolerance says.
  using Enough = std::function<double(const Vec& b, const Vec& c)>;

  Quadratic& model;
  const Penalties& penalty;
  double tolerance;
  Index max_iter;
  Counters& counters;
  const Poll& poll;  // called at the start of each iteration

  Enough enough = {};
  std::span<const Index> entering = {};  // coefficients expected to become active: a hint that saves a round
  double max_cost = kInfinity;           // coordinate descent gives up beyond this (see InnerResult::cost)
  bool descent_only = false;             // no Newton steps
  bool symmetric = false;                // see Loss::symmetric()
  bool stale = false;                    // c is of a point before b (group descent only)
  double lambda = 0.0;                   // of the penalty (dual Newton only)
};

/// The objective, given c at b.
inline double objective(const InnerProblem& problem, const Vec& b, const Vec& c) {
  return problem.model.value(b, c) + problem.penalty.value(b);
}

/// Outcome of an inner solver.
struct InnerResult {
  bool converged = false;
  Index iterations = 0;
  double cost = 0.0;  // counted operations in rough nanoseconds: for choosing a solver, not for clocks
};

/// A method for the problem on the working set. The interface is crossed once a solve: what an implementation does
/// in its iterations is not virtual. What it keeps between solves is part of a checkpoint, by a member
/// `template <class Archive> void state(Archive&)`; what it works on is handed to archive.rooms() there, so that it is
/// counted (tests/cpp/test_held_memory.cpp).
///
/// Iterations allocate nothing: what they work on is a member (Room, std::vector), which grows where more is active
/// than ever before, and what follows from the curvature alone (Gram entries, bases of groups) is made when it is first
/// asked for. tests/cpp/test_allocations.cpp has a case for each solver: solves that are made a second time allocate
/// nothing from one poll to the next. That leaves out what is not the solver's: products with the columns, in which a
/// storage may allocate; a coupled curvature, in which a loss may; and the buffers, once they pass 128 KB, into which
/// Eigen packs matrices when BlockNewton makes its preconditioner.
class InnerSolver {
 public:
  virtual ~InnerSolver() = default;

  /// Starts at b, which is the model's current point, with c, the correlations there; ends with c right on the whole
  /// working set.
  virtual InnerResult solve(InnerProblem problem, Vec& b, Vec& c) = 0;
  /// The working set has other features: old number -> new number or -1. Each has `outputs` coefficients.
  virtual void working_set_changed(std::span<const Index> new_number, Index outputs) = 0;
  /// The model has another curvature.
  virtual void hessian_changed() = 0;
};

}  // namespace riata
