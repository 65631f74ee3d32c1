#include "solver/dual_newton.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "parallel.hpp"

namespace riata {
namespace {

constexpr Index kMostSteps = 100;
constexpr Index kMostIterations = 40;  // of conjugate gradients, with an old factor
constexpr double kExact = 1e-7;        // of a residual, what conjugate gradients may leave
constexpr double kFarthest = 2.0;      // of the way between two lambdas, that the line through them is followed
constexpr double kFlat = 0.3;          // of the slope at the start, that a full step may end with
constexpr Index kStalled = 25;         // steps without progress
constexpr int kTrials = 40;
constexpr double kIterationCost = 6.0;  // of n^2 multiplications: memory, not arithmetic, bounds an iteration
constexpr double kRounding = 1e-13;     // of the gradient, relative to what it is a difference of

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
  gram_.working_set_changed(new_number);
  const auto last = std::max_element(new_number.begin(), new_number.end());
  const Index size = last == new_number.end() ? 0 : *last + 1;
  Vec kept = Vec::Zero(size);
  for (std::size_t old = 0; old < new_number.size() && static_cast<Index>(old) < kept_b_.size(); ++old) {
    const double b = kept_b_[static_cast<Index>(old)];
    if (new_number[old] >= 0) {
      kept[new_number[old]] = b;
    } else if (b != 0.0) {
      image_.resize(0);  // which it is part of
    }
  }
  kept_b_ = std::move(kept);
  for (Solution* at : {&last_, &before_}) {
    Vec c = Vec::Constant(size, std::numeric_limits<double>::quiet_NaN());
    for (std::size_t old = 0; old < new_number.size() && static_cast<Index>(old) < at->c.size(); ++old) {
      if (new_number[old] >= 0) c[new_number[old]] = at->c[static_cast<Index>(old)];
    }
    at->c = std::move(c);
  }
}

void DualNewton::project(Vec& x) const {
  if (unit_.size() > 0) x -= unit_.dot(x) * unit_;
}

void DualNewton::begin(InnerProblem& problem, const Vec& c) {
  Quadratic& model = problem.model;
  all_.resize(static_cast<std::size_t>(model.size()));
  std::iota(all_.begin(), all_.end(), Index{0});
  root_ = model.weights().cwiseMax(0.0).cwiseSqrt();
  unit_.resize(0);
  if (model.intercept()) unit_ = root_.normalized();
  if (image_.size() != model.rows() || kept_b_.size() != c.size() || kept_b_ != model.b0()) {
    kept_b_ = model.b0();
    fixed_.clear();
    values_.resize(kept_b_.size());
    Index count = 0;
    for (const Index w : all_) {
      if (kept_b_[w] == 0.0) continue;
      fixed_.push_back(w);
      values_[count++] = kept_b_[w];
    }
    values_.conservativeResize(count);
    model.combine(fixed_, values_, image_);
  }
  u_ = model.gradient();
  c_ = c;
  if (problem.lambda != lambda_) {
    std::swap(before_, last_);
    last_.lambda = lambda_;
    last_.u = u_;
    last_.c = c_;
    lambda_ = problem.lambda;
    extrapolate(model, problem.lambda);
  }
  z_ = (root_.array() > 0.0).select((u_ - model.u0()).array() / root_.array(), 0.0);
}

/// Goes to where the line through the last two solutions leads.
void DualNewton::extrapolate(Quadratic& model, double lambda) {
  if (before_.u.size() != u_.size() || !(before_.lambda > last_.lambda) || !(last_.lambda > lambda) ||
      !(root_.minCoeff() > 0.0)) {
    return;
  }
  const double fraction = std::min((last_.lambda - lambda) / (before_.lambda - last_.lambda), kFarthest);
  before_.c.conservativeResizeLike(Vec::Constant(c_.size(), std::numeric_limits<double>::quiet_NaN()));
  unknown_.clear();
  for (const Index w : all_) {
    if (std::isnan(before_.c[w])) unknown_.push_back(w);
  }
  model.correlate(unknown_, before_.u, values_);
  for (std::size_t i = 0; i < unknown_.size(); ++i) before_.c[unknown_[i]] = values_[static_cast<Index>(i)];
  u_ += fraction * (u_ - before_.u);
  c_ += fraction * (c_ - before_.c);
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
  gram_.assign(model, sign_, net, problem.lambda);
  u_ = model.u0() + root_.cwiseProduct(z_);
  gram_.combine(u_, problem.lambda, model.threads(), gradient_);
  gradient_ -= image_;
  if (held > 0) {
    values_.conservativeResize(held);
    model.combine(fixed_, values_, rows_);
    gradient_ += rows_;
  }
  gradient_ = z_ + root_.cwiseProduct(gradient_);
  project(gradient_);
}

/// out = (I + H^1/2 K H^1/2 / lambda) x, with the intercept minimised out.
void DualNewton::apply(const InnerProblem& problem, const Vec& x, Vec& out) {
  rows_ = root_.cwiseProduct(x);
  gram_.multiply(rows_, problem.model.threads(), out);
  out = root_.cwiseProduct(out) / problem.lambda;
  project(out);
  out += x;
}

bool DualNewton::make_factor(const InnerProblem& problem) {
  const Mat& K = gram_.matrix();
  const Index n = K.rows();
  Mat& to = factor_.matrix();
  to.resize(n, n);
  double along = 0.0;
  if (unit_.size() > 0) {
    rows_ = root_.cwiseProduct(unit_);
    gram_.multiply(rows_, problem.model.threads(), product_);
    product_ = root_.cwiseProduct(product_) / problem.lambda;
    along = unit_.dot(product_);
  }
  for (Index i = 0; i < n; ++i) {
    auto row = to.col(i).head(i + 1);
    row = K.col(i).head(i + 1).cwiseProduct(root_.head(i + 1)) * (root_[i] / problem.lambda);
    if (unit_.size() > 0) {
      row -= unit_[i] * product_.head(i + 1) + (product_[i] - along * unit_[i]) * unit_.head(i + 1);
    }
    row[i] += 1.0;
  }
  spent_ = 0.0;
  return factor_.make(problem.model.threads());
}

/// The Newton step, in step_. False where the factor is of no use.
bool DualNewton::conjugate_gradients(const InnerProblem& problem) {
  const Index n = root_.size();
  residual_ = -gradient_;
  step_.setZero(n);
  const double first = residual_.norm();
  solved_ = residual_;
  factor_.solve(solved_);
  project(solved_);
  search_ = solved_;
  double product = residual_.dot(solved_);
  for (Index iteration = 0; iteration < kMostIterations; ++iteration) {
    apply(problem, search_, product_);
    const double bend = search_.dot(product_);
    if (!(bend > 0.0) || !(product > 0.0)) return false;
    const double length = product / bend;
    step_ += length * search_;
    residual_ -= length * product_;
    if (iteration > 0) spent_ += kIterationCost * static_cast<double>(n) * static_cast<double>(n);
    if (residual_.norm() <= kExact * first) return true;
    solved_ = residual_;
    factor_.solve(solved_);
    project(solved_);
    const double next = residual_.dot(solved_);
    search_ = solved_ + (next / product) * search_;
    product = next;
  }
  return false;
}

/// Length at which the dual along the step is least, or nearly; its slope rises with the length.
double DualNewton::search_line(const InnerProblem& problem) const {
  const auto net = problem.penalty.entries();
  const double start = step_.dot(z_) - step_.dot(root_.cwiseProduct(image_)), bend = step_.squaredNorm();
  const auto slope = [&](double t) {
    double sum = start + t * bend;
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
  const double n = static_cast<double>(root_.size());
  const bool old = factor_.size() == root_.size() && spent_ < n * n * n / 6.0;
  if (!old && !make_factor(problem)) return false;
  if (!conjugate_gradients(problem) && (!old || !make_factor(problem) || !conjugate_gradients(problem))) return false;
  rows_ = root_.cwiseProduct(step_);
  problem.model.correlate(all_, rows_, change_);
  const double length = search_line(problem);
  z_ += length * step_;
  c_ += length * change_;
  ++problem.counters.newton_steps;
  return step_.allFinite();
}

/// Whether the coefficients of the present point are likely to do.
bool DualNewton::promising(const InnerProblem& problem, double norm) const {
  return norm * violation_ratio_ <= problem.tolerance || (problem.enough && 0.5 * norm * norm * gap_ratio_ <= 1.0);
}

/// At most 1 when the coefficients of the present point, which become the model's current point, will do.
double DualNewton::judge(InnerProblem& problem, double norm) {
  const auto net = problem.penalty.entries();
  trial_b_.resize(c_.size());
  for (const Index w : all_) trial_b_[w] = coefficient(net[static_cast<std::size_t>(w)], c_[w]);
  trial_c_.resize(c_.size());
  problem.model.correlations(trial_b_, all_, trial_c_);
  const double worst = problem.penalty.worst_violation(trial_b_, trial_c_);
  const double distance = worst <= problem.tolerance ? 0.0
                          : problem.enough           ? problem.enough(trial_b_, trial_c_)
                                                     : worst / problem.tolerance;
  if (norm > 0.0) {
    violation_ratio_ = worst / norm;
    if (problem.enough && distance > 0.0) gap_ratio_ = distance / (0.5 * norm * norm);
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
    const double norm = gradient_.norm(), unit = z_.norm() + root_.cwiseProduct(image_).norm();
    const bool rounding = norm <= kRounding * unit;
    if (rounding || promising(problem, norm)) {
      if (judge(problem, norm) <= 1.0) {
        b.swap(trial_b_);
        c.swap(trial_c_);
        kept_b_ = b;
        image_ += problem.model.change();
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
