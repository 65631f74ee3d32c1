#include "solver/coordinate_descent.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace riata {
namespace {

constexpr Index kEpochsPerSet = 50;  // sweeps of one active set before looking at the whole working set again
constexpr int kMostStagnant = 200;   // looks without progress

/// The objective, given c at b.
template <SeparablePenalty P>
double objective(const InnerProblem& problem, std::span<const P> net, const Vec& b, const Vec& c) {
  double sum = problem.model.value(b, c);
  for (std::size_t w = 0; w < net.size(); ++w) sum += net[w].value(b[static_cast<Index>(w)]);
  return sum;
}

}  // namespace

/// One step for each active coefficient; the correlations of the model or, with a Gram matrix, c, keep in step with b.
template <SeparablePenalty P>
void CoordinateDescent::sweep(InnerProblem& problem, std::span<const P> net, Vec& b, Vec& c) {
  Quadratic& model = problem.model;
  const bool gram = model.has_gram();
  const Vec& diagonal = model.diagonal();
  for (const Index w : active_) {
    const double curvature = diagonal[w];
    if (curvature <= 0.0) continue;
    const double gradient = gram ? c[w] : model.column_correlation(w);
    const double next = net[static_cast<std::size_t>(w)].prox(b[w] + gradient / curvature, 1.0 / curvature);
    const double change = next - b[w];
    ++products_;
    if (change == 0.0) continue;
    ++products_;
    b[w] = next;
    if (gram) {
      c.noalias() -= change * model.gram().col(w);
    } else {
      model.column_update(w, change);
    }
    ++problem.counters.cd_updates;
  }
}

/// The coefficients that are swept: what is not zero, violates, or has moved since the expansion and so counts in the
/// objective by its c.
template <SeparablePenalty P>
void CoordinateDescent::find_active(const InnerProblem& problem, std::span<const P> net, const Vec& b, const Vec& c) {
  active_.clear();
  for (const Index w : all_) {
    if (b[w] != 0.0 || problem.model.b0()[w] != 0.0 ||
        net[static_cast<std::size_t>(w)].kkt_violation(b[w], c[w]) > 0.0) {
      active_.push_back(w);
    }
  }
}

/// Goes to the extrapolated point if that is lower. False, without a step, when the active set violates by no more than
/// the target.
template <SeparablePenalty P>
bool CoordinateDescent::extrapolate(InnerProblem& problem, std::span<const P> net, double target, Vec& b, Vec& c) {
  Quadratic& model = problem.model;
  const double m = static_cast<double>(active_.size());
  model.correlations(b, active_, c);
  evaluations_ += 2.0 * m;
  double violation = 0.0;
  for (const Index w : active_) {
    violation = std::max(violation, net[static_cast<std::size_t>(w)].kkt_violation(b[w], c[w]));
  }
  if (violation <= target) return false;
  if (anderson_.combine()) {
    const double before = objective(problem, net, b, c);
    kept_ = b;
    const auto combined = anderson_.combined();
    for (std::size_t i = 0; i < active_.size(); ++i) {
      const Index w = active_[i];
      const P& penalty = net[static_cast<std::size_t>(w)];
      b[w] = std::clamp(combined[static_cast<Index>(i)], penalty.lower, penalty.upper);
    }
    model.correlations(b, active_, c);
    evaluations_ += 2.0 * m;
    if (!(objective(problem, net, b, c) < before)) {
      b = kept_;
      model.correlations(b, active_, c);
    }
  }
  if (model.has_gram()) model.correlations(b, all_, c);
  return true;
}

template <SeparablePenalty P>
InnerResult CoordinateDescent::descend(InnerProblem& problem, std::span<const P> net, Vec& b, Vec& c) {
  Quadratic& model = problem.model;
  all_.resize(static_cast<std::size_t>(model.size()));
  std::iota(all_.begin(), all_.end(), Index{0});
  products_ = 0.0;
  evaluations_ = static_cast<double>(model.size());
  InnerResult result;
  const double column_cost = model.column_cost(), update_cost = model.update_cost();
  const auto cost = [&] { return update_cost * products_ + column_cost * evaluations_; };
  double last_worst = kInfinity;
  int stagnant = 0;
  model.correlations(b, all_, c);
  while (result.iterations < problem.max_iter) {
    const double worst = problem.penalty.worst_violation(b, c);
    if (worst <= problem.tolerance) {
      result.converged = true;
      break;
    }
    stagnant = worst < 0.9 * last_worst ? 0 : stagnant + 1;
    last_worst = std::min(last_worst, worst);
    if (stagnant > kMostStagnant) break;

    find_active(problem, net, b, c);
    const Index m = static_cast<Index>(active_.size());
    anderson_.begin(m);
    const double target = std::max(0.5 * problem.tolerance, 0.05 * worst);
    for (Index epoch = 0; epoch < kEpochsPerSet && result.iterations < problem.max_iter; ++epoch, ++result.iterations) {
      if (problem.poll) problem.poll();
      result.cost = cost();
      if (result.cost > problem.max_cost) break;
      auto iterate = anderson_.iterate(epoch);
      for (Index i = 0; i < m; ++i) iterate[i] = b[active_[static_cast<std::size_t>(i)]];
      if (Anderson::enough(epoch) && !extrapolate(problem, net, target, b, c)) break;
      sweep(problem, net, b, c);
    }
    model.correlations(b, all_, c);
    evaluations_ += static_cast<double>(m + model.size());
    result.cost = cost();
    if (result.cost > problem.max_cost) break;
  }
  return result;
}

InnerResult CoordinateDescent::solve(InnerProblem problem, Vec& b, Vec& c) {
  return problem.penalty.visit_separate([&](const auto net) { return descend(problem, net, b, c); });
}

}  // namespace riata
