#include "solver/cluster_face.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
namespace riata {
namespace {

/// Added to the diagonal, relative to its entry and to the largest: where columns depend on each other the steps that
/// this makes long end where sizes meet. Above what the factor calls collinear.
constexpr double kRidge = 4e-10, kRidgeOfLargest = 1e-14;
constexpr double kShorter = 0.3;
constexpr Index kFewMerged = 8;  // a factor is changed for one in so many of its rows, else built anew

}  // namespace

void find_clusters(const Sorted& penalty, const Vec& b, Clusters& out) {
  out.all.clear();
  out.entries.clear();
  out.signs.clear();
  const auto add = [&](Index entry, double sign) {
    out.entries.push_back(entry);
    out.signs.push_back(sign);
  };
  for (Index e = 0; e < penalty.free; ++e) {
    out.all.push_back({b[e], 0.0, out.entries.size(), true});
    add(e, 1.0);
  }
  const auto part = penalty.part(b);
  Index rank = 0;
  for (const Index i : SortedL1::order(part)) {
    const double size = std::abs(part[i]);
    if (size == 0.0) break;
    if (out.all.empty() || out.all.back().free || out.all.back().size != size) {
      out.all.push_back({size, 0.0, out.entries.size(), false});
    }
    add(penalty.free + i, std::copysign(1.0, part[i]));
    out.all.back().weight += penalty.net.weights()[rank++];
  }
}

void ClusterFace::begin(const Clusters& clusters, const MatIn& gram, const Vec& c) {
  clusters_ = clusters;
  gram_.shape(gram.rows(), gram.cols()) = gram;
  column_.resize(clusters_.size());
  std::iota(column_.begin(), column_.end(), Index{0});
  auto sizes = sizes_.shape(size()), descent = descent_.shape(size());
  for (std::size_t r = 0; r < clusters_.size(); ++r) {
    sizes[static_cast<Index>(r)] = clusters_.all[r].size;
    double sum = -clusters_.all[r].weight;
    for (std::size_t i = clusters_.begin(r); i < clusters_.end(r); ++i)
      sum += clusters_.signs[i] * c[clusters_.entries[i]];
    descent[static_cast<Index>(r)] = sum;
  }
  factorise();
}

void ClusterFace::factorise() {
  factor_.clear();
  row_.clear();
  append(column_);
}

/// Adds columns of the Gram matrix to the factor.
void ClusterFace::append(std::span<const Index> fresh) {
  if (fresh.empty()) return;
  const auto gram = gram_.mat();
  const Index rows = static_cast<Index>(row_.size()), more = static_cast<Index>(fresh.size());
  const double least = kRidgeOfLargest * gram.diagonal().maxCoeff();
  std::vector<double>& ridge = scratch_.ridge;
  ridge.clear();
  for (const Index k : fresh) ridge.push_back(kRidge * std::abs(gram(k, k)) + least);
  auto cross = scratch_.cross.shape(rows, more), block = scratch_.block.shape(more, more);
  for (Index j = 0; j < more; ++j) {
    const auto column = gram.col(fresh[static_cast<std::size_t>(j)]);
    for (Index i = 0; i < rows; ++i) cross(i, j) = column[row_[static_cast<std::size_t>(i)]];
    for (Index i = 0; i < more; ++i) block(i, j) = column[fresh[static_cast<std::size_t>(i)]];
  }
  for (const Index r : factor_.append(cross, block, ridge)) row_.push_back(fresh[static_cast<std::size_t>(r)]);
}

/// Numbers of clusters in the order of the factor, and back, with zeros for such as are not in it.
void ClusterFace::to_rows(const VecMap& by_cluster, VecMap out) {
  auto by_column = scratch_.by_column.shape(gram_.mat().cols());
  by_column.setZero();
  for (std::size_t r = 0; r < column_.size(); ++r) by_column[column_[r]] = by_cluster[static_cast<Index>(r)];
  for (std::size_t i = 0; i < row_.size(); ++i) out[static_cast<Index>(i)] = by_column[row_[i]];
}

void ClusterFace::from_rows(const VecMap& by_row, VecMap out) {
  auto by_column = scratch_.by_column.shape(gram_.mat().cols());
  by_column.setZero();
  for (std::size_t i = 0; i < row_.size(); ++i) by_column[row_[i]] = by_row[static_cast<Index>(i)];
  for (std::size_t r = 0; r < column_.size(); ++r) out[static_cast<Index>(r)] = by_column[column_[r]];
}

/// The Gram matrix times a change of the sizes of clusters in the factor.
void ClusterFace::curved(const VecMap& change, VecMap out) {
  auto by_row = scratch_.by_row.shape(factor_.size()), image = scratch_.image.shape(factor_.size());
  to_rows(change, by_row);
  factor_.multiply(by_row, image);
  from_rows(image, out);
}

ClusterFace::Direction ClusterFace::direction() {
  const auto descent = descent_.vec();
  auto by_row = scratch_.by_row.shape(factor_.size()), image = scratch_.image.shape(factor_.size());
  Direction out{scratch_.way.shape(size()), scratch_.curved.shape(size()), 0.0, 0.0};
  to_rows(descent, by_row);
  factor_.solve(by_row);
  factor_.multiply(by_row, image);
  from_rows(by_row, out.way);
  from_rows(image, out.curved);
  out.slope = out.way.dot(descent);
  out.curvature = std::max(out.way.dot(out.curved), 0.0);
  return out;
}

/// Makes sizes decrease from first to last, none below zero; those that would pass each other meet at their mean.
void ClusterFace::put_in_order(VecMap sizes) {
  means_.clear();
  Index free = 0;  // clusters, before all others
  for (std::size_t r = 0; r < clusters_.size(); ++r) {
    if (clusters_.all[r].free) {
      ++free;
      continue;
    }
    const double count = static_cast<double>(clusters_.end(r) - clusters_.begin(r));
    means_.add(sizes[static_cast<Index>(r)] * count, count);
  }
  means_.for_each([&](Index first, Index end, double mean) {
    sizes.segment(free + first, end - first).setConstant(std::max(mean, 0.0));
  });
}

/// How far along a way two neighbours meet, or the last comes to zero: infinity if none do. `which` is the first of
/// them.
double ClusterFace::first_meeting(const VecMap& way, Index& which) {
  const auto sizes = sizes_.vec();
  double first = kInfinity;
  for (Index r = 0; r < way.size(); ++r) {
    if (clusters_.all[static_cast<std::size_t>(r)].free) continue;
    const bool last = r + 1 == way.size();
    const double closing = (last ? 0.0 : way[r + 1]) - way[r], gap = sizes[r] - (last ? 0.0 : sizes[r + 1]);
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
  auto sizes = sizes_.vec(), descent = descent_.vec();
  const double whole = to.curvature > 0.0 ? to.slope / to.curvature : kInfinity;
  Index which = -1;
  const double length = first_meeting(to.way, which);
  if (whole <= length) {
    if (whole < kInfinity) {
      sizes += whole * to.way;
      descent -= whole * to.curved;
    }
    return true;
  }
  // On to where all are in order, if that is lower than where the first two meet: it saves many steps.
  const double least = (to.slope - 0.5 * length * to.curvature) * length;
  auto next = scratch_.sizes.shape(size()), change = scratch_.change.shape(size()), its = scratch_.its.shape(size());
  bool lower = false;
  for (double share = std::min(whole, 1.0); share > length && !lower; share *= kShorter) {
    next = sizes + share * to.way;
    put_in_order(next);
    change = next - sizes;
    curved(change, its);
    lower = change.dot(descent) - 0.5 * change.dot(its) > least;
  }
  if (!lower) {
    next = sizes + length * to.way;
    next[which] = which + 1 == next.size() ? 0.0 : next[which + 1];
    put_in_order(next);
    its = length * to.curved;
  }
  sizes = next;
  descent -= its;
  const std::size_t count = clusters_.size();
  merge_equals();
  return clusters_.size() == count;  // where rounding keeps apart what should meet, that is the end
}

/// Makes one of neighbours that have come to one size, and leaves out those that have come to zero.
void ClusterFace::merge_equals() {
  std::vector<Index>&gone = scratch_.gone, &changed = scratch_.changed;
  gone.clear();
  changed.clear();
  auto sizes = sizes_.vec(), descent = descent_.vec();
  auto gram = gram_.mat();
  std::size_t kept = 0, written = 0;  // clusters, entries
  for (std::size_t r = 0; r < clusters_.size(); ++r) {
    const Index at = static_cast<Index>(r), last = static_cast<Index>(kept) - 1;
    Cluster mine = clusters_.all[r];
    const std::size_t first = clusters_.begin(r), end = clusters_.end(r);
    if (!mine.free && sizes[at] == 0.0) {
      gone.push_back(column_[r]);
      continue;
    }
    if (!mine.free && kept > 0 && !clusters_.all[kept - 1].free && sizes[at] == sizes[last]) {
      const Index column = column_[kept - 1];
      clusters_.all[kept - 1].weight += mine.weight;
      descent[last] += descent[at];
      gram.col(column) += gram.col(column_[r]);
      gram.row(column) += gram.row(column_[r]);
      if (changed.empty() || changed.back() != column) changed.push_back(column);
      gone.push_back(column_[r]);
    } else {
      mine.first = written;
      clusters_.all[kept] = mine;
      column_[kept] = column_[r];
      sizes[last + 1] = sizes[at];
      descent[last + 1] = descent[at];
      ++kept;
    }
    for (std::size_t i = first; i < end; ++i, ++written) {
      clusters_.entries[written] = clusters_.entries[i];
      clusters_.signs[written] = clusters_.signs[i];
    }
  }
  clusters_.all.resize(kept);
  clusters_.entries.resize(written);
  clusters_.signs.resize(written);
  column_.resize(kept);
  sizes_.shrink(size());
  descent_.shrink(size());
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

void ClusterFace::coefficients(Eigen::Ref<Vec> b) {
  b.setZero();
  const auto sizes = sizes_.vec();
  for (std::size_t r = 0; r < clusters_.size(); ++r) {
    for (std::size_t i = clusters_.begin(r); i < clusters_.end(r); ++i) {
      b[clusters_.entries[i]] = clusters_.signs[i] * sizes[static_cast<Index>(r)];
    }
  }
}

}  // namespace riata
