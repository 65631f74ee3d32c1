#include "solver/dual_newton.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "parallel.hpp"

namespace riata {
namespace {

constexpr Index kMostSteps = 100;
constexpr double kFarthest = 2.0;  // of the way between two lambdas, that the line through them is followed
constexpr double kFlat = 0.3;      // of the slope at the start, that a full step may end with
constexpr Index kStalled = 25;     // steps without progress
constexpr int kTrials = 40;
constexpr double kRest = 0.3;        // of the gradient that will do, what the equations of a step may leave
constexpr double kRounding = 1e-13;  // of the gradient, relative to what it is a difference of

/// What minimises penalty(b) - c b.
double coefficient(const ElasticNet& net, double c) {
  const double excess = std::abs(c) - net.l1;
  if (!(excess > 0.0)) return 0.0;
  const double reach = c > 0.0 ? net.upper : -net.lower;
  return std::copysign(std::clamp(excess / net.l2, 0.0, std::max(reach, 0.0)), c) + 0.0;
}

}  // namespace

bool DualNewton::handles(const Quadratic& model, const Penalties& penalty) {
  if (model.outputs() != 1 || model.coupled() || model.has_gram() || !penalty.convex()) return false;
  const auto net = penalty.entries();
  return std::all_of(net.begin(), net.end(), [](const ElasticNet& e) { return e.l2 > 0.0; });
}

void DualNewton::working_set_changed(std::span<const Index> new_number, Index /*outputs*/) {
  hessian_.working_set_changed(new_number);
  const auto last = std::max_element(new_number.begin(), new_number.end());
  const Index size = last == new_number.end() ? 0 : *last + 1;
  Vec kept = Vec::Zero(size);
  for (std::size_t old = 0; old < new_number.size() && static_cast<Index>(old) < known_.b.size(); ++old) {
    const double b = known_.b[static_cast<Index>(old)];
    if (new_number[old] >= 0) {
      kept[new_number[old]] = b;
    } else if (b != 0.0) {
      known_.image.resize(0);  // which it is part of
    }
  }
  known_.b = std::move(kept);
  for (Trail::Solution* at : {&trail_.last, &trail_.before}) {
    Vec c = Vec::Constant(size, std::numeric_limits<double>::quiet_NaN());
    for (std::size_t old = 0; old < new_number.size() && static_cast<Index>(old) < at->c.size(); ++old) {
      if (new_number[old] >= 0) c[new_number[old]] = at->c[static_cast<Index>(old)];
    }
    at->c = std::move(c);
  }
}

void DualNewton::begin(InnerProblem& problem, const Vec& c) {
  Quadratic& model = problem.model;
  all_.resize(static_cast<std::size_t>(model.size()));
  std::iota(all_.begin(), all_.end(), Index{0});
  hessian_.set_curvature(model);
  if (known_.image.size() != model.rows() || known_.b.size() != c.size() || known_.b != model.b0()) make_image(model);
  u_ = model.gradient();
  c_ = c;
  if (problem.lambda != trail_.lambda) {
    follow(problem, c);
    extrapolate(model, problem.lambda);
  }
  const Vec& root = hessian_.root();
  z_ = (root.array() > 0.0).select((u_ - model.u0()).array() / root.array(), 0.0);
}

void DualNewton::follow(const InnerProblem& problem, const Vec& c) {
  if (problem.lambda == trail_.lambda) return;
  std::swap(trail_.before, trail_.last);
  trail_.last.lambda = trail_.lambda;
  trail_.last.u = problem.model.gradient();
  trail_.last.c = c;
  trail_.lambda = problem.lambda;
}

/// Takes the coefficients of the model's reference point, and the sum of their columns.
void DualNewton::make_image(Quadratic& model) {
  known_.b = model.b0();
  fixed_.clear();
  values_.resize(known_.b.size());
  Index count = 0;
  for (const Index w : all_) {
    if (known_.b[w] == 0.0) continue;
    fixed_.push_back(w);
    values_[count++] = known_.b[w];
  }
  values_.conservativeResize(count);
  model.combine(fixed_, values_, known_.image);
}

/// Goes to where the line through the last two solutions leads.
void DualNewton::extrapolate(Quadratic& model, double lambda) {
  const Trail::Solution& last = trail_.last;
  Trail::Solution& before = trail_.before;
  if (before.u.size() != u_.size() || !(before.lambda > last.lambda) || !(last.lambda > lambda) ||
      !(hessian_.root().minCoeff() > 0.0)) {
    return;
  }
  const double fraction = std::min((last.lambda - lambda) / (before.lambda - last.lambda), kFarthest);
  before.c.conservativeResizeLike(Vec::Constant(c_.size(), std::numeric_limits<double>::quiet_NaN()));
  unknown_.clear();
  for (const Index w : all_) {
    if (std::isnan(before.c[w])) unknown_.push_back(w);
  }
  model.correlate(unknown_, before.u, values_);
  for (std::size_t i = 0; i < unknown_.size(); ++i) before.c[unknown_[i]] = values_[static_cast<Index>(i)];
  u_ += fraction * (u_ - before.u);
  c_ += fraction * (c_ - before.c);
}

/// Brings K and the gradient to the present point.
void DualNewton::update(InnerProblem& problem) {
  Quadratic& model = problem.model;
  const auto net = problem.penalty.entries();
  sign_.assign(all_.size(), 0);
  fixed_.clear();
  values_.resize(c_.size());
  Index held = 0;
  for (const Index w : all_) {
    const ElasticNet& e = net[static_cast<std::size_t>(w)];
    const double at = coefficient(e, c_[w]);
    if (at == 0.0) continue;
    if (at > e.lower && at < e.upper) {
      sign_[static_cast<std::size_t>(w)] = at > 0.0 ? 1 : -1;
    } else {
      fixed_.push_back(w);
      values_[held++] = at;
    }
  }
  const Vec& root = hessian_.root();
  hessian_.assign(model, sign_, net, problem.lambda);
  u_ = model.u0() + root.cwiseProduct(z_);
  hessian_.gram().combine(u_, problem.lambda, model.threads(), gradient_);
  gradient_ -= known_.image;
  if (held > 0) {
    values_.conservativeResize(held);
    model.combine(fixed_, values_, rows_);
    gradient_ += rows_;
  }
  gradient_ = z_ + root.cwiseProduct(gradient_);
  hessian_.project(gradient_);
}

/// Length at which the dual along the step is least, or nearly; its slope rises with the length.
double DualNewton::search_line(const InnerProblem& problem) const {
  const auto net = problem.penalty.entries();
  const double start = step_.dot(z_) - step_.dot(hessian_.root().cwiseProduct(known_.image)),
               curvature = step_.squaredNorm();
  const auto slope = [&](double t) {
    double sum = start + t * curvature;
    for (Index w = 0; w < c_.size(); ++w) {
      sum += change_[w] * coefficient(net[static_cast<std::size_t>(w)], c_[w] + t * change_[w]);
    }
    return sum;
  };
  const double allowed = kFlat * std::abs(step_.dot(gradient_));
  if (slope(1.0) <= allowed) return 1.0;
  double low = 0.0, high = 1.0;
  for (int trial = 0; trial < kTrials; ++trial) {
    const double middle = 0.5 * (low + high), at = slope(middle);
    if (std::abs(at) <= allowed) return middle;
    (at > 0.0 ? high : low) = middle;
  }
  return low > 0.0 ? low : high;
}

/// One Newton step with its line search.
bool DualNewton::step(InnerProblem& problem) {
  if (!hessian_.solve(gradient_, kRest * norm_enough(problem), step_)) return false;
  rows_ = hessian_.root().cwiseProduct(step_);
  problem.model.correlate(all_, rows_, change_);
  const double length = search_line(problem);
  z_ += length * step_;
  c_ += length * change_;
  ++problem.counters.newton_steps;
  return step_.allFinite();
}

/// The length of a gradient whose point is likely to do.
double DualNewton::norm_enough(const InnerProblem& problem) const {
  double out = trial_.violation_ratio > 0.0 ? problem.tolerance / trial_.violation_ratio : 0.0;
  if (problem.enough && trial_.gap_ratio > 0.0) out = std::max(out, std::sqrt(2.0 / trial_.gap_ratio));
  return out;
}

/// Whether the coefficients of the present point are likely to do.
bool DualNewton::promising(const InnerProblem& problem, double norm) const {
  return norm * trial_.violation_ratio <= problem.tolerance ||
         (problem.enough && 0.5 * norm * norm * trial_.gap_ratio <= 1.0);
}

/// At most 1 when the coefficients of the present point, which become the model's current point, will do.
double DualNewton::judge(InnerProblem& problem, double norm) {
  const auto net = problem.penalty.entries();
  trial_.b.resize(c_.size());
  for (const Index w : all_) trial_.b[w] = coefficient(net[static_cast<std::size_t>(w)], c_[w]);
  trial_.c.resize(c_.size());
  problem.model.correlations(trial_.b, all_, trial_.c);
  const double worst = problem.penalty.worst_violation(trial_.b, trial_.c);
  const double distance = worst <= problem.tolerance ? 0.0
                          : problem.enough           ? problem.enough(trial_.b, trial_.c)
                                                     : worst / problem.tolerance;
  if (norm > 0.0) {
    trial_.violation_ratio = worst / norm;
    if (problem.enough && distance > 0.0) trial_.gap_ratio = distance / (0.5 * norm * norm);
  }
  return distance;
}

InnerResult DualNewton::solve(InnerProblem problem, Vec& b, Vec& c) {
  InnerResult result;
  if (!handles(problem.model, problem.penalty)) return result;
  begin(problem, c);
  update(problem);
  const Index most = std::min(kMostSteps, problem.max_iter);
  double best = kInfinity;
  Index stalled = 0;
  for (; result.iterations <= most; ++result.iterations) {
    if (problem.poll) problem.poll();
    const double norm = gradient_.norm(), unit = z_.norm() + hessian_.root().cwiseProduct(known_.image).norm();
    const bool rounding = norm <= kRounding * unit;
    if (rounding || promising(problem, norm)) {
      if (judge(problem, norm) <= 1.0) {
        b.swap(trial_.b);
        c.swap(trial_.c);
        known_.b = b;
        known_.image += problem.model.change();
        result.converged = true;
        break;
      }
      if (rounding) break;
    }
    stalled = norm < 0.5 * best ? 0 : stalled + 1;
    best = std::min(best, norm);
    if (stalled > kStalled) break;
    if (result.iterations == most || !step(problem)) break;
    update(problem);
  }
  if (!result.converged) problem.model.move_to(b);  // judge() may have left it elsewhere
  result.cost = problem.model.column_cost() * static_cast<double>(2 * c.size() * (result.iterations + 1));
  return result;
}

}  // namespace riata
