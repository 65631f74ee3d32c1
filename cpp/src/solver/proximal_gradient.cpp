#include "solver/proximal_gradient.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "solver/fista.hpp"
#include "solver/power_iteration.hpp"

namespace riata {
namespace {

constexpr Index kCheckEvery = 10;    // steps between two looks at c
constexpr int kMostStagnant = 1000;  // looks without progress
constexpr double kShorter = 1.5;     // divides the step where the objective has risen

/// G v.
Vec curved(Quadratic& model, const Vec& v) {
  if (model.has_gram()) {
    Vec image(v.size());
    model.gram_product(v, image);
    return image;
  }
  std::vector<Index> features(static_cast<std::size_t>(model.features()));
  std::iota(features.begin(), features.end(), Index{0});
  Mat image(model.features(), model.outputs());
  model.hessian_product(features, v.reshaped(model.outputs(), model.features()).transpose(), image);
  return image.transpose().reshaped();
}

/// The diagonal of the Gram matrix, so that columns of very different scale share one step length; the entries of a
/// unit of the penalty share a step.
Vec metric_of(Quadratic& model, const Penalties& penalty) {
  Vec metric = model.diagonal();
  const double largest = metric.maxCoeff();
  metric = metric.cwiseMax(1e-14 * (largest > 0.0 ? largest : 1.0));
  for (Index i = 0; i < penalty.units(); ++i) {
    auto mine = metric.segment(penalty.begin(i), penalty.begin(i + 1) - penalty.begin(i));
    mine.setConstant(mine.maxCoeff());
  }
  return metric;
}

/// Of the gradient, in the metric.
double lipschitz_constant(Quadratic& model, const Vec& metric) {
  const auto product = [&](const Vec& v) { return Vec(curved(model, v).cwiseQuotient(metric)); };
  const auto norm = [&](const Vec& v) { return std::sqrt(std::max(v.dot(metric.cwiseProduct(v)), 0.0)); };
  return std::max(largest_eigenvalue(metric.size(), product, norm), 1.05e-300);
}

/// Steps in the metric, and the iterate; what they work on is kept from one to the next.
class Descent {
 public:
  Descent(InnerProblem& problem, Vec& b, Vec& c)
      : problem_(problem),
        b_(b),
        c_(c),
        metric_(metric_of(problem.model, problem.penalty)),
        all_(static_cast<std::size_t>(b.size())),
        step_(problem.penalty.units()),
        sequence_(b),
        next_(b.size()),
        cz_(b.size()),
        checked_(b) {
    std::iota(all_.begin(), all_.end(), Index{0});
    const double lipschitz = lipschitz_constant(problem.model, metric_);
    for (Index i = 0; i < step_.size(); ++i) step_[i] = 1.0 / (lipschitz * metric_[problem.penalty.begin(i)]);
    pace_ = (lipschitz * metric_).cwiseInverse();
    correlate();
    last_value_ = objective(problem, b, c);
  }

  /// c at b.
  void correlate() { problem_.model.correlations(b_, all_, c_); }

  void step() {
    ++problem_.counters.prox_steps;
    problem_.model.correlations(sequence_.point(), all_, cz_);
    next_ = sequence_.point() + pace_.cwiseProduct(cz_);
    problem_.penalty.prox(next_, step_);
    sequence_.advance(b_, next_, [&](const auto& x, const Vec& y) { return x.cwiseProduct(metric_).dot(y); });
    b_ = next_;
  }

  /// Goes back, to take shorter steps, where the objective has risen: the power iteration stopped short.
  void check() {
    correlate();
    const double value = objective(problem_, b_, c_);
    if (value <= last_value_ + 1e-12 * std::abs(last_value_)) {
      last_value_ = value;
      checked_ = b_;
      return;
    }
    step_ /= kShorter;
    pace_ /= kShorter;
    b_ = checked_;
    sequence_.restart(b_);
    correlate();
  }

 private:
  InnerProblem& problem_;
  Vec& b_;
  Vec& c_;
  Vec metric_;
  std::vector<Index> all_;
  Vec step_, pace_;  // of each unit, of each entry
  Fista sequence_;
  Vec next_, cz_;
  Vec checked_;  // where the objective was looked at last
  double last_value_ = 0.0;
};

}  // namespace

InnerResult ProximalGradient::solve(InnerProblem problem, Vec& b, Vec& c) {
  InnerResult result;
  if (b.size() == 0) {
    result.converged = true;
    return result;
  }
  Descent descent(problem, b, c);
  double worst = problem.penalty.worst_violation(b, c), best = worst;
  int stagnant = 0;
  while (worst > problem.tolerance && result.iterations < problem.max_iter) {
    if (problem.poll) problem.poll();
    ++result.iterations;
    descent.step();
    if (result.iterations % kCheckEvery != 0) continue;
    descent.check();
    worst = problem.penalty.worst_violation(b, c);
    stagnant = worst < 0.99 * best ? 0 : stagnant + 1;
    best = std::min(best, worst);
    if (stagnant > kMostStagnant) break;
    if (problem.enough && problem.enough(b, c) <= 1.0) {
      result.converged = true;
      return result;
    }
  }
  descent.correlate();
  result.converged = problem.penalty.worst_violation(b, c) <= problem.tolerance;
  return result;
}

}  // namespace riata
