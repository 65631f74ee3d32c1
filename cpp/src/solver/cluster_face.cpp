#include "solver/cluster_face.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "penalty/isotonic.hpp"

namespace riata {
namespace {

/// Added to the diagonal, relative to its entry and to the largest: where columns depend on each other the steps that
/// this makes long end where sizes meet. Above what the factor calls collinear.
constexpr double kRidge = 4e-10, kRidgeOfLargest = 1e-14;
constexpr double kShorter = 0.3;
constexpr Index kFewMerged = 8;  // a factor is changed for one in so many of its rows, else built anew

/// Sizes that fall from first to last, none below zero; those that would pass each other meet at their mean.
Vec in_order(const std::vector<Cluster>& clusters, Vec sizes) {
  FallingMeans means;
  std::size_t free = 0;  // clusters, before all others
  for (std::size_t r = 0; r < clusters.size(); ++r) {
    if (clusters[r].free) {
      ++free;
      continue;
    }
    const double count = static_cast<double>(clusters[r].entries.size());
    means.add(sizes[static_cast<Index>(r)] * count, count);
  }
  means.for_each([&](Index first, Index end, double mean) {
    sizes.segment(static_cast<Index>(free) + first, end - first).setConstant(std::max(mean, 0.0));
  });
  return sizes;
}

}  // namespace

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

ClusterFace::ClusterFace(std::vector<Cluster> clusters, Mat gram, const Vec& c)
    : clusters_(std::move(clusters)), column_(clusters_.size()), gram_(std::move(gram)) {
  std::iota(column_.begin(), column_.end(), Index{0});
  sizes_.resize(gram_.cols());
  pull_.resize(gram_.cols());
  for (std::size_t r = 0; r < clusters_.size(); ++r) {
    const Cluster& cluster = clusters_[r];
    sizes_[static_cast<Index>(r)] = cluster.size;
    double sum = -cluster.weight;
    for (std::size_t i = 0; i < cluster.entries.size(); ++i) sum += cluster.signs[i] * c[cluster.entries[i]];
    pull_[static_cast<Index>(r)] = sum;
  }
  factorise();
}

void ClusterFace::factorise() {
  factor_.clear();
  row_.clear();
  append(column_);
}

/// Adds columns of the Gram matrix to the factor.
void ClusterFace::append(const std::vector<Index>& fresh) {
  if (fresh.empty()) return;
  const double least = kRidgeOfLargest * gram_.diagonal().maxCoeff();
  std::vector<double> ridge;
  for (const Index k : fresh) ridge.push_back(kRidge * std::abs(gram_(k, k)) + least);
  for (const Index r : factor_.append(gram_(row_, fresh), gram_(fresh, fresh), ridge)) {
    row_.push_back(fresh[static_cast<std::size_t>(r)]);
  }
}

/// Numbers of clusters in the order of the factor, and back, with zeros for such as are not in it.
Vec ClusterFace::to_rows(const Vec& by_cluster) const {
  Vec by_column = Vec::Zero(gram_.cols());
  by_column(column_) = by_cluster;
  return by_column(row_);
}

Vec ClusterFace::from_rows(const Vec& by_row) const {
  Vec by_column = Vec::Zero(gram_.cols());
  by_column(row_) = by_row;
  return by_column(column_);
}

/// The Gram matrix times a change of the sizes of clusters in the factor.
Vec ClusterFace::curved(const Vec& change) const {
  return from_rows(factor_.multiply(to_rows(change)));
}

ClusterFace::Direction ClusterFace::direction() const {
  Vec way = to_rows(pull_);
  factor_.solve(way);
  Direction out{from_rows(way), from_rows(factor_.multiply(way)), 0.0, 0.0};
  out.slope = out.way.dot(pull_);
  out.curve = std::max(out.way.dot(out.curved), 0.0);
  return out;
}

/// How far along a way two neighbours meet, or the last comes to zero: infinity if none do. `which` is the first of
/// them.
double ClusterFace::first_meeting(const Vec& way, Index& which) const {
  double first = kInfinity;
  for (Index r = 0; r < way.size(); ++r) {
    if (clusters_[static_cast<std::size_t>(r)].free) continue;
    const bool last = r + 1 == way.size();
    const double closing = (last ? 0.0 : way[r + 1]) - way[r], gap = sizes_[r] - (last ? 0.0 : sizes_[r + 1]);
    if (closing > 0.0 && gap / closing < first) {
      first = gap / closing;
      which = r;
    }
  }
  return first;
}

bool ClusterFace::step() {
  if (row_.empty()) return true;
  const Direction to = direction();
  if (!(to.slope > 0.0) || !to.way.allFinite()) return true;
  const double whole = to.curve > 0.0 ? to.slope / to.curve : kInfinity;
  Index which = -1;
  const double length = first_meeting(to.way, which);
  if (whole <= length) {
    if (whole < kInfinity) move(sizes_ + whole * to.way, whole * to.curved);
    return true;
  }
  // On to where all are in order, if that is lower than where the first two meet: it saves many steps.
  double best = (to.slope - 0.5 * length * to.curve) * length;
  Vec sizes, image;
  for (double share = std::min(whole, 1.0); share > length; share *= kShorter) {
    const Vec ordered = in_order(clusters_, sizes_ + share * to.way), change = ordered - sizes_, its = curved(change);
    if (const double fall = change.dot(pull_) - 0.5 * change.dot(its); fall > best) {
      sizes = ordered;
      image = its;
      break;
    }
  }
  if (sizes.size() == 0) {
    sizes = sizes_ + length * to.way;
    sizes[which] = which + 1 == sizes.size() ? 0.0 : sizes[which + 1];
    sizes = in_order(clusters_, sizes);
    image = length * to.curved;
  }
  const std::size_t count = clusters_.size();
  move(sizes, image);
  merge_equals();
  return clusters_.size() == count;  // where rounding keeps apart what should meet, that is the end
}

void ClusterFace::move(const Vec& sizes, const Vec& curved) {
  sizes_ = sizes;
  pull_ -= curved;
}

/// Makes one of neighbours that have come to one size, and leaves out those that have come to zero.
void ClusterFace::merge_equals() {
  std::vector<Cluster> clusters;
  std::vector<Index> column, kept, gone, changed;
  for (std::size_t r = 0; r < clusters_.size(); ++r) {
    const Index at = static_cast<Index>(r);
    Cluster& mine = clusters_[r];
    if (!mine.free && sizes_[at] == 0.0) {
      gone.push_back(column_[r]);
    } else if (!mine.free && !kept.empty() && !clusters.back().free && sizes_[at] == sizes_[kept.back()]) {
      Cluster& before = clusters.back();
      before.entries.insert(before.entries.end(), mine.entries.begin(), mine.entries.end());
      before.signs.insert(before.signs.end(), mine.signs.begin(), mine.signs.end());
      before.weight += mine.weight;
      pull_[kept.back()] += pull_[at];
      gram_.col(column.back()) += gram_.col(column_[r]);
      gram_.row(column.back()) += gram_.row(column_[r]);
      if (changed.empty() || changed.back() != column.back()) changed.push_back(column.back());
      gone.push_back(column_[r]);
    } else {
      clusters.push_back(std::move(mine));
      column.push_back(column_[r]);
      kept.push_back(at);
    }
  }
  clusters_ = std::move(clusters);
  column_ = std::move(column);
  sizes_ = sizes_(kept).eval();
  pull_ = pull_(kept).eval();
  if (static_cast<Index>(gone.size() + changed.size()) * kFewMerged > factor_.size()) return factorise();
  gone.insert(gone.end(), changed.begin(), changed.end());
  for (const Index k : gone) {
    const auto found = std::find(row_.begin(), row_.end(), k);
    if (found == row_.end()) continue;
    factor_.remove(found - row_.begin());
    row_.erase(found);
  }
  append(changed);
}

Vec ClusterFace::coefficients(Index length) const {
  Vec b = Vec::Zero(length);
  for (std::size_t r = 0; r < clusters_.size(); ++r) {
    for (std::size_t i = 0; i < clusters_[r].entries.size(); ++i) {
      b[clusters_[r].entries[i]] = clusters_[r].signs[i] * sizes_[static_cast<Index>(r)];
    }
  }
  return b;
}

}  // namespace riata
