#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "path/path_problem.hpp"

namespace riata {
namespace {

constexpr double kGapShare = 0.2;                  // of the tolerance, for what the inner solver may leave of the gap
constexpr int kPatience = 3;                       // steps without progress before the model is solved exactly
constexpr int kDespair = 12;                       // and before giving up
constexpr double kShortest = 0.2, kLongest = 3.0;  // lengths that a step may be given in place of 1
constexpr Index kNewtonSteps = 1000;
constexpr Index kConcaveSteps = 300;  // where nothing may bound an unpenalised coefficient

}  // namespace

/// Where proximal Newton stands, next to what Pending holds (b, g, eta, u, c).
struct PathProblem::Newton {
  Penalties net;
  Vec base;               // eta without the intercepts
  Vec h;                  // curvature at eta
  double value, penalty;  // objective, and the penalty's part of it
  bool from_data = true;  // base is a product with the columns, not a combination of such
  bool complete = true;   // c is known on the whole working set, else on the active features only
  double last_worst = kInfinity;
};

/// Proximal Newton (Lee, Sun, Saunders 2014) with a curvature that is kept, with its factor, while that is cheaper than
/// a new one: steps to the minimum of a quadratic with the fresh gradient plus the penalty, each with a line search.
void PathProblem::solve_newton(Pending& p, std::span<const Index> entering) {
  Newton at;
  at.net = penalties(p.lambda);
  at.base = p.eta;
  for (Index k = 0; k < outputs_; ++k) at.base.segment(k * n_, n_).array() -= p.g[k];
  at.penalty = at.net.value(p.b);
  at.value = loss_->value(p.eta) + at.penalty;
  loss_->derivatives(p.eta, p.u, at.h);
  std::vector<Index> all(static_cast<std::size_t>(at.net.units()));
  std::iota(all.begin(), all.end(), Index{0});
  if (by_blocks(p.b)) {
    active_set_.reset();
    p.solver = "newton";
    Vec ahead = p.b;
    if (extrapolate(p, ahead) && search_line(at, p, ahead, false) > 0.0) complete(at, p);
  }
  reuse_.begin();
  double least[2] = {kInfinity, kInfinity};  // distance so far: on the active features, on all
  double last_value = kInfinity;
  int stuck = 0;
  const Index most = at.net.convex() ? kNewtonSteps : kConcaveSteps;
  for (Index step = 0; step < most && iterations_left(p) > 0; ++step) {
    if (options_.poll) options_.poll();
    double left = distance(at, p, at.complete ? std::span<const Index>(all) : active_set_.features());
    if (!at.complete && (step == 1 || left <= 1.0)) {
      complete(at, p);
      left = distance(at, p, all);
    }
    if (at.complete && left <= 1.0) break;
    // Against the least so far, not the last: a feature may enter and leave in turns.
    double& best = least[at.complete ? 1 : 0];
    const bool progress = left < 0.5 * best || at.value < last_value - 1e-10 * std::abs(last_value);
    stuck = progress ? 0 : stuck + 1;
    if (stuck > kDespair) break;
    best = std::min(best, left);
    last_value = at.value;

    const bool blocks = by_blocks(p.b);
    const bool kept = !blocks && stuck < kPatience && active_set_.take_up(at.net.entries()) && !reuse_.due(left);
    const std::string solver = blocks ? "newton" : kept ? "homotopy" : choose_solver(p.b);
    double fraction = 0.0;
    if (solver == "homotopy" && stuck < kPatience) {
      // On arrival at a new lambda the active features move first: most that seem to violate then do not.
      const bool arriving = step == 0 && at.penalty > 0.0;
      fraction = factor_step(at, p, kept, arriving ? entering : std::span<const Index>{}, !arriving && at.complete);
    }
    if (fraction == 0.0 && model_step(at, p, solver) == 0.0) break;
  }
  if (!at.complete) complete(at, p);
  if (!at.from_data) {
    const Vec* const b = &p.b;
    p.eta = linear_predictors(std::span(&b, 1)).reshaped();
    for (Index k = 0; k < outputs_; ++k) p.eta.segment(k * n_, n_).array() += p.g[k];
  }
  p.evaluated = true;
}

/// How far a point is from good enough, judged by some units: the gap they leave over what the tolerance allows, and
/// the violation of what only the KKT conditions tell; at most 1 when it is. The gap is known up to the third order of
/// 1 - scale (docs/algorithms.md, section 5); `shrinkage` is Loss::shrinkage at that scale.
double PathProblem::distance(const Penalties& net, const Vec& b, const Vec& c, std::span<const Index> units,
                             double lambda, const std::function<double(double)>& shrinkage) const {
  const double unit = gap_unit(), tolerance = kkt_tolerance(lambda);
  const bool certifiable = lambda < kInfinity && unit > 0.0 && net.convex();
  double scale = 1.0, worst = 0.0, worst_free = 0.0;
  for (Index i : units) {
    const double violation = net.violation(i, b, c);
    worst = std::max(worst, violation);
    if (net.unpenalised(i)) {
      worst_free = std::max(worst_free, violation);
    } else {
      scale = std::min(scale, net.feasible_scale(i, c));
    }
  }
  if (worst == 0.0) return 0.0;
  if (!certifiable || worst <= tolerance) return worst / tolerance;
  double gap = 0.0;
  for (Index i : units) {
    if (net.unpenalised(i)) continue;
    gap += net.value(i, b) + net.conjugate(i, c, scale * kBelow) - scale * net.product(i, b, c);
  }
  gap += shrinkage(scale);
  const double share = kkt_relative_ / kkt_start_;
  const double allowed = kGapShare * options_.tol * unit * share;
  // A common excess of c hardly widens the gap: the violation, of first order, is held to the order of its root.
  const double loosest = 0.1 * std::sqrt(options_.tol) * share * lambda * std::max(options_.l1_ratio, 1e-3);
  return std::max({gap / allowed, worst / loosest, worst_free / tolerance});
}

double PathProblem::distance(const Newton& at, const Pending& p, std::span<const Index> units) const {
  return distance(at.net, p.b, p.c, units, p.lambda,
                  [&](double scale) { return loss_->shrinkage(p.eta, p.u, at.h, scale); });
}

/// c on the entries outside the factor.
void PathProblem::complete(Newton& at, Pending& p) const {
  std::vector<char> known(static_cast<std::size_t>(p.c.size()), 0);
  for (Index e : active_set_.features()) known[static_cast<std::size_t>(e)] = 1;
  std::vector<Index> rest;
  for (std::size_t e = 0; e < known.size(); ++e) {
    if (!known[e]) rest.push_back(static_cast<Index>(e));
  }
  correlate_entries(p.u, rest, p.c);
  at.complete = true;
}

/// Takes up the curvature at the present point.
void PathProblem::renew_model(const Newton& at, const Pending& p, bool careful) {
  const Vec h = loss_->model_curvature(p.eta, at.h, careful);
  auto coupling = loss_->curvature(p.eta, Loss::kFlattest, options_.fit_intercept);
  if (coupling) coupled_at_ = p.eta;
  model_.expand(&h, p.u, p.b, p.c, std::move(coupling));
  group_descent_.forget();
  sorted_newton_.forget();
  active_gram_.clear();
  active_set_.reset();
}

/// The model's curvature is no part of its state where it couples rows: it follows from where it was taken.
void PathProblem::couple_again() {
  if (coupled_at_.size() > 0) model_.couple(loss_->curvature(coupled_at_, Loss::kFlattest, options_.fit_intercept));
}

/// One step of the active features with the curvature that is `kept`, or else a new one. Returns the fraction of it
/// that the line search took; with 0 nothing has changed.
double PathProblem::factor_step(Newton& at, Pending& p, bool kept, std::span<const Index> entering, bool everywhere) {
  if (!kept) renew_model(at, p, false);
  const Index size_before = static_cast<Index>(active_set_.features().size());
  const double found = distance(at, p, active_set_.features());
  Vec b = p.b;
  const InnerResult inner = active_set_.step(
      {model_, at.net.entries(), kkt_tolerance(p.lambda), iterations_left(p), counters_, options_.poll}, b, p.c,
      entering, everywhere, reuse_.length());
  p.iterations += inner.iterations;
  p.solver = "homotopy";
  if (!kept) {
    reuse_.renewed(inner.cost);
    if (options_.solver == "auto") {
      SolverChoice::Situation now = situation(p.b);
      now.builds = 1.0;
      choice_.report("homotopy", inner.cost, true, now);
    }
  }
  const bool free = inner.converged;
  const double fraction = search_line(at, p, b, free);
  if (fraction < kShortest) active_set_.reset();
  if (fraction == 0.0) return fraction;
  if (free) reuse_.stretch(fraction);
  correlate_entries(p.u, active_set_.features(), p.c);
  at.complete = false;
  const Index size = static_cast<Index>(active_set_.features().size());
  const double products = static_cast<double>(2 * size) * model_.column_cost();
  reuse_.stepped(products + 0.35 * static_cast<double>(size * size), found, distance(at, p, active_set_.features()),
                 kept && free && size == size_before);
  return fraction;
}

/// Whether the model plus the penalty is convex in each coefficient by itself.
bool PathProblem::coordinates_convex(const Penalties& net) {
  const Vec& diagonal = model_.diagonal();
  const auto entries = net.concave();
  for (std::size_t w = 0; w < entries.size(); ++w) {
    if (diagonal[static_cast<Index>(w)] <= 1.01 * entries[w].concavity()) return false;
  }
  return true;
}

/// The l1 norm that lies above a concave penalty and touches it at b (local linear approximation, Zou & Li 2008): what
/// lowers that in its place lowers the objective.
Penalties PathProblem::tangent_penalties(const Penalties& net, const Vec& b) {
  std::vector<ElasticNet> out;
  const auto entries = net.concave();
  for (std::size_t w = 0; w < entries.size(); ++w) {
    out.push_back({entries[w].slope(std::abs(b[static_cast<Index>(w)])), 0.0});
  }
  return Penalties(std::move(out));
}

/// One step to the minimum of the model with the present curvature over the whole working set.
double PathProblem::model_step(Newton& at, Pending& p, const std::string& solver) {
  if (!at.complete) complete(at, p);
  renew_model(at, p, true);
  const double worst = at.net.worst_violation(p.b, p.c), tolerance = kkt_tolerance(p.lambda);
  const bool slow = worst > 0.3 * at.last_worst;
  at.last_worst = std::min(worst, at.last_worst);
  const double target = std::max(0.5 * tolerance, 0.03 * std::min(worst, worst * worst / (at.last_worst + tolerance)));
  Vec b, c;
  const bool blocks = solver == "newton", concave = blocks && !at.net.convex();
  const auto go = [&](bool tangent) {
    const Penalties stand_in = tangent ? tangent_penalties(at.net, p.b) : Penalties();
    b = p.b;
    c = p.c;
    const InnerResult inner = blocks && !tangent ? solve_blocks(p, at.net, target, b, c, {})
                                                 : solve_inner(p, tangent ? choose_solver(b) : solver,
                                                               {model_, tangent ? stand_in.entries() : at.net.entries(),
                                                                target, iterations_left(p), counters_, options_.poll},
                                                               b, c, {});
    p.iterations += inner.iterations;
    if (p.solver == "homotopy") reuse_.renewed(inner.cost);
    return search_line(at, p, b, false);
  };
  double fraction = 0.0;
  // Where rows are coupled descent is dear, but tangents only converge linearly.
  if (!concave || ((slow || !model_.coupled()) && coordinates_convex(at.net))) fraction = go(false);
  if (fraction == 0.0 && concave) fraction = go(true);
  if (fraction < 1.0) active_set_.reset();
  correlate_entries(p.u, active_set_.features(), p.c);
  complete(at, p);
  return fraction;
}

/// change' F'' change at the present point, with the intercept minimised out.
double PathProblem::curvature_along(const Newton& at, const Pending& p, const Vec& change) const {
  if (const auto coupled = loss_->curvature(p.eta, 0.0, options_.fit_intercept)) {
    Vec image = change;
    coupled->multiply(image);
    return change.dot(image);
  }
  const double centre = options_.fit_intercept ? at.h.dot(change) / at.h.sum() : 0.0;
  return at.h.dot((change.array() - centre).square().matrix());
}

/// Where the model along p.b + s (b - p.b), with the curvature at p.b, is least; the penalty keeps its slopes.
double PathProblem::best_fraction(const Newton& at, const Pending& p, const Vec& b, const Vec& change,
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
double PathProblem::search_line(Newton& at, Pending& p, const Vec& b, bool free) {
  const Vec* const to = &b;
  Vec base = linear_predictors(std::span(&to, 1)).reshaped();
  const Vec change = base - at.base, from = p.b;
  const double slope = -p.u.dot(change) + at.net.value(b) - at.penalty;
  double fraction = free ? best_fraction(at, p, b, change, slope) : 1.0, value = kInfinity, penalty = 0.0;
  const double noise = loss_->rounding();
  Vec reached, eta, g;
  for (int halving = 0; halving < 30; ++halving, fraction *= 0.5) {
    reached = fraction == 1.0 ? b : Vec(from + fraction * (b - from));
    penalty = at.net.value(reached);
    eta = fraction == 1.0 ? base : Vec(at.base + fraction * change);
    g = p.g;
    add_intercepts(eta, g);
    value = loss_->value(eta) + penalty;
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
  loss_->derivatives(p.eta, p.u, at.h);
  return fraction;
}

}  // namespace riata
