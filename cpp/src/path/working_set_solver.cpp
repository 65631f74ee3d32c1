#include "path/working_set_solver.hpp"

#include <algorithm>
#include <utility>

namespace riata {
namespace {

constexpr double kCoupledFactorCost = 3e9;  // multiplications, for making a factor where outputs are coupled
constexpr Index kFactorLimit = 6000;        // most active features "auto" gives to the Cholesky factor
constexpr Index kRidgedFactorLimit = 1000;  // the same, or twice the rows, when an l2 part keeps descent fast

}  // namespace

WorkingSetSolver::WorkingSetSolver(const Pool& pool, bool use_gram, bool small_means, int threads, const Loss& loss,
                                   const PenaltyFamily& penalty, const PathOptions& options, Counters& counters)
    : loss_(loss),
      penalty_(penalty),
      options_(options),
      counters_(counters),
      model_(pool, options.fit_intercept, use_gram, small_means, threads, loss.outputs()),
      active_set_(options.l1_ratio < 1.0) {}

void WorkingSetSolver::working_set_changed(std::span<const Index> new_number, std::vector<Index> positions,
                                           std::vector<double> inv_scale) {
  const Index K = loss_.outputs();
  if (K > 1) block_newton_.renumber(new_number);
  group_descent_.renumber(new_number);
  sorted_newton_.renumber(new_number);
  active_gram_.renumber(new_number);
  if (penalty_.separable_convex() || penalty_.kind() == PenaltyKind::kConcave) {
    std::vector<Index> new_entry;
    for (const Index w : new_number) {
      for (Index k = 0; k < K; ++k) new_entry.push_back(w < 0 ? -1 : w * K + k);
    }
    active_set_.renumber(new_entry);
  }
  model_.set_working(std::move(positions), std::move(inv_scale));
}

void WorkingSetSolver::hessian_changed() {
  group_descent_.forget();
  sorted_newton_.forget();
  active_gram_.clear();
  active_set_.reset();
}

SolverChoice::Situation WorkingSetSolver::situation(const Vec& b) const {
  const Index active = options_.l1_ratio == 0.0 ? b.size() : (b.array() != 0.0).count();
  return {active, model_.column_cost(), loss_.quadratic() ? 0.0 : reuse_.builds()};
}

/// Most active features "auto" gives to the factor.
Index WorkingSetSolver::factor_limit() const {
  const Index numbers = model_.rows() * loss_.outputs();
  return options_.l1_ratio < 1.0 ? std::clamp(2 * numbers, kRidgedFactorLimit, kFactorLimit) : kFactorLimit;
}

std::string WorkingSetSolver::choose(const Vec& b) {
  if (options_.solver != "auto") return options_.solver;
  const SolverChoice::Situation now = situation(b);
  return now.active > factor_limit() ? "cd" : choice_.next(now);
}

void WorkingSetSolver::report_factor(double cost, const Vec& b) {
  if (options_.solver != "auto") return;
  SolverChoice::Situation now = situation(b);
  now.builds = 1.0;
  choice_.report("homotopy", cost, true, now);
}

/// Descent that "auto" chose may find that the factor would have been cheaper.
InnerResult WorkingSetSolver::solve(PathPoint& p, const std::string& solver, const Task& task, Vec& b, Vec& c,
                                    std::span<const Index> entering) {
  p.solver = solver;
  InnerProblem problem{model_, task.net.entries(), task.tolerance, task.max_iter, counters_, options_.poll};
  if (solver == "prox") {
    return prox_gradient({model_, task.net, task.tolerance, task.max_iter, counters_, options_.poll}, b, c);
  }
  const bool choosing = options_.solver == "auto";
  if (solver == "cd" && !choosing) return coordinate_descent(problem, b, c);
  const SolverChoice::Situation now = situation(b);
  InnerResult result;
  if (solver == "cd") {
    const bool only = now.active > factor_limit();
    problem.max_cost = only ? kInfinity : choice_.budget();
    const Vec b_before = b, c_before = c;
    result = coordinate_descent(problem, b, c);
    choice_.report("cd", result.cost, result.converged, now);
    if (result.converged || only) {
      active_set_.reset();
      return result;
    }
    b = b_before;  // the factor, if there is one, is that of this point
    c = c_before;
    p.solver = "homotopy";
  }
  const Index wasted = result.iterations;
  problem.max_iter -= wasted;
  result = active_set_.solve(problem, b, c, entering);
  if (choosing) choice_.report("homotopy", result.cost, result.converged, now);
  result.iterations += wasted;
  return result;
}

bool WorkingSetSolver::uses_blocks(const Vec& b) const {
  const bool separable = penalty_.separable_convex();
  if (!separable || loss_.outputs() == 1 || options_.solver != "auto") return !separable;
  const double active = static_cast<double>(situation(b).active);
  const double features = std::min(active, static_cast<double>(model_.features()));
  const double numbers = static_cast<double>(model_.rows() * loss_.outputs());
  return active * (features * numbers + active * active / 6.0) > kCoupledFactorCost;
}

InnerResult WorkingSetSolver::solve_blocks(PathPoint& p, const Task& task, Vec& b, Vec& c) {
  const bool descent_only = options_.solver == "cd", prox = options_.solver == "prox";
  p.solver = descent_only ? "cd" : prox ? "prox" : "newton";
  const PenalisedProblem problem{model_,        task.net,     task.tolerance, task.max_iter,     counters_,
                                 options_.poll, descent_only, task.enough,    loss_.symmetric(), task.stale};
  if (prox) return prox_gradient(problem, b, c);
  switch (penalty_.kind()) {
    case PenaltyKind::kConcave:
      p.solver = "cd";
      return coordinate_descent<Concave>(
          {model_, task.net.concave(), task.tolerance, task.max_iter, counters_, options_.poll}, b, c);
    case PenaltyKind::kGroups:
      if (loss_.outputs() > 1) p.solver = "prox";
      return solve_groups(problem, b, c);
    case PenaltyKind::kSlope:
      return sorted_newton_.solve(problem, b, c);
    default:
      return block_newton_.solve(problem, b, c);
  }
}

/// Of one output by descent; where columns are so correlated that it hardly moves, proximal gradient steps have the
/// rest.
InnerResult WorkingSetSolver::solve_groups(const PenalisedProblem& problem, Vec& b, Vec& c) {
  if (loss_.outputs() > 1) return prox_gradient(problem, b, c);
  const InnerResult result = group_descent_.solve(problem, b, c);
  if (result.converged || problem.descent_only || result.iterations >= problem.max_iter) return result;
  PenalisedProblem again = problem;
  again.max_iter -= result.iterations;
  InnerResult rest = prox_gradient(again, b, c);
  rest.iterations += result.iterations;
  return rest;
}

Mat WorkingSetSolver::active_gram(std::span<const Index> active) {
  active_gram_.cover(model_, active);
  return active_gram_.of(active);
}

}  // namespace riata
