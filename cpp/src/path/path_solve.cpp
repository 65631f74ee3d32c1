#include <algorithm>
#include <cmath>
#include <numeric>

#include "path/path_problem.hpp"

namespace riata {
namespace {

constexpr double kGramShare = 0.1;          // of the tolerance, for the rounding of c that comes from a Gram matrix
constexpr double kCoupledFactorCost = 3e9;  // multiplications, for making a factor where outputs are coupled
constexpr Index kFactorLimit = 6000;        // most active features "auto" gives to the Cholesky factor
constexpr Index kRidgedFactorLimit = 1000;  // the same, or twice the rows, when an l2 part keeps descent fast

}  // namespace

/// rho = u / omega.
Vec PathProblem::residual(const Vec& u) const {
  const Vec& omega = loss_->omega();
  Vec out(u.size());
  for (Index k = 0; k < outputs_; ++k) {
    out.segment(k * n_, n_) = (omega.array() > 0.0).select(u.segment(k * n_, n_).array() / omega.array(), 0.0);
  }
  return out;
}

/// |rho| in the omega inner product, over all outputs.
double PathProblem::residual_norm(const Vec& u) const {
  const Vec& omega = loss_->omega();
  double sum = 0.0;
  for (Index k = 0; k < outputs_; ++k) {
    sum += (omega.array() > 0.0).select(u.segment(k * n_, n_).array().square() / omega.array(), 0.0).sum();
  }
  return std::sqrt(sum);
}

double PathProblem::kkt_tolerance(double lambda) const {
  const double largest = norm_ * largest_norm_;  // no c is larger
  if (!(lambda < kInfinity)) return 1e-12 * largest;
  return std::max(kkt_relative_ * lambda * usual_factor_ * std::max(options_.l1_ratio, 1e-3), 1e-15 * largest);
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
    if (result_.exhausted) continue;  // the null fit is that of every lambda
    if (loss_->quadratic()) {
      // All lambdas of the batch expand at the current solution; the model is exact.
      if (q == 0) {
        Vec h;
        if (!curvature_known_) h = loss_->omega();
        model_.expand(curvature_known_ ? nullptr : &h, u_, b_, c_);
        curvature_known_ = true;
        p.c = c_;
      }
      const Penalties net = penalties(p.lambda);
      if (!simple()) {
        solve_structured_squares(p, net);
        continue;
      }
      const auto expected = q == 0   ? expected_entries(p.lambda, b_, c_, lambda_, earlier_c_, earlier_lambda_)
                            : q == 1 ? expected_entries(p.lambda, p.b, p.c, pending_[0].lambda, c_, lambda_)
                                     : expected_entries(p.lambda, p.b, p.c, pending_[q - 1].lambda, pending_[q - 2].c,
                                                        pending_[q - 2].lambda);
      const InnerResult inner =
          solve_inner(p, choose_solver(p.b),
                      {model_, net.entries(), kkt_tolerance(p.lambda), iterations_left(p), counters_, options_.poll},
                      p.b, p.c, expected);
      p.iterations += inner.iterations;
    } else {
      p.eta = eta_;
      p.u = u_;
      p.c = c_;
      solve_newton(p, q == 0  ? expected_entries(p.lambda, b_, c_, lambda_, earlier_c_, earlier_lambda_)
                      : q > 1 ? expected_entries(p.lambda, b_, c_, pending_[q - 1].lambda, pending_[q - 2].c,
                                                 pending_[q - 2].lambda)
                              : std::vector<Index>{});
      if (q + 1 < pending_.size()) adopt(p);
    }
  }
}

/// Features whose c, going on from `earlier` over `at` to `lambda` as it went so far, passes its threshold: a hint.
std::vector<Index> PathProblem::expected_entries(double lambda, const Vec& b, const Vec& c, double at,
                                                 const Vec& earlier_c, double earlier) const {
  std::vector<Index> out;
  if (!simple() || !(earlier > at) || !(at > lambda)) return out;
  const double share = (at - lambda) / (earlier - at);
  for (std::size_t w = 0; w < work_.size(); ++w) {
    const ElasticNet net = penalty(work_[w], lambda);
    for (Index k = 0; k < outputs_; ++k) {
      const Index i = static_cast<Index>(w) * outputs_ + k;
      const double ahead = c[i] + share * (c[i] - earlier_c[i]);
      // Just reaching the threshold does not count: a copy of an active column stays there.
      if (b[i] == 0.0 && net.kkt_violation(0.0, ahead) > 1e-6 * net.l1) out.push_back(i);
    }
  }
  return out;
}

SolverChoice::Situation PathProblem::situation(const Vec& b) const {
  const Index active = options_.l1_ratio == 0.0 ? b.size() : (b.array() != 0.0).count();
  return {active, model_.column_cost(), loss_->quadratic() ? 0.0 : reuse_.builds()};
}

/// Most active features "auto" gives to the factor.
Index PathProblem::factor_limit() const {
  return options_.l1_ratio < 1.0 ? std::clamp(2 * n_ * outputs_, kRidgedFactorLimit, kFactorLimit) : kFactorLimit;
}

/// The inner solver that was asked for or, with "auto", the one that promises to be cheapest.
std::string PathProblem::choose_solver(const Vec& b) {
  if (options_.solver != "auto") return options_.solver;
  const SolverChoice::Situation now = situation(b);
  return now.active > factor_limit() ? "cd" : choice_.next(now);
}

/// Runs the chosen solver; descent that "auto" chose may find that the factor would have been cheaper.
InnerResult PathProblem::solve_inner(Pending& p, const std::string& solver, InnerProblem problem, Vec& b, Vec& c,
                                     std::span<const Index> entering) {
  p.solver = solver;
  if (solver == "prox") {
    const Penalties net(std::vector<ElasticNet>(problem.penalty.begin(), problem.penalty.end()));
    return prox_gradient({model_, net, problem.tolerance, problem.max_iter, counters_, problem.poll}, b, c);
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

/// Whether solve_blocks() is to be used: for all but simple penalties, and with many outputs when a factor of all that
/// are active would be dear.
bool PathProblem::by_blocks(const Vec& b) const {
  if (!simple() || outputs_ == 1 || options_.solver != "auto") return !simple();
  const double active = static_cast<double>(situation(b).active);
  const double features = std::min(active, static_cast<double>(work_.size()));
  return active * (features * static_cast<double>(n_ * outputs_) + active * active / 6.0) > kCoupledFactorCost;
}

InnerResult PathProblem::solve_blocks(Pending& p, const Penalties& net, double tolerance, Vec& b, Vec& c,
                                      const PenalisedProblem::Enough& enough, bool stale) {
  const bool descent_only = options_.solver == "cd", prox = options_.solver == "prox";
  p.solver = descent_only ? "cd" : prox ? "prox" : "newton";
  const PenalisedProblem problem{model_,        net,          tolerance, iterations_left(p), counters_,
                                 options_.poll, descent_only, enough,    loss_->symmetric(), stale};
  if (prox) return prox_gradient(problem, b, c);
  switch (structure_) {
    case Structure::kConcave:
      p.solver = "cd";
      return coordinate_descent<Concave>({model_, net.concave(), tolerance, problem.max_iter, counters_, options_.poll},
                                         b, c);
    case Structure::kGroups: {
      if (!descends_groups()) {
        p.solver = "prox";
        return prox_gradient(problem, b, c);
      }
      const InnerResult result = group_descent_.solve(problem, b, c);
      if (result.converged || descent_only || result.iterations >= problem.max_iter) return result;
      PenalisedProblem again = problem;
      again.max_iter -= result.iterations;
      InnerResult rest = prox_gradient(again, b, c);  // where columns are so correlated that descent hardly moves
      rest.iterations += result.iterations;
      return rest;
    }
    case Structure::kSorted:
      return sorted_newton_.solve(problem, b, c);
    default:
      return block_newton_.solve(problem, b, c);
  }
}

/// The whole of a lambda where the model is exact.
void PathProblem::solve_structured_squares(Pending& p, const Penalties& net) {
  std::vector<Index> units(static_cast<std::size_t>(net.units())), entries(static_cast<std::size_t>(p.b.size()));
  std::iota(units.begin(), units.end(), Index{0});
  std::iota(entries.begin(), entries.end(), Index{0});
  // Of groups most are active, and found again from the c before; others want it where they start.
  const bool groups = descends_groups();
  bool moved = false;
  if (Vec b = p.b, c = p.c; extrapolate(p, b)) {
    const double before = groups ? model_.squares() : model_.value(p.b, p.c);
    model_.correlations(b, groups ? std::span<const Index>() : entries, c);
    moved = (groups ? model_.squares() : model_.value(b, c)) + net.value(b) < before + net.value(p.b);
    if (moved) {
      p.b = std::move(b);
      p.c = std::move(c);
    } else {
      model_.correlations(p.b, {}, p.c);
    }
  }
  const auto enough = [&](const Vec& b, const Vec& c) {
    return distance(net, b, c, units, p.lambda, [&](double scale) {
      return 0.5 * (1.0 - scale) * (1.0 - scale) * norm_ * norm_;  // |rho|^2 = sum u^2 / omega falls down the path
    });
  };
  p.iterations += solve_blocks(p, net, kkt_tolerance(p.lambda), p.b, p.c, enough, moved && groups).iterations;
  p.correlated = !model_.has_gram();
}

/// Moves b, the solution before p, on to the lambda of p as it went since the lambda before, where it was not zero at
/// either.
bool PathProblem::extrapolate(const Pending& p, Vec& b) const {
  const std::size_t q = static_cast<std::size_t>(&p - pending_.data());
  if (q == 1) return false;
  const double at = q > 0 ? pending_[q - 1].lambda : lambda_;
  const double before = q > 0 ? pending_[q - 2].lambda : earlier_lambda_;
  const Vec& earlier = q > 0 ? pending_[q - 2].b : earlier_b_;
  if (!(before > at) || !(before < kInfinity) || !(at > p.lambda) || earlier.size() != b.size()) return false;
  const double share = std::min((at - p.lambda) / (before - at), 1.0);
  if (structure_ == Structure::kSorted) return false;  // clusters are to stay together
  const Penalties net = penalties(p.lambda);
  for (Index unit = 0; unit < net.units(); ++unit) {
    const Index first = net.begin(unit), size = net.begin(unit + 1) - first;
    auto now = b.segment(first, size);
    const auto last = earlier.segment(first, size);
    if ((last.array() == 0.0).all() || (now.array() == 0.0).all()) continue;
    const Vec ahead = now + share * (now - last);
    if (ahead.dot(now) > 0.0) now = ahead;
  }
  return true;
}

/// eta, u and c of pending solutions, from the data: one product with the supports, one with the working set (or with
/// its Gram matrix).
void PathProblem::evaluate(std::span<Pending> pending) {
  std::vector<Pending*> open;
  for (Pending& p : pending) {
    if (!p.evaluated) open.push_back(&p);
  }
  if (open.empty()) return;
  const Index m = static_cast<Index>(open.size());
  std::vector<const Vec*> coefficients;
  for (const Pending* p : open) coefficients.push_back(&p->b);
  const Mat base = linear_predictors(coefficients);
  Mat u(n_, m * outputs_);
  Vec h;
  for (Index q = 0; q < m; ++q) {
    Pending& p = *open[static_cast<std::size_t>(q)];
    p.eta = base.middleCols(q * outputs_, outputs_).reshaped();
    add_intercepts(p.eta, p.g);
    loss_->derivatives(p.eta, p.u, h);
    u.middleCols(q * outputs_, outputs_) = outputs(p.u);
    p.evaluated = true;
  }
  if (model_.has_gram() && tries_ == 0 && correlate_by_gram(open)) return;
  if (m == 1 && open.front()->correlated) {  // its gradient and u differ by rounding, and so does c
    Pending& p = *open.front();
    const Vec change = p.u - model_.gradient();
    p.c_error = (p.b == model_.b0() ? c_error_ : 0.0) + residual_norm(change) * largest_norm_ * (1.0 + 1e-9) +
                centring_error(change);
    return;
  }
  Mat c(static_cast<Index>(work_.size()), m * outputs_);
  correlate_work(u, c);
  for (Index q = 0; q < m; ++q) {
    open[static_cast<std::size_t>(q)]->c = c.middleCols(q * outputs_, outputs_).transpose().reshaped();
    open[static_cast<std::size_t>(q)]->c_error = centring_error(open[static_cast<std::size_t>(q)]->u);
  }
}

/// Products with columns leave out that these are centred, for u sums to zero: a bound of what that makes of its
/// rounding, where the columns of the pool are off their mean.
double PathProblem::centring_error(const Vec& u) const {
  if (!options_.fit_intercept) return 0.0;
  double off = 0.0, sum = 0.0;
  for (const Index j : work_) {
    off = std::max(off, std::abs(mean_[j] - shared_.pool().shift_of(shared_.position(j))) / scale_[j]);
  }
  if (off == 0.0) return 0.0;
  for (Index k = 0; k < outputs_; ++k) {
    const auto mine = u.segment(k * n_, n_);
    sum = std::max(sum, std::abs(mine.sum()) + 2.3e-16 * mine.lpNorm<1>());
  }
  return off * sum;
}

/// Finds the intercepts for an eta without them, starting at g, and adds them.
void PathProblem::add_intercepts(Vec& eta, Vec& g) const {
  if (!options_.fit_intercept) return;
  g = loss_->intercepts(eta, g);
  for (Index k = 0; k < outputs_; ++k) eta.segment(k * n_, n_).array() += g[k];
}

/// c = c0 - G (b - b0) with a bound of its rounding, where that is far below what the tolerance asks for; else false
/// (so also where an unpenalised feature asks for c = 0).
bool PathProblem::correlate_by_gram(std::span<Pending* const> pending) {
  double least = kInfinity;  // penalty factor
  for (Index j : work_) least = std::min(least, factor(j));
  Mat change(static_cast<Index>(work_.size()), static_cast<Index>(pending.size()));
  Vec error(change.cols());
  for (Index q = 0; q < change.cols(); ++q) {
    const Pending& p = *pending[static_cast<std::size_t>(q)];
    change.col(q) = p.b - model_.b0();
    const double moved = largest_norm_ * change.col(q).lpNorm<1>();
    const double reached = largest_norm_ * (p.b.lpNorm<1>() + model_.b0().lpNorm<1>());  // for the rounding of eta
    error[q] = c_error_ + largest_noise_ * (2.0 * moved + norm_) +  // |rho| is at most norm_ + moved
               2.3e-16 * static_cast<double>(work_.size()) * largest_norm_ * (moved + reached);
    if (!(p.lambda < kInfinity) || !(error[q] <= kGramShare * options_.tol * p.lambda * options_.l1_ratio * least)) {
      return false;
    }
  }
  const Mat fall = model_.gram_product(change);
  for (Index q = 0; q < change.cols(); ++q) {
    pending[static_cast<std::size_t>(q)]->c = model_.c0() - fall.col(q);
    pending[static_cast<std::size_t>(q)]->c_error = error[q];
  }
  return true;
}

/// Xs b (centred with an intercept) + offset for several b, from the data, n x K for each; without the intercepts.
Mat PathProblem::linear_predictors(std::span<const Vec* const> coefficients) const {
  const Index K = outputs_, m = static_cast<Index>(coefficients.size()) * K;
  std::vector<Index> support, columns;
  for (Index w = 0; w < static_cast<Index>(work_.size()); ++w) {
    if (std::none_of(coefficients.begin(), coefficients.end(),
                     [=](const Vec* b) { return (b->segment(w * K, K).array() != 0.0).any(); })) {
      continue;
    }
    support.push_back(w);
    columns.push_back(shared_.position(work_[static_cast<std::size_t>(w)]));
  }
  Mat values(static_cast<Index>(support.size()), m), out(n_, m);
  Vec shift = Vec::Zero(m);
  for (std::size_t k = 0; k < support.size(); ++k) {
    const Index j = work_[static_cast<std::size_t>(support[k])];
    const double centre = options_.fit_intercept ? mean_[j] - shared_.pool().shift_of(columns[k]) : 0.0;
    for (Index q = 0; q < m; ++q) {
      const double value = (*coefficients[static_cast<std::size_t>(q / K)])[support[k] * K + q % K] / scale_[j];
      values(static_cast<Index>(k), q) = value;
      shift[q] += centre * value;
    }
  }
  if (columns.empty()) {
    out.setZero();
  } else {
    shared_.pool().multiply(columns, values, out, threads_for(columns, m));
  }
  out.rowwise() -= shift.transpose();
  if (offset_.size() > 0) {
    for (Index q = 0; q < m; ++q) out.col(q) += offset_.segment(q % K * n_, n_);
  }
  return out;
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

/// The same for some entries of the working set, into their places of c.
void PathProblem::correlate_entries(const Vec& u, std::span<const Index> entries, Vec& c) const {
  std::vector<Index> columns, row(entries.size());
  std::vector<Index> place(outputs_ > 1 ? work_.size() : 0, -1);  // entries of a feature share its column
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::size_t w = static_cast<std::size_t>(entries[i] / outputs_);
    row[i] = static_cast<Index>(columns.size());
    if (outputs_ > 1) {
      if (place[w] >= 0) {
        row[i] = place[w];
        continue;
      }
      place[w] = row[i];
    }
    columns.push_back(shared_.position(work_[w]));
  }
  Mat products(static_cast<Index>(columns.size()), outputs_);
  shared_.pool().correlate(columns, Eigen::Map<const Mat>(u.data(), n_, outputs_), products,
                           threads_for(columns, outputs_));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Index e = entries[i];
    c[e] = products(row[i], e % outputs_) / scale_[work_[static_cast<std::size_t>(e / outputs_)]];
  }
}

}  // namespace riata
