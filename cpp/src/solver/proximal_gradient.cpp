#include "solver/proximal_gradient.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace riata {
namespace {

constexpr int kPowerSteps = 20;
constexpr Index kCheckEvery = 10;

/// G v.
Vec curved(Quadratic& model, const Vec& v) {
  if (model.has_gram()) return model.gram_product(v);
  std::vector<Index> features(static_cast<std::size_t>(model.features()));
  std::iota(features.begin(), features.end(), Index{0});
  Mat image;
  model.curve(features, v.reshaped(model.outputs(), model.features()), image);
  return image.reshaped();
}

}  // namespace

InnerResult ProximalGradient::solve(InnerProblem problem, Vec& b, Vec& c) {
  Quadratic& model = problem.model;
  const Index size = model.size();
  std::vector<Index> all(static_cast<std::size_t>(size));
  std::iota(all.begin(), all.end(), Index{0});
  InnerResult result;
  if (size == 0) {
    result.converged = true;
    return result;
  }
  // Work in the metric of the Gram diagonal, so that columns of very different scale share one step length.
  Vec metric = model.diagonal();
  const double largest = metric.maxCoeff();
  metric = metric.cwiseMax(1e-14 * (largest > 0.0 ? largest : 1.0));
  const Penalties& penalty = problem.penalty;
  for (Index i = 0; i < penalty.units(); ++i) {  // the entries of a unit share a step
    auto mine = metric.segment(penalty.begin(i), penalty.begin(i + 1) - penalty.begin(i));
    mine.setConstant(mine.maxCoeff());
  }

  // Largest eigenvalue of metric^-1/2 G metric^-1/2 by power iteration from a fixed start.
  Vec v(size), image(size);
  for (Index w = 0; w < size; ++w) v[w] = 1.0 + 0.5 * std::sin(static_cast<double>(w) * 1.7);
  double lipschitz = 1.0;
  for (int k = 0; k < kPowerSteps; ++k) {
    v /= std::sqrt(v.dot(metric.cwiseProduct(v)));
    image = curved(model, v).cwiseQuotient(metric);
    lipschitz = std::sqrt(std::max(image.dot(metric.cwiseProduct(image)), 0.0));
    if (!(lipschitz > 0.0)) break;
    v = image;
  }
  lipschitz = 1.05 * std::max(lipschitz, 1e-300);

  Vec step(penalty.units());  // of each unit
  for (Index i = 0; i < step.size(); ++i) step[i] = 1.0 / (lipschitz * metric[penalty.begin(i)]);
  Vec pace = (lipschitz * metric).cwiseInverse();  // of each entry
  Vec z = b, next(size), cz(size);
  model.correlations(b, all, c);
  double momentum = 1.0, last_value = objective(problem, b, c), worst = penalty.worst_violation(b, c);
  Vec checked = b;
  int stagnant = 0;
  double best_worst = worst;
  while (worst > problem.tolerance && result.iterations < problem.max_iter) {
    if (problem.poll) problem.poll();
    ++result.iterations;
    ++problem.counters.prox_steps;
    model.correlations(z, all, cz);
    next = z + pace.cwiseProduct(cz);
    penalty.prox(next, step);
    const Vec change = next - b;
    if ((z - next).cwiseProduct(metric).dot(change) > 0.0) momentum = 1.0;
    const double next_momentum = 0.5 * (1.0 + std::sqrt(1.0 + 4.0 * momentum * momentum));
    z = next + ((momentum - 1.0) / next_momentum) * change;
    momentum = next_momentum;
    b = next;
    if (result.iterations % kCheckEvery != 0) continue;

    model.correlations(b, all, c);
    const double value = objective(problem, b, c);
    if (!(value <= last_value + 1e-12 * std::abs(last_value))) {  // the power iteration stopped short: shorter steps
      step /= 1.5;
      pace /= 1.5;
      b = checked;
      z = b;
      momentum = 1.0;
      model.correlations(b, all, c);
    } else {
      last_value = value;
      checked = b;
    }
    worst = penalty.worst_violation(b, c);
    stagnant = worst < 0.99 * best_worst ? 0 : stagnant + 1;
    best_worst = std::min(best_worst, worst);
    if (stagnant > 1000) break;
    if (problem.enough && problem.enough(b, c) <= 1.0) {
      result.converged = true;
      return result;
    }
  }
  model.correlations(b, all, c);
  result.converged = penalty.worst_violation(b, c) <= problem.tolerance;
  return result;
}

}  // namespace riata
