#include "solver/coordinate_descent.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "penalty/separable.hpp"
#include "solver/anderson.hpp"

namespace riata {
namespace {

static_assert(SeparablePenalty<ElasticNet> && SeparablePenalty<Concave>);

constexpr Index kEpochsPerSet = 50;  // sweeps of one active set before looking at the whole working set again

/// Sweeps over chosen features; keeps the model's (or, with a Gram matrix, its own) correlations in step with b.
template <SeparablePenalty P>
class Sweeper {
 public:
  Sweeper(InnerProblem& problem, std::span<const P> penalty, Vec& b, Vec& c)
      : problem_(problem), penalty_(penalty), b_(b), c_(c), diagonal_(problem.model.diagonal()) {}

  /// Column products so far.
  double products() const { return products_; }

  void sweep(std::span<const Index> features) {
    Quadratic& model = problem_.model;
    const bool gram = model.has_gram();
    for (Index w : features) {
      const double curvature = diagonal_[w];
      if (curvature <= 0.0) continue;
      const double gradient = gram ? c_[w] : model.column_correlation(w);
      const double next = penalty_[static_cast<std::size_t>(w)].prox(b_[w] + gradient / curvature, 1.0 / curvature);
      const double change = next - b_[w];
      ++products_;
      if (change == 0.0) continue;
      ++products_;
      b_[w] = next;
      if (gram) {
        c_.noalias() -= change * model.gram().col(w);
      } else {
        model.column_update(w, change);
      }
      ++problem_.counters.cd_updates;
    }
  }

 private:
  InnerProblem& problem_;
  std::span<const P> penalty_;
  Vec& b_;
  Vec& c_;
  Vec diagonal_;
  double products_ = 0.0;
};

/// The objective, given c at b.
template <SeparablePenalty P>
double objective(const InnerProblem& problem, std::span<const P> net, const Vec& b, const Vec& c) {
  double sum = problem.model.value(b, c);
  for (std::size_t w = 0; w < net.size(); ++w) sum += net[w].value(b[static_cast<Index>(w)]);
  return sum;
}

template <SeparablePenalty P>
InnerResult descend(InnerProblem& problem, std::span<const P> net, Vec& b, Vec& c) {
  Quadratic& model = problem.model;
  Sweeper sweeper(problem, net, b, c);
  std::vector<Index> all(static_cast<std::size_t>(model.size()));
  std::iota(all.begin(), all.end(), Index{0});
  InnerResult result;
  const double column_cost = model.column_cost(), update_cost = model.update_cost();
  double last_worst = kInfinity, evaluations = static_cast<double>(model.size());
  int stagnant = 0;
  model.correlations(b, all, c);
  while (result.iterations < problem.max_iter) {
    const double worst = problem.penalty.worst_violation(b, c);
    if (worst <= problem.tolerance) {
      result.converged = true;
      break;
    }
    stagnant = worst < 0.9 * last_worst ? 0 : stagnant + 1;
    last_worst = std::min(last_worst, worst);
    if (stagnant > 200) break;

    std::vector<Index> active;
    for (Index w : all) {
      // Features that moved since the expansion count in the objective: their c has to be kept right too.
      if (b[w] != 0.0 || model.b0()[w] != 0.0 || net[static_cast<std::size_t>(w)].kkt_violation(b[w], c[w]) > 0.0)
        active.push_back(w);
    }
    const Index m = static_cast<Index>(active.size());
    Mat history(m, kWindow + 1);
    Vec combined;
    for (Index epoch = 0; epoch < kEpochsPerSet && result.iterations < problem.max_iter; ++epoch, ++result.iterations) {
      if (problem.poll) problem.poll();
      result.cost = update_cost * sweeper.products() + column_cost * evaluations;
      if (result.cost > problem.max_cost) break;
      const Index slot = epoch % (kWindow + 1);
      for (Index i = 0; i < m; ++i) history(i, slot) = b[active[static_cast<std::size_t>(i)]];
      if (slot == kWindow) {
        model.correlations(b, active, c);
        evaluations += 2.0 * static_cast<double>(m);
        double violation = 0.0;
        for (Index w : active) {
          violation = std::max(violation, net[static_cast<std::size_t>(w)].kkt_violation(b[w], c[w]));
        }
        if (violation <= std::max(0.5 * problem.tolerance, 0.05 * worst)) break;
        if (extrapolate(history, combined)) {
          const double before = objective(problem, net, b, c);
          const Vec kept = b;
          for (Index i = 0; i < m; ++i) {
            const Index w = active[static_cast<std::size_t>(i)];
            const P& penalty = net[static_cast<std::size_t>(w)];
            b[w] = std::clamp(combined[i], penalty.lower, penalty.upper);
          }
          model.correlations(b, active, c);
          evaluations += 2.0 * static_cast<double>(m);
          if (!(objective(problem, net, b, c) < before)) {
            b = kept;
            model.correlations(b, active, c);
          }
        }
        if (model.has_gram()) model.correlations(b, all, c);
      }
      sweeper.sweep(active);
    }
    model.correlations(b, all, c);
    evaluations += static_cast<double>(m + model.size());
    result.cost = update_cost * sweeper.products() + column_cost * evaluations;
    if (result.cost > problem.max_cost) break;
  }
  return result;
}

}  // namespace

InnerResult CoordinateDescent::solve(InnerProblem problem, Vec& b, Vec& c) {
  return problem.penalty.convex() ? descend(problem, problem.penalty.entries(), b, c)
                                  : descend(problem, problem.penalty.concave(), b, c);
}

}  // namespace riata
