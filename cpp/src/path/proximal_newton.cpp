#include "path/proximal_newton.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

namespace riata {
namespace {

constexpr int kStallsBeforeExact = 3;              // steps without progress before the model is solved exactly
constexpr int kMaxStalls = 12;                     // and before giving up
constexpr double kShortest = 0.2, kLongest = 3.0;  // lengths that a step may be given in place of 1
constexpr double kTooFar = 30.0;                   // times what was left, that a step with features stopped may leave
constexpr Index kNewtonSteps = 1000;
constexpr Index kConcaveSteps = 300;  // where nothing may bound an unpenalised coefficient

/// The l1 norm that lies above a concave penalty and touches it at b (local linear approximation, Zou & Li 2008): what
/// lowers that in its place lowers the objective.
Penalties tangent_penalties(const Penalties& net, const Vec& b) {
  std::vector<ElasticNet> out;
  for (Index w = 0; w < net.units(); ++w) out.push_back({net.slope(w, std::abs(b[w])), 0.0});
  return Penalties(std::move(out));
}

}  // namespace

/// Where the method stands, next to what PathPoint holds (b, g, eta, u, c).
struct ProximalNewton::At {
  Penalties net;
  Vec base;               // eta without the intercepts
  Vec h;                  // curvature at eta
  double value, penalty;  // objective, and the penalty's part of it
  bool from_data = true;  // base is a product with the columns, not a combination of such
  bool complete = true;   // c is known on the whole working set, else on the active features only
  double last_worst = kInfinity;
};

Index ProximalNewton::iterations_left(const PathPoint& p) const {
  return std::max<Index>(fit_.options.max_iter - p.iterations, 0);
}

ProximalNewton::At ProximalNewton::begin(const PathPoint& p) const {
  At at;
  at.net = fit_.penalty.at(fit_.work.features(), p.lambda);
  at.base = p.eta;
  const Index n = p.eta.size() / fit_.loss.outputs();
  for (Index k = 0; k < fit_.loss.outputs(); ++k) at.base.segment(k * n, n).array() -= p.g[k];
  at.penalty = at.net.value(p.b);
  at.value = fit_.loss.value(p.eta) + at.penalty;
  return at;
}

void ProximalNewton::solve(PathPoint& p, std::span<const Index> entering, const Vec* ahead) {
  At at = begin(p);
  fit_.loss.derivatives(p.eta, p.u, at.h);
  std::vector<Index> all(static_cast<std::size_t>(at.net.units()));
  std::iota(all.begin(), all.end(), Index{0});
  if (fit_.solver.uses_blocks(p.b)) {
    fit_.solver.active_set().invalidate();
    p.solver = Solver::kNewton;
    if (ahead != nullptr && search_line(at, p, *ahead, false) > 0.0) complete(at, p);
  }
  fit_.solver.reuse().begin();
  double least[2] = {kInfinity, kInfinity};  // distance so far: on the active features, on all
  double last_value = kInfinity;
  int stalls = 0;
  const Index most = at.net.convex() ? kNewtonSteps : kConcaveSteps;
  for (Index step = 0; step < most && iterations_left(p) > 0; ++step) {
    if (fit_.options.poll) fit_.options.poll();
    double left = distance(at, p, at.complete ? std::span<const Index>(all) : fit_.solver.active_set().features());
    if (!at.complete && (step == 1 || left <= 1.0 || completes_cheaply(p))) {
      complete(at, p);
      left = distance(at, p, all);
    }
    if (at.complete && left <= 1.0) break;
    // Against the least so far, not the last: a feature may enter and leave in turns.
    double& best = least[at.complete ? 1 : 0];
    const bool progress = left < 0.5 * best || at.value < last_value - 1e-10 * std::abs(last_value);
    stalls = progress ? 0 : stalls + 1;
    if (stalls > kMaxStalls) break;
    best = std::min(best, left);
    last_value = at.value;
    if (take_step(at, p, step == 0, entering, left, stalls) == 0.0) break;
  }
  finish(at, p);
}

/// One step with the factor or, where that does not do, with the whole model. Returns the fraction gone, 0 for none.
double ProximalNewton::take_step(At& at, PathPoint& p, bool first, std::span<const Index> entering, double left,
                                 int stalls) {
  const bool blocks = fit_.solver.uses_blocks(p.b), patient = stalls < kStallsBeforeExact;
  const bool kept =
      !blocks && patient && fit_.solver.active_set().try_reuse(at.net.entries()) && !fit_.solver.reuse().due(left);
  const Solver solver = blocks ? Solver::kNewton : kept ? Solver::kActiveSet : fit_.solver.choose(p.b, at.net);
  double fraction = 0.0;
  if (solver == Solver::kActiveSet && patient) {
    // On arrival at a new lambda the active features move first: most that seem to violate then do not.
    const bool arriving = first && at.penalty > 0.0;
    fraction = factor_step(at, p, kept, arriving ? entering : std::span<const Index>{}, !arriving && at.complete, left);
  }
  return fraction == 0.0 ? model_step(at, p, solver) : fraction;
}

void ProximalNewton::finish(At& at, PathPoint& p) const {
  if (!at.complete) complete(at, p);
  if (!at.from_data) {
    p.eta = fit_.predictor.without_intercepts(p.b);
    const Index n = p.eta.size() / fit_.loss.outputs();
    for (Index k = 0; k < fit_.loss.outputs(); ++k) p.eta.segment(k * n, n).array() += p.g[k];
  }
  p.evaluated = true;
}

double ProximalNewton::distance(const At& at, const PathPoint& p, std::span<const Index> units) const {
  return fit_.rule.distance(at.net, p.b, p.c, units, p.lambda,
                            [&](double scale) { return fit_.loss.scaling_gap(p.eta, p.u, at.h, scale); });
}

/// Whether the loss couples rows, where a factor costs many steps.
bool ProximalNewton::rows_coupled() const {
  return fit_.loss.outputs() == 1 && fit_.solver.model().coupled();
}

/// Whether c on the entries outside the factor costs little beside a step: then a feature that is missing is seen
/// before the others have settled without it.
bool ProximalNewton::completes_cheaply(const PathPoint& p) const {
  const Index active = static_cast<Index>(fit_.solver.active_set().features().size());
  return rows_coupled() && 2 * (p.b.size() - active) <= active;
}

/// c on the entries outside the factor.
void ProximalNewton::complete(At& at, PathPoint& p) const {
  std::vector<char> known(static_cast<std::size_t>(p.c.size()), 0);
  for (Index e : fit_.solver.active_set().features()) known[static_cast<std::size_t>(e)] = 1;
  std::vector<Index> rest;
  for (std::size_t e = 0; e < known.size(); ++e) {
    if (!known[e]) rest.push_back(static_cast<Index>(e));
  }
  fit_.columns.correlate_entries(fit_.work.features(), p.u, rest, p.c);
  at.complete = true;
}

/// Takes up the curvature at the present point.
void ProximalNewton::renew_model(const At& at, const PathPoint& p, bool majorize) {
  const Vec h = fit_.loss.model_curvature(p.eta, at.h, majorize);
  auto coupling = fit_.loss.curvature(p.eta, Loss::kFlattest, fit_.predictor.intercept());
  if (coupling) coupled_at_ = p.eta;
  fit_.solver.model().expand(&h, p.u, p.b, p.c, std::move(coupling));
  fit_.solver.hessian_changed();
}

/// The model's curvature is no part of its state where it couples rows: it follows from where it was taken.
void ProximalNewton::couple_again() {
  if (coupled_at_.size() > 0)
    fit_.solver.model().couple(fit_.loss.curvature(coupled_at_, Loss::kFlattest, fit_.predictor.intercept()));
}

/// One step of the active features with the curvature that is `kept`, or else a new one. Returns the fraction of it
/// that the line search took; with 0 nothing has changed. `left` is the distance before it.
double ProximalNewton::factor_step(At& at, PathPoint& p, bool kept, std::span<const Index> entering, bool everywhere,
                                   double left) {
  if (!kept) renew_model(at, p, false);
  const Index size_before = static_cast<Index>(fit_.solver.active_set().features().size());
  const double found = distance(at, p, fit_.solver.active_set().features());
  Vec b = p.b;
  InnerProblem problem{fit_.solver.model(), at.net,    fit_.rule.kkt_tolerance(p.lambda),
                       iterations_left(p),  counters_, fit_.options.poll};
  problem.entering = entering;
  const InnerResult inner = fit_.solver.active_set().step(problem, b, p.c, everywhere, fit_.solver.reuse().length());
  p.iterations += inner.iterations;
  p.solver = Solver::kActiveSet;
  if (!kept) {
    fit_.solver.reuse().renewed(inner.cost);
    fit_.solver.report_factor(inner.cost, p.b);
  }
  const bool free = inner.converged;
  const bool doubtful = kept && !free && rows_coupled();
  const At at_before = doubtful ? at : At();
  const PathPoint before = doubtful ? p : PathPoint();
  const double fraction = search_line(at, p, b, free);
  if (fraction < kShortest) fit_.solver.active_set().invalidate();
  if (fraction == 0.0) return fraction;
  if (free) fit_.solver.reuse().stretch(fraction);
  fit_.columns.correlate_entries(fit_.work.features(), p.u, fit_.solver.active_set().features(), p.c);
  if (doubtful && distance(at, p, fit_.solver.active_set().features()) > kTooFar * left) {
    // With as many active features as events, those that are stopped leave the others where they hold nothing up.
    at = at_before;
    p = before;
    fit_.solver.active_set().invalidate();
    return 0.0;
  }
  at.complete = false;
  const Index size = static_cast<Index>(fit_.solver.active_set().features().size());
  const double products = static_cast<double>(2 * size) * fit_.solver.model().column_cost();
  fit_.solver.reuse().stepped(products + 0.35 * static_cast<double>(size * size), found,
                              distance(at, p, fit_.solver.active_set().features()),
                              kept && free && size == size_before);
  return fraction;
}

/// Whether the model plus the penalty is convex in each coefficient by itself.
bool ProximalNewton::coordinates_convex(const Penalties& net) {
  const Vec& diagonal = fit_.solver.model().diagonal();
  for (Index w = 0; !net.convex() && w < net.units(); ++w) {
    if (diagonal[w] <= 1.01 * net.concavity(w)) return false;
  }
  return true;
}

/// One step to the minimum of the model with the present curvature over the whole working set.
double ProximalNewton::model_step(At& at, PathPoint& p, Solver solver) {
  if (!at.complete) complete(at, p);
  renew_model(at, p, true);
  const double worst = at.net.worst_violation(p.b, p.c), tolerance = fit_.rule.kkt_tolerance(p.lambda);
  const bool slow = worst > 0.3 * at.last_worst;
  at.last_worst = std::min(worst, at.last_worst);
  const double target = std::max(0.5 * tolerance, 0.03 * std::min(worst, worst * worst / (at.last_worst + tolerance)));
  const bool concave = solver == Solver::kNewton && !at.net.convex();
  double fraction = 0.0;
  // Where rows are coupled descent is dear, but tangents only converge linearly.
  if (!concave || ((slow || !fit_.solver.model().coupled()) && coordinates_convex(at.net)))
    fraction = inner_step(at, p, solver, target, false);
  if (fraction == 0.0 && concave) fraction = inner_step(at, p, solver, target, true);
  if (fraction < 1.0) fit_.solver.active_set().invalidate();
  fit_.columns.correlate_entries(fit_.work.features(), p.u, fit_.solver.active_set().features(), p.c);
  complete(at, p);
  return fraction;
}

/// The minimum of the model, with the penalty or with its tangent, and a line search towards it.
double ProximalNewton::inner_step(At& at, PathPoint& p, Solver solver, double target, bool tangent) {
  const Penalties stand_in = tangent ? tangent_penalties(at.net, p.b) : Penalties();
  WorkingSetSolver::Task task{tangent ? stand_in : at.net, target, iterations_left(p)};
  task.lambda = p.lambda;
  Vec b = p.b, c = p.c;
  const InnerResult inner = fit_.solver.solve(p, tangent ? fit_.solver.choose(b, stand_in) : solver, task, b, c);
  p.iterations += inner.iterations;
  if (p.solver == Solver::kActiveSet) fit_.solver.reuse().renewed(inner.cost);
  return search_line(at, p, b, false);
}

/// change' F'' change at the present point, with the intercept minimised out.
double ProximalNewton::curvature_along(const At& at, const PathPoint& p, const Vec& change) const {
  if (const auto coupled = fit_.loss.curvature(p.eta, 0.0, fit_.predictor.intercept())) {
    Vec image = change;
    coupled->multiply(image);
    return change.dot(image);
  }
  const double centre = fit_.predictor.intercept() ? at.h.dot(change) / at.h.sum() : 0.0;
  return at.h.dot((change.array() - centre).square().matrix());
}

/// Where the model along p.b + s (b - p.b), with the curvature at p.b, is least; the penalty keeps its slopes.
double ProximalNewton::best_fraction(const At& at, const PathPoint& p, const Vec& b, const Vec& change,
                                     double slope) const {
  const auto net = at.net.entries();
  double ridge = 0.0;
  for (std::size_t w = 0; w < net.size(); ++w) {
    const double d = b[static_cast<Index>(w)] - p.b[static_cast<Index>(w)];
    ridge += net[w].l2 * d * d;
  }
  const double curvature = curvature_along(at, p, change) + ridge;
  double most = kLongest;
  for (std::size_t w = 0; w < net.size(); ++w) {
    const double from = p.b[static_cast<Index>(w)], d = b[static_cast<Index>(w)] - from;
    if (d == 0.0) continue;
    const double end = (net[w].l1 > 0.0 && from * d < 0.0) ? 0.0 : d > 0.0 ? net[w].upper : net[w].lower;
    most = std::min(most, (end - from) / d);
  }
  const double best = -(slope - 0.5 * ridge) / curvature;
  return most > 1.0 && best > kShortest ? std::min(best, 0.5 * (1.0 + most)) : 1.0;
}

/// Goes from p.b towards b until the objective has fallen enough (Armijo), with the intercept solved for at every
/// trial. When b is a `free` step, one that no feature stopped, the length of it is chosen anew. Updates b, g, eta and
/// u; returns the fraction gone, 0 for none.
double ProximalNewton::search_line(At& at, PathPoint& p, const Vec& b, bool free) const {
  Vec base = fit_.predictor.without_intercepts(b);
  const Vec change = base - at.base, from = p.b;
  const double slope = -p.u.dot(change) + at.net.value(b) - at.penalty;
  double fraction = free ? best_fraction(at, p, b, change, slope) : 1.0, value = kInfinity, penalty = 0.0;
  const double noise = fit_.loss.rounding();
  Vec reached, eta, g;
  for (int halving = 0; halving < 30; ++halving, fraction *= 0.5) {
    reached = fraction == 1.0 ? b : Vec(from + fraction * (b - from));
    penalty = at.net.value(reached);
    eta = fraction == 1.0 ? base : Vec(at.base + fraction * change);
    g = p.g;
    fit_.predictor.add_intercepts(eta, g);
    value = fit_.loss.value(eta) + penalty;
    if (value <= at.value + 1e-4 * fraction * std::min(slope, 0.0) + 1e-15 * std::abs(at.value) + noise) break;
  }
  if (!(value <= at.value + 1e-14 * std::abs(at.value) + noise)) return 0.0;
  at.from_data = fraction == 1.0;
  at.base = fraction == 1.0 ? std::move(base) : Vec(at.base + fraction * change);
  at.penalty = penalty;
  at.value = value;
  p.b = std::move(reached);
  p.g = std::move(g);
  p.eta = std::move(eta);
  fit_.loss.derivatives(p.eta, p.u, at.h);
  return fraction;
}

}  // namespace riata
