#include "solver/slope_newton.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "solver/cluster_face.hpp"
#include "solver/fista.hpp"

namespace riata {
namespace {

constexpr int kShort = 1, kLong = 32;  // proximal steps between two minimisations over sizes
constexpr Index kPatience = 5;
constexpr std::size_t kMostMembers = 2000;  // of clusters, with a Gram matrix
constexpr int kStagnant = 60;               // rounds without progress
constexpr double kGrowth = 1.5,
                 kEase = 0.95;  // of the Lipschitz constant, where a step passes it and from call to call

std::vector<Index> all_of(Index size) {
  std::vector<Index> out(static_cast<std::size_t>(size));
  std::iota(out.begin(), out.end(), Index{0});
  return out;
}

/// The Gram matrix of the signed sums of columns of each cluster.
Mat reduced_gram(Quadratic& model, GramCache& held, const std::vector<Cluster>& clusters) {
  std::vector<Index> entries, place;
  std::vector<double> signs;
  for (std::size_t r = 0; r < clusters.size(); ++r) {
    entries.insert(entries.end(), clusters[r].entries.begin(), clusters[r].entries.end());
    signs.insert(signs.end(), clusters[r].signs.begin(), clusters[r].signs.end());
    place.resize(entries.size(), static_cast<Index>(r));
  }
  const std::size_t members = entries.size();
  const Index k = static_cast<Index>(clusters.size());
  Mat out = Mat::Zero(k, k);
  if (members <= kMostMembers) {
    held.ensure(model, entries);
    const Mat gram = held.block(entries);
    for (std::size_t j = 0; j < members; ++j) {
      const double* const column = gram.col(static_cast<Index>(j)).data();
      for (std::size_t i = 0; i < members; ++i) out(place[i], place[j]) += signs[i] * signs[j] * column[i];
    }
    return out;
  }
  held.invalidate();  // a product with the columns for each cluster
  Mat whole, image;
  for (Index r = 0; r < k; ++r) {
    whole.setZero(1, static_cast<Index>(members));
    for (std::size_t i = 0; i < members; ++i) {
      if (place[i] == r) whole(0, static_cast<Index>(i)) = signs[i];
    }
    model.curve(entries, whole, image);
    for (std::size_t i = 0; i < members; ++i) out(place[i], r) += signs[i] * image(0, static_cast<Index>(i));
  }
  return out;
}

}  // namespace

/// Accelerated proximal gradient steps. Whether b moved.
bool SlopeNewton::descend(InnerProblem& problem, int steps, Vec& b, Vec& c) {
  Quadratic& model = problem.model;
  const std::vector<Index> all = all_of(b.size());
  Fista sequence(b);
  const Vec& z = sequence.point();
  Vec cz = c, next, next_c(b.size());
  const double most = std::max(model.diagonal().sum(), lipschitz_);  // no eigenvalue is larger
  bool moved = false;
  for (int step = 0; step < steps; ++step) {
    const double at = model.value(z, cz);
    for (;;) {
      next = z + cz / lipschitz_;
      problem.penalty.prox(next, Vec::Constant(problem.penalty.units(), 1.0 / lipschitz_));
      model.correlations(next, all, next_c);
      const Vec change = next - z;
      const double square = change.squaredNorm(), bend = change.dot(cz - next_c);
      // A change of rounding alone bends as it likes.
      if (bend <= lipschitz_ * square * (1.0 + 1e-12) || lipschitz_ >= most || !std::isfinite(at)) break;
      if (square <= 1e-22 * z.squaredNorm()) break;
      lipschitz_ = std::min(std::max(kGrowth * lipschitz_, bend / square), most);
    }
    ++problem.counters.prox_steps;
    moved = moved || next != b;
    const double share = sequence.advance(b, next, [](const auto& x, const Vec& y) { return x.dot(y); });
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
  std::vector<Cluster> clusters = clusters_of(*problem.penalty.sorted(), b);
  if (clusters.empty() || static_cast<Index>(clusters.size()) > most) return 0;
  Mat gram = reduced_gram(model, gram_, clusters);
  ClusterFace face(std::move(clusters), std::move(gram), c);
  Index steps = 0;
  for (bool there = false; !there; ++steps) {
    if (problem.poll) problem.poll();
    there = face.step();
  }
  problem.counters.newton_steps += steps;
  const Vec next = face.coefficients(b.size());
  Vec next_c(b.size());
  model.correlations(next, all_of(b.size()), next_c);
  const double before = model.value(b, c) + problem.penalty.value(b);
  if (!(model.value(next, next_c) + problem.penalty.value(next) <= before)) return 0;
  b = next;
  c = next_c;
  return steps;
}

InnerResult SlopeNewton::solve(InnerProblem problem, Vec& b, Vec& c) {
  Quadratic& model = problem.model;
  const std::vector<Index> all = all_of(model.size());
  lipschitz_ = std::max(kEase * lipschitz_, model.size() > 0 ? model.diagonal().maxCoeff() : 1.0);
  if (!(lipschitz_ > 0.0)) lipschitz_ = 1.0;
  InnerResult result;
  double best = kInfinity;
  int steps = kShort, stagnant = 0;
  while (result.iterations < problem.max_iter) {
    if (problem.poll) problem.poll();
    const double worst = problem.penalty.worst_violation(b, c);
    const double distance = worst <= problem.tolerance ? 0.0 : problem.enough ? problem.enough(b, c) : kInfinity;
    if (distance <= 1.0) {
      result.converged = true;
      break;
    }
    stagnant = worst < 0.9 * best ? 0 : stagnant + 1;
    best = std::min(best, worst);
    if (stagnant > kStagnant) break;
    // With as many clusters as rows most of them meet again: only where nothing else gets there.
    const Index most = result.iterations < kPatience ? model.rows() - 1 : 2 * model.rows();
    const Index taken = problem.descent_only ? 0 : minimise_sizes(problem, most, b, c);
    descend(problem, steps, b, c);
    // Proximal steps split clusters. At first they are cheaper than many of the others; in the end one will do.
    const bool settled = taken == 1 || (taken > 0 && result.iterations >= kPatience);
    steps = settled ? kShort : std::min(2 * steps, kLong);
    ++result.iterations;
  }
  // From the columns, once, with their rounding alone.
  model.correlations(b, all, c);
  return result;
}

}  // namespace riata
