#include "path/working_set_solver.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace riata {
namespace {

constexpr double kCoupledFactorCost = 3e9;  // multiplications, for making a factor where outputs are coupled
constexpr Index kFactorLimit = 12'000;      // most active features "auto" gives to the Cholesky factor,
constexpr Index kBoundFactorLimit = 6000;   // where an l2 part makes it anew at each lambda, or memory is short
constexpr Index kRidgedFactorLimit = 1000;  // the same, or twice the rows, when an l2 part keeps descent fast
constexpr Index kFewestSamples = 32, kMostSamples = 2000;  // rows with which "auto" goes to the dual
constexpr double kSampleShare = 1.1;                       // of the rows, that has to be active,
constexpr double kCurvedSampleShare = 0.75;                // where the factor is made anew for each curvature as well,
constexpr double kFollowShare = 0.5;   // and from which on the dual takes note of where it might have to start
constexpr double kMemoryShare = 0.02;  // of the memory, that the dual may take: each fold has its own

}  // namespace

WorkingSetSolver::WorkingSetSolver(const Pool& pool, bool use_gram, bool small_means, int threads, const Loss& loss,
                                   const PenaltyFamily& penalty, const PathOptions& options, Counters& counters)
    : loss_(loss),
      penalty_(penalty),
      options_(options),
      counters_(counters),
      model_(pool, options.fit_intercept, use_gram, small_means, threads, loss.outputs()) {
  active_set() = ActiveSetNewton(options.l1_ratio < 1.0);
}

void WorkingSetSolver::working_set_changed(std::span<const Index> new_number, std::vector<Index> positions,
                                           std::vector<double> inv_scale) {
  for_each_solver([&](InnerSolver& solver) { solver.working_set_changed(new_number, loss_.outputs()); });
  active_gram_.working_set_changed(new_number);
  model_.set_working(std::move(positions), std::move(inv_scale));
}

void WorkingSetSolver::hessian_changed() {
  for_each_solver([](InnerSolver& solver) { solver.hessian_changed(); });
  active_gram_.invalidate();
}

SolverChoice::Situation WorkingSetSolver::situation(const Vec& b) const {
  const Index active = options_.l1_ratio == 0.0 ? b.size() : (b.array() != 0.0).count();
  return {active, model_.column_cost(), loss_.quadratic() ? 0.0 : reuse_.builds()};
}

/// Most active features "auto" gives to the factor.
Index WorkingSetSolver::factor_limit() const {
  const Index numbers = model_.rows() * loss_.outputs();
  if (options_.l1_ratio < 1.0) return std::clamp(2 * numbers, kRidgedFactorLimit, kBoundFactorLimit);
  if (options_.memory == 0.0) return kFactorLimit;
  const double room = std::sqrt(options_.memory / 8.0);  // k^2 / 2 numbers in half of it
  return room < static_cast<double>(kFactorLimit) ? std::max(static_cast<Index>(room), kBoundFactorLimit)
                                                  : kFactorLimit;
}

/// Whether the dual may be used, however many are active.
bool WorkingSetSolver::has_dual(const Penalties& net) const {
  const Index n = model_.rows();
  if (n < kFewestSamples || n > kMostSamples) return false;
  if (options_.memory > 0.0 && DualNewton::memory(n) > kMemoryShare * options_.memory) return false;
  return DualNewton::handles(model_, net);
}

/// Whether the dual is the smaller problem, and fits.
bool WorkingSetSolver::uses_samples(const Vec& b, const Penalties& net) const {
  const double share = loss_.quadratic() ? kSampleShare : kCurvedSampleShare;
  return static_cast<double>(situation(b).active) >= share * static_cast<double>(model_.rows()) && has_dual(net);
}

/// Whether the next lambda may be the dual's.
bool WorkingSetSolver::may_follow(const Vec& b, const Penalties& net) const {
  return options_.solver == Solver::kAuto && options_.l1_ratio < 1.0 &&
         static_cast<double>(situation(b).active) >= kFollowShare * static_cast<double>(model_.rows()) && has_dual(net);
}

Solver WorkingSetSolver::choose(const Vec& b, const Penalties& net) {
  if (options_.solver != Solver::kAuto) return options_.solver;
  if (uses_samples(b, net)) return Solver::kSamples;
  const SolverChoice::Situation now = situation(b);
  return now.active > factor_limit() ? Solver::kDescent : choice_.next(now);
}

void WorkingSetSolver::report_factor(double cost, const Vec& b) {
  if (options_.solver != Solver::kAuto) return;
  SolverChoice::Situation now = situation(b);
  now.builds = 1.0;
  choice_.report(Solver::kActiveSet, cost, true, now);
}

bool WorkingSetSolver::uses_blocks(const Vec& b) const {
  const bool separable = penalty_.separable_convex();
  if (!separable || loss_.outputs() == 1 || options_.solver != Solver::kAuto) return !separable;
  const double active = static_cast<double>(situation(b).active);
  const double features = std::min(active, static_cast<double>(model_.features()));
  const double numbers = static_cast<double>(model_.rows() * loss_.outputs());
  return active * (features * numbers + active * active / 6.0) > kCoupledFactorCost;
}

InnerResult WorkingSetSolver::solve(PathPoint& p, Solver solver, const Task& task, Vec& b, Vec& c) {
  InnerProblem problem{model_, task.net, task.tolerance, task.max_iter, counters_, options_.poll};
  problem.enough = task.enough;
  problem.entering = task.entering;
  problem.stale = task.stale;
  problem.lambda = task.lambda;
  problem.symmetric = loss_.symmetric();
  p.solver = solver == Solver::kNewton ? block_solver() : solver;
  if (solver == Solver::kNewton) return solve_blocks(problem, p.solver, b, c);
  if (solver == Solver::kSamples) return solve_by_samples(p, problem, task.long_step, b, c);
  if (may_follow(b, task.net)) std::get<DualNewton>(solvers_).follow(problem, c);
  const bool chosen = options_.solver == Solver::kAuto && solver != Solver::kProximal;
  return chosen ? solve_by_choice(p, problem, task.long_step, b, c) : method(solver).solve(problem, b, c);
}

/// The method for penalties of single coefficients.
InnerSolver& WorkingSetSolver::method(Solver solver) {
  switch (solver) {
    case Solver::kDescent:
      return std::get<CoordinateDescent>(solvers_);
    case Solver::kProximal:
      return std::get<ProximalGradient>(solvers_);
    default:
      return active_set();
  }
}

/// And for others, and for outputs that share what they cost.
InnerSolver& WorkingSetSolver::block_method(Solver solver) {
  if (solver == Solver::kProximal) return method(solver);
  switch (penalty_.kind()) {
    case PenaltyKind::kConcave:
      return std::get<CoordinateDescent>(solvers_);
    case PenaltyKind::kGroups:
      return std::get<GroupDescent>(solvers_);
    case PenaltyKind::kSlope:
      return std::get<SlopeNewton>(solvers_);
    case PenaltyKind::kSeparable:
    case PenaltyKind::kRows:
      return std::get<BlockNewton>(solvers_);
    default:
      return method(Solver::kProximal);
  }
}

/// What is reported of block_method().
Solver WorkingSetSolver::block_solver() const {
  const bool groups_of_outputs = penalty_.kind() == PenaltyKind::kGroups && loss_.outputs() > 1;
  if (options_.solver == Solver::kProximal || groups_of_outputs) return Solver::kProximal;
  if (options_.solver == Solver::kDescent || penalty_.kind() == PenaltyKind::kConcave) return Solver::kDescent;
  return Solver::kNewton;
}

/// Where the columns of groups are so correlated that descent hardly moves, proximal gradient steps have the rest.
InnerResult WorkingSetSolver::solve_blocks(const InnerProblem& problem, Solver solver, Vec& b, Vec& c) {
  InnerProblem mine = problem;
  mine.descent_only = solver == Solver::kDescent;
  const InnerResult result = block_method(solver).solve(mine, b, c);
  const bool groups = penalty_.kind() == PenaltyKind::kGroups && solver == Solver::kNewton;
  if (!groups || result.converged || result.iterations >= problem.max_iter) return result;
  InnerProblem again = problem;
  again.max_iter -= result.iterations;
  InnerResult rest = method(Solver::kProximal).solve(again, b, c);
  rest.iterations += result.iterations;
  return rest;
}

/// By the dual or, should that fail, by the others.
InnerResult WorkingSetSolver::solve_by_samples(PathPoint& p, InnerProblem problem, bool long_step, Vec& b, Vec& c) {
  const InnerResult result = std::get<DualNewton>(solvers_).solve(problem, b, c);
  active_set().invalidate();
  if (result.converged) return result;
  problem.max_iter = std::max<Index>(problem.max_iter - result.iterations, 0);
  const SolverChoice::Situation now = situation(b);
  p.solver = now.active > factor_limit() ? Solver::kDescent : choice_.next(now);
  InnerResult rest = solve_by_choice(p, problem, long_step, b, c);
  rest.iterations += result.iterations;
  return rest;
}

/// By the factor or, where that is dear, by descent, which may find that the factor would have been cheaper.
InnerResult WorkingSetSolver::solve_by_choice(PathPoint& p, InnerProblem problem, bool long_step, Vec& b, Vec& c) {
  const SolverChoice::Situation now = situation(b);
  InnerResult result;
  if (p.solver == Solver::kDescent) {
    const bool only = now.active > factor_limit();
    problem.max_cost = only ? kInfinity : choice_.budget();
    const Vec b_before = b, c_before = c;
    result = method(Solver::kDescent).solve(problem, b, c);
    choice_.report(Solver::kDescent, result.cost, result.converged, now);
    if (result.converged || only) {
      active_set().invalidate();
      return result;
    }
    b = b_before;  // the factor, if there is one, is that of this point
    c = c_before;
    p.solver = Solver::kActiveSet;
  }
  const Index wasted = result.iterations;
  problem.max_iter -= wasted;
  result = active_set().solve(problem, b, c);
  if (!long_step) choice_.report(Solver::kActiveSet, result.cost, result.converged, now);
  result.iterations += wasted;
  return result;
}

Mat WorkingSetSolver::active_gram(std::span<const Index> active) {
  active_gram_.ensure(model_, active);
  Mat out(static_cast<Index>(active.size()), static_cast<Index>(active.size()));
  active_gram_.block(active, out);
  return out;
}

}  // namespace riata
