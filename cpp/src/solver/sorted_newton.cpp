#include "riata/solver/sorted_newton.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <numeric>

namespace riata {
namespace {

constexpr int kShort = 1, kLong = 32;  // proximal steps between two Newton steps: after a full one, after one cut short
constexpr Index kPatience = 5;
constexpr Index kMostMembers = 2000;  // of clusters, with a Gram matrix
constexpr int kStagnant = 60;         // rounds without progress
constexpr double kGrowth = 1.5,
                 kEase = 0.95;  // of the Lipschitz constant, where a step passes it and from call to call

std::vector<Index> all_of(Index size) {
  std::vector<Index> out(static_cast<std::size_t>(size));
  std::iota(out.begin(), out.end(), Index{0});
  return out;
}

/// Coefficients of one size, or one that is free.
struct Cluster {
  double size;
  std::vector<Index> entries;
  std::vector<double> signs;
  double weight;  // sum of their penalty weights
  bool free;
};

/// Clusters of nonzero size, the largest first, after those that are free.
std::vector<Cluster> clusters_of(const Sorted& penalty, const Vec& b) {
  std::vector<Cluster> out;
  for (Index e = 0; e < penalty.free; ++e) out.push_back({b[e], {e}, {1.0}, 0.0, true});
  const auto part = penalty.part(b);
  Index rank = 0;
  for (const Index i : SortedL1::order(part)) {
    const double size = std::abs(part[i]);
    if (size == 0.0) break;
    if (out.empty() || out.back().free || out.back().size != size) out.push_back({size, {}, {}, 0.0, false});
    out.back().entries.push_back(penalty.free + i);
    out.back().signs.push_back(std::copysign(1.0, part[i]));
    out.back().weight += penalty.net.weights()[rank++];
  }
  return out;
}

/// Sets the sizes so that they fall and none is negative; those that would pass each other meet at their mean.
void keep_order(const std::vector<Cluster>& clusters, Vec& sizes) {
  struct Block {
    double sum, count;
    std::size_t first;
  };
  std::vector<Block> blocks;
  for (std::size_t r = 0; r < clusters.size(); ++r) {
    if (clusters[r].free) continue;
    const double count = static_cast<double>(clusters[r].entries.size());
    blocks.push_back({sizes[static_cast<Index>(r)] * count, count, r});
    while (blocks.size() > 1) {
      const Block last = blocks.back();
      Block& before = blocks[blocks.size() - 2];
      if (before.sum * last.count > last.sum * before.count) break;
      before.sum += last.sum;
      before.count += last.count;
      blocks.pop_back();
    }
  }
  for (std::size_t k = 0; k < blocks.size(); ++k) {
    const std::size_t end = k + 1 < blocks.size() ? blocks[k + 1].first : clusters.size();
    for (std::size_t r = blocks[k].first; r < end; ++r) {
      sizes[static_cast<Index>(r)] = std::max(blocks[k].sum / blocks[k].count, 0.0);
    }
  }
}

Vec spread(const std::vector<Cluster>& clusters, const Vec& sizes, Index length) {
  Vec b = Vec::Zero(length);
  for (std::size_t r = 0; r < clusters.size(); ++r) {
    for (std::size_t i = 0; i < clusters[r].entries.size(); ++i) {
      b[clusters[r].entries[i]] = clusters[r].signs[i] * sizes[static_cast<Index>(r)];
    }
  }
  return b;
}

}  // namespace

/// Accelerated proximal gradient steps. Whether b moved.
bool SortedNewton::descend(PenalisedProblem& problem, int steps, Vec& b, Vec& c) {
  Quadratic& model = problem.model;
  const std::vector<Index> all = all_of(b.size());
  Vec z = b, cz = c, next, next_c(b.size());
  const double most = std::max(model.diagonal().sum(), lipschitz_);  // no eigenvalue is larger
  double momentum = 1.0;
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
    const Vec change = next - b;
    if ((z - next).dot(change) > 0.0) momentum = 1.0;
    const double next_momentum = 0.5 * (1.0 + std::sqrt(1.0 + 4.0 * momentum * momentum));
    const double share = (momentum - 1.0) / next_momentum;
    z = next + share * change;
    cz = next_c + share * (next_c - c);
    momentum = next_momentum;
    b = next;
    c = next_c;
  }
  return moved;
}

/// A Newton step on the sizes of at most so many clusters and what is free. False when it did not lower the objective,
/// or only cut short.
bool SortedNewton::newton(PenalisedProblem& problem, Index most, Vec& b, Vec& c) {
  Quadratic& model = problem.model;
  const std::vector<Cluster> clusters = clusters_of(*problem.penalty.sorted(), b);
  const Index k = static_cast<Index>(clusters.size());
  if (k == 0 || k > most) return false;
  std::vector<Index> entries, place;
  Vec signs(b.size());
  for (Index r = 0; r < k; ++r) {
    const Cluster& cluster = clusters[static_cast<std::size_t>(r)];
    for (std::size_t i = 0; i < cluster.entries.size(); ++i) {
      signs[static_cast<Index>(entries.size())] = cluster.signs[i];
      entries.push_back(cluster.entries[i]);
      place.push_back(r);
    }
  }
  const Index members = static_cast<Index>(entries.size());
  Vec slope = Vec::Zero(k), from(k);
  for (Index j = 0; j < members; ++j) {
    const std::size_t at = static_cast<std::size_t>(j);
    slope[place[at]] += signs[j] * c[entries[at]];
  }
  Mat H = Mat::Zero(k, k);
  if (members <= kMostMembers) {
    gram_.cover(model, entries);
    const Mat G = gram_.of(entries);
    for (Index j = 0; j < members; ++j) {
      for (Index i = 0; i < members; ++i) {
        H(place[static_cast<std::size_t>(i)], place[static_cast<std::size_t>(j)]) += signs[i] * signs[j] * G(i, j);
      }
    }
  } else {  // a product with the columns for each cluster
    gram_.clear();
    Mat whole, image;
    for (Index r = 0; r < k; ++r) {
      whole.setZero(1, members);
      for (Index i = 0; i < members; ++i) {
        if (place[static_cast<std::size_t>(i)] == r) whole(0, i) = signs[i];
      }
      model.curve(entries, whole, image);
      for (Index i = 0; i < members; ++i) H(place[static_cast<std::size_t>(i)], r) += signs[i] * image(0, i);
    }
  }
  for (Index r = 0; r < k; ++r) {
    slope[r] -= clusters[static_cast<std::size_t>(r)].weight;
    from[r] = clusters[static_cast<std::size_t>(r)].size;
  }
  H.diagonal().array() += (k < model.rows() ? 1e-13 : 1e-9) * H.diagonal().maxCoeff();  // singular from there on
  const Eigen::LLT<Mat> factor(H);
  if (factor.info() != Eigen::Success) return false;
  const Vec step = factor.solve(slope);
  if (!step.allFinite()) return false;
  ++problem.counters.newton_steps;

  const std::vector<Index> all = all_of(b.size());
  const double before = model.value(b, c) + problem.penalty.value(b);
  const auto take = [&](const Vec& sizes) {
    const Vec next = spread(clusters, sizes, b.size());
    Vec next_c(b.size());
    model.correlations(next, all, next_c);
    if (!(model.value(next, next_c) + problem.penalty.value(next) <= before)) return false;
    b = next;
    c = next_c;
    return true;
  };
  Vec sizes = from + step;
  keep_order(clusters, sizes);
  const bool whole = sizes == from + step;
  if (take(sizes)) return whole;
  // Up to where the first two meet, or one comes to zero.
  double length = 1.0;
  for (Index r = 0; r < k; ++r) {
    if (clusters[static_cast<std::size_t>(r)].free) continue;
    const double gap = from[r] - (r + 1 < k ? from[r + 1] : 0.0), closing = (r + 1 < k ? step[r + 1] : 0.0) - step[r];
    if (closing > 0.0) length = std::min(length, gap / closing);
  }
  sizes = from + length * step;
  keep_order(clusters, sizes);
  take(sizes);
  return false;
}

InnerResult SortedNewton::solve(PenalisedProblem problem, Vec& b, Vec& c) {
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
    // With as many clusters as rows a step is seldom whole: only where nothing else gets there.
    const Index most = result.iterations < kPatience ? model.rows() - 1 : 2 * model.rows();
    const bool whole = !problem.descent_only && newton(problem, most, b, c);
    descend(problem, steps, b, c);
    steps = whole ? kShort : std::min(2 * steps, kLong);
    ++result.iterations;
  }
  // From the columns, once, with their rounding alone.
  model.correlations(b, all, c);
  return result;
}

}  // namespace riata
