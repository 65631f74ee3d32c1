#include "solver/slope_newton.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace riata {
namespace {

constexpr int kShort = 1, kLong = 32;  // proximal steps between two minimisations over sizes
constexpr Index kFirstRounds = 5;
constexpr std::size_t kMostMembers = 2000;  // of clusters, with a Gram matrix
constexpr int kMaxStalls = 60;              // rounds without progress
constexpr double kGrowth = 1.5,
                 kEase = 0.95;  // of the Lipschitz constant, where a step passes it and from call to call

}  // namespace

/// The Gram matrix of the signed sums of columns of each cluster.
void SlopeNewton::reduce_gram(Quadratic& model) {
  const std::vector<Index>& entries = clusters_.entries;
  const std::vector<double>& signs = clusters_.signs;
  std::vector<Index>& place = scratch_.place;
  place.clear();
  for (std::size_t r = 0; r < clusters_.size(); ++r) place.resize(clusters_.end(r), static_cast<Index>(r));
  const std::size_t members = entries.size();
  const Index k = static_cast<Index>(clusters_.size()), m = static_cast<Index>(members);
  auto out = scratch_.reduced.shape(k, k);
  out.setZero();
  if (members <= kMostMembers) {
    gram_.ensure(model, entries);
    auto gram = scratch_.gram.shape(m, m);
    gram_.block(entries, gram);
    for (std::size_t j = 0; j < members; ++j) {
      const double* const column = gram.col(static_cast<Index>(j)).data();
      for (std::size_t i = 0; i < members; ++i) out(place[i], place[j]) += signs[i] * signs[j] * column[i];
    }
    return;
  }
  gram_.invalidate();  // a product with the columns for each cluster
  auto whole = scratch_.whole.shape(m, 1), image = scratch_.image.shape(m, 1);
  for (Index r = 0; r < k; ++r) {
    for (std::size_t i = 0; i < members; ++i) whole(static_cast<Index>(i), 0) = place[i] == r ? signs[i] : 0.0;
    model.hessian_product(entries, whole, image);
    for (std::size_t i = 0; i < members; ++i) out(place[i], r) += signs[i] * image(static_cast<Index>(i), 0);
  }
}

/// Accelerated proximal gradient steps. Whether b moved.
bool SlopeNewton::descend(InnerProblem& problem, int steps, Vec& b, Vec& c) {
  Quadratic& model = problem.model;
  sequence_.restart(b);
  const Vec& z = sequence_.point();
  Vec &cz = scratch_.cz, &next = scratch_.next, &next_c = scratch_.next_c, &change = scratch_.change;
  cz = c;
  next_c.resize(b.size());
  const double most = std::max(model.diagonal().sum(), lipschitz_);  // no eigenvalue is larger
  bool moved = false;
  for (int step = 0; step < steps; ++step) {
    const double at = model.value(z, cz);
    for (;;) {
      next = z + cz / lipschitz_;
      scratch_.step.setConstant(problem.penalty.units(), 1.0 / lipschitz_);
      problem.penalty.prox(next, scratch_.step);
      model.correlations(next, all_, next_c);
      change = next - z;
      const double square = change.squaredNorm(), curvature = change.dot(cz - next_c);
      // A change of rounding alone bends as it likes.
      if (curvature <= lipschitz_ * square * (1.0 + 1e-12) || lipschitz_ >= most || !std::isfinite(at)) break;
      if (square <= 1e-22 * z.squaredNorm()) break;
      lipschitz_ = std::min(std::max(kGrowth * lipschitz_, curvature / square), most);
    }
    ++problem.counters.prox_steps;
    moved = moved || next != b;
    const double share = sequence_.advance(b, next, [](const auto& x, const Vec& y) { return x.dot(y); });
    cz = next_c + share * (next_c - c);
    b = next;
    c = next_c;
  }
  return moved;
}

/// Minimises over the sizes of at most so many clusters and what is free, merging such as meet. Returns the number of
/// steps that took; 0, with b as it was, when the objective did not fall.
Index SlopeNewton::minimise_sizes(InnerProblem& problem, Index most, Vec& b, Vec& c) {
  Quadratic& model = problem.model;
  find_clusters(*problem.penalty.sorted(), b, clusters_);
  if (clusters_.size() == 0 || static_cast<Index>(clusters_.size()) > most) return 0;
  reduce_gram(model);
  face_.begin(clusters_, scratch_.reduced.mat(), c);
  Index steps = 0;
  for (bool there = false; !there; ++steps) {
    if (problem.poll) problem.poll();
    there = face_.step();
  }
  problem.counters.newton_steps += steps;
  Vec &next = scratch_.next, &next_c = scratch_.next_c;
  next.resize(b.size());
  next_c.resize(b.size());
  face_.coefficients(next);
  model.correlations(next, all_, next_c);
  const double before = model.value(b, c) + problem.penalty.value(b);
  if (!(model.value(next, next_c) + problem.penalty.value(next) <= before)) return 0;
  b = next;
  c = next_c;
  return steps;
}

InnerResult SlopeNewton::solve(InnerProblem problem, Vec& b, Vec& c) {
  Quadratic& model = problem.model;
  all_.resize(static_cast<std::size_t>(model.size()));
  std::iota(all_.begin(), all_.end(), Index{0});
  lipschitz_ = std::max(kEase * lipschitz_, model.size() > 0 ? model.diagonal().maxCoeff() : 1.0);
  if (!(lipschitz_ > 0.0)) lipschitz_ = 1.0;
  InnerResult result;
  double best = kInfinity;
  int steps = kShort, stalls = 0;
  while (result.iterations < problem.max_iter) {
    if (problem.poll) problem.poll();
    const double worst = problem.penalty.worst_violation(b, c);
    const double distance = worst <= problem.tolerance ? 0.0 : problem.enough ? problem.enough(b, c) : kInfinity;
    if (distance <= 1.0) {
      result.converged = true;
      break;
    }
    stalls = worst < 0.9 * best ? 0 : stalls + 1;
    best = std::min(best, worst);
    if (stalls > kMaxStalls) break;
    // With as many clusters as rows most of them meet again: only where nothing else gets there.
    const Index most = result.iterations < kFirstRounds ? model.rows() - 1 : 2 * model.rows();
    const Index taken = problem.descent_only ? 0 : minimise_sizes(problem, most, b, c);
    descend(problem, steps, b, c);
    // Proximal steps split clusters. At first they are cheaper than many of the others; in the end one will do.
    const bool settled = taken == 1 || (taken > 0 && result.iterations >= kFirstRounds);
    steps = settled ? kShort : std::min(2 * steps, kLong);
    ++result.iterations;
  }
  // From the columns, once, with their rounding alone.
  model.correlations(b, all_, c);
  return result;
}

}  // namespace riata
