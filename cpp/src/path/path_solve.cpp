#include <algorithm>
#include <cmath>

#include "path/path_problem.hpp"

namespace riata {
namespace {

constexpr Index kFactorLimit = 6000;        // most active features "auto" gives to the Cholesky factor
constexpr Index kRidgedFactorLimit = 1000;  // the same, or twice the rows, when an l2 part keeps descent fast
constexpr Index kNewtonSteps = 100;

}  // namespace

/// |rho| in the omega inner product, rho = u / omega.
double PathProblem::residual_norm(const Vec& u) const {
  return std::sqrt((loss_->omega().array() > 0.0).select(u.array().square() / loss_->omega().array(), 0.0).sum());
}

double PathProblem::kkt_tolerance(double lambda) const {
  const double largest = residual_norm(u_) * largest_norm_;  // no c is larger
  if (!(lambda < kInfinity)) return 1e-12 * largest;
  return std::max(kkt_relative_ * lambda * std::max(options_.l1_ratio, 1e-3), 1e-15 * largest);
}

void PathProblem::fit_null() {
  set_work(unpenalised_);
  std::vector<Index> features, positions;
  for (Index j : unpenalised_) {
    if (!is_free(j)) continue;
    features.push_back(j);
    positions.push_back(shared_.position(j));
  }
  free_columns_.resize(n_, static_cast<Index>(features.size()));
  if (!features.empty()) shared_.pool().gather(positions, free_columns_, threads_);
  for (std::size_t k = 0; k < features.size(); ++k) {
    const Index j = features[k], column = static_cast<Index>(k);
    const double centre = options_.fit_intercept ? mean_[j] - shared_.pool().shift_of(positions[k]) : 0.0;
    free_columns_.col(column) = (free_columns_.col(column).array() - centre) / scale_[j];
  }
  pending_.clear();
  pending_.emplace_back();
  pending_.back().lambda = kInfinity;
  solve();
}

void PathProblem::solve() {
  for (std::size_t q = 0; q < pending_.size(); ++q) {
    Pending& p = pending_[q];
    if (q == 0) {
      p.b = b_;
      p.g = g_;
    } else {
      p.b = pending_[q - 1].b;
      p.g = pending_[q - 1].g;
      p.c = pending_[q - 1].c;
    }
    p.evaluated = false;
    if (loss_->quadratic()) {
      // All lambdas of the batch expand at the current solution; the model is exact.
      if (q == 0) {
        Vec h;
        if (!curvature_known_) h = loss_->omega();
        model_.expand(curvature_known_ ? nullptr : &h, u_, b_, c_);
        curvature_known_ = true;
        p.c = c_;
      }
      const auto net = penalties(p.lambda);
      const auto expected = q == 0   ? expected_entries(p.lambda, b_, c_, lambda_, earlier_c_, earlier_lambda_)
                            : q == 1 ? expected_entries(p.lambda, p.b, p.c, pending_[0].lambda, c_, lambda_)
                                     : expected_entries(p.lambda, p.b, p.c, pending_[q - 1].lambda, pending_[q - 2].c,
                                                        pending_[q - 2].lambda);
      const InnerResult inner = solve_inner(
          p, {model_, net, kkt_tolerance(p.lambda), options_.max_iter, counters_, options_.poll}, p.b, p.c, expected);
      p.iterations += inner.iterations;
    } else {
      solve_one(p);
      if (q + 1 < pending_.size()) adopt(p);
    }
  }
}

/// Features whose c, going on from `earlier` over `at` to `lambda` as it went so far, passes its threshold: a hint.
std::vector<Index> PathProblem::expected_entries(double lambda, const Vec& b, const Vec& c, double at,
                                                 const Vec& earlier_c, double earlier) const {
  std::vector<Index> out;
  if (!(earlier > at) || !(at > lambda)) return out;
  const double share = (at - lambda) / (earlier - at);
  for (std::size_t w = 0; w < work_.size(); ++w) {
    const Index i = static_cast<Index>(w);
    const double ahead = c[i] + share * (c[i] - earlier_c[i]);
    const ElasticNet net = penalty(work_[w], lambda);
    // Just reaching the threshold does not count: the twin of an active feature does so for ever.
    if (b[i] == 0.0 && net.kkt_violation(0.0, ahead) > 1e-6 * net.l1) out.push_back(i);
  }
  return out;
}

/// Runs the inner solver that was asked for or, with "auto", the one that promises to be cheapest.
InnerResult PathProblem::solve_inner(Pending& p, InnerProblem problem, Vec& b, Vec& c,
                                     std::span<const Index> entering) {
  p.solver = options_.solver;
  if (p.solver == "prox") return prox_gradient(problem, b, c);
  if (p.solver == "cd") return coordinate_descent(problem, b, c);
  if (p.solver == "homotopy") return active_set_.solve(problem, b, c, entering);

  const Index active = options_.l1_ratio == 0.0 ? static_cast<Index>(work_.size()) : (b.array() != 0.0).count();
  const Index limit = options_.l1_ratio < 1.0 ? std::clamp(2 * n_, kRidgedFactorLimit, kFactorLimit) : kFactorLimit;
  const SolverChoice::Situation now{active, model_.column_cost(), !loss_->quadratic()};
  InnerResult result;
  p.solver = active > limit ? "cd" : choice_.next(now);
  if (p.solver == "cd") {
    problem.max_cost = active > limit ? kInfinity : choice_.budget();
    const Vec b_before = b, c_before = c;
    result = coordinate_descent(problem, b, c);
    choice_.report("cd", result.cost, result.converged, now);
    if (result.converged || active > limit) {
      active_set_.reset();
      return result;
    }
    b = b_before;  // the factor, if there is one, is that of this point
    c = c_before;
    p.solver = "homotopy";
  }
  const Index wasted = result.iterations;
  result = active_set_.solve(problem, b, c, entering);
  choice_.report("homotopy", result.cost, result.converged, now);
  result.iterations += wasted;
  return result;
}

/// Proximal Newton (Lee, Sun, Saunders 2014): minimise the weighted quadratic at the current point plus the penalty,
/// search along the line, until the KKT conditions hold on the working set at the point itself.
void PathProblem::solve_one(Pending& p) {
  const auto net = penalties(p.lambda);
  const double tolerance = kkt_tolerance(p.lambda);
  evaluate(std::span(&p, 1));
  double penalty_value = 0.0;
  for (std::size_t w = 0; w < net.size(); ++w) penalty_value += net[w].value(p.b[static_cast<Index>(w)]);
  double value = loss_->value(p.eta) + penalty_value, last_worst = kInfinity;
  int stalled = 0;
  Vec u, h, trial;
  for (Index step = 0; step < kNewtonSteps && p.iterations < options_.max_iter; ++step) {
    if (options_.poll) options_.poll();
    const double worst = worst_violation(net, p.b, p.c);
    if (worst <= tolerance) break;
    stalled = worst > 0.5 * last_worst ? stalled + 1 : 0;
    last_worst = std::min(worst, last_worst);
    if (stalled > 10) break;
    loss_->derivatives(p.eta, u, h);
    h = h.cwiseMax(1e-9 * loss_->omega());
    model_.expand(&h, p.u, p.b, p.c);
    active_set_.reset();
    Vec b = p.b, c = p.c;
    const InnerResult inner = solve_inner(
        p,
        {model_, net, std::max(0.5 * tolerance, 0.03 * std::min(worst, worst * worst / (last_worst + tolerance))),
         options_.max_iter, counters_, options_.poll},
        b, c, {});
    p.iterations += inner.iterations;
    const Vec change = model_.predictor_change(b);
    double new_penalty = 0.0;
    for (std::size_t w = 0; w < net.size(); ++w) new_penalty += net[w].value(b[static_cast<Index>(w)]);
    const double expected = -p.u.dot(change) + new_penalty - penalty_value;
    double fraction = 1.0, new_value = kInfinity;
    for (int halving = 0; halving < 30; ++halving, fraction *= 0.5) {
      trial = p.eta + fraction * change;
      const double at = loss_->value(trial);
      // The penalty along the segment is at most its chord.
      new_value = at + penalty_value + fraction * (new_penalty - penalty_value);
      if (new_value <= value + 1e-4 * fraction * std::min(expected, 0.0) + 1e-15 * std::abs(value)) break;
    }
    if (!(new_value <= value + 1e-14 * std::abs(value))) break;
    p.b = fraction == 1.0 ? b : Vec(p.b + fraction * (b - p.b));
    p.evaluated = false;
    evaluate(std::span(&p, 1));
    penalty_value = 0.0;
    for (std::size_t w = 0; w < net.size(); ++w) penalty_value += net[w].value(p.b[static_cast<Index>(w)]);
    value = loss_->value(p.eta) + penalty_value;
  }
}

/// eta, u and c of pending solutions, from the data: one product with the supports, one with the working set.
void PathProblem::evaluate(std::span<Pending> pending) {
  std::vector<Pending*> open;
  for (Pending& p : pending) {
    if (!p.evaluated) open.push_back(&p);
  }
  if (open.empty()) return;
  const Index m = static_cast<Index>(open.size()), size = static_cast<Index>(work_.size());
  std::vector<Index> all, support, columns;
  for (Index w = 0; w < size; ++w) {
    all.push_back(shared_.position(work_[static_cast<std::size_t>(w)]));
    if (std::any_of(open.begin(), open.end(), [w](const Pending* p) { return p->b[w] != 0.0; })) {
      support.push_back(w);
      columns.push_back(all.back());
    }
  }
  Mat values(static_cast<Index>(support.size()), m), base(n_, m);
  Vec shift = Vec::Zero(m);
  for (std::size_t k = 0; k < support.size(); ++k) {
    const Index w = support[k], j = work_[static_cast<std::size_t>(w)];
    const double centre = options_.fit_intercept ? mean_[j] - shared_.pool().shift_of(columns[k]) : 0.0;
    for (Index q = 0; q < m; ++q) {
      const double value = open[static_cast<std::size_t>(q)]->b[w] / scale_[j];
      values(static_cast<Index>(k), q) = value;
      shift[q] += centre * value;
    }
  }
  if (columns.empty()) {
    base.setZero();
  } else {
    shared_.pool().multiply(columns, values, base, threads_for(columns, m));
  }
  Mat u(n_, m), c(size, m);
  Vec h;
  for (Index q = 0; q < m; ++q) {
    Pending& p = *open[static_cast<std::size_t>(q)];
    p.eta = base.col(q).array() - shift[q];
    if (offset_.size() > 0) p.eta += offset_;
    if (options_.fit_intercept) {
      p.g = solve_intercept(*loss_, p.eta, p.g);
      p.eta.array() += p.g;
    }
    loss_->derivatives(p.eta, p.u, h);
    u.col(q) = p.u;
    p.evaluated = true;
  }
  correlate_work(u, c);
  for (Index q = 0; q < m; ++q) open[static_cast<std::size_t>(q)]->c = c.col(q);
}

/// c = Xs'u on the working set, u with columns that sum to zero (with an intercept).
void PathProblem::correlate_work(const MatIn& u, MatOut c) const {
  std::vector<Index> all;
  Vec inv_scale(static_cast<Index>(work_.size()));
  for (std::size_t w = 0; w < work_.size(); ++w) {
    all.push_back(shared_.position(work_[w]));
    inv_scale[static_cast<Index>(w)] = 1.0 / scale_[work_[w]];
  }
  shared_.pool().correlate(all, u, c, threads_for(all, u.cols()));
  c = inv_scale.asDiagonal() * c;
}

}  // namespace riata
