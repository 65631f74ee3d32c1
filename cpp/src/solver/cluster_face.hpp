#pragma once

#include <span>
#include <vector>

#include "penalty/penalties.hpp"
#include "solver/gram_factor.hpp"

/// SLOPE with signs and clusters given: the sizes of clusters that minimise the objective.
namespace riata {

/// Coefficients of one size under a sorted norm, or one that is free.
struct Cluster {
  double size;
  double weight;      // sum of their penalty weights
  std::size_t first;  // of their entries
  bool free;
};

/// Clusters in order, and the entries of one after those of the other.
struct Clusters {
  std::vector<Cluster> all;
  std::vector<Index> entries;
  std::vector<double> signs;

  template <class Archive>
  void rooms(Archive& archive) {
    archive.rooms(all, entries, signs);
  }
  std::size_t size() const { return all.size(); }
  /// Places of the entries of cluster r.
  std::size_t begin(std::size_t r) const { return all[r].first; }
  std::size_t end(std::size_t r) const { return r + 1 < all.size() ? all[r + 1].first : entries.size(); }
};

/// Clusters of nonzero size, the largest first, after those that are free.
void find_clusters(const Sorted& penalty, const Vec& b, Clusters& out);

/// A quadratic plus a sorted norm, over the sizes of clusters that keep their signs and order: a face, on which the
/// norm is linear. Steps go to the minimum over the plane of the face or, where sizes meet or come to zero on the way,
/// to a face of fewer clusters: after as many steps as clusters, at most, the minimum is reached. Memory is kept from
/// one face to the next.
class ClusterFace {
 public:
  /// `gram` is that of the signed sums of columns of the clusters, c the negative gradient in the coefficients.
  void begin(const Clusters& clusters, const MatIn& gram, const Vec& c);

  /// One step. True when it went all the way.
  bool step();

  /// b = the coefficients.
  void coefficients(Eigen::Ref<Vec> b);

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void rooms(Archive& archive) {
    archive(factor_);
    archive.rooms(clusters_, column_, gram_, sizes_, descent_, row_, scratch_);
  }

 private:
  struct Direction {
    VecMap way, curved;       // in the sizes, and the Gram matrix times it
    double slope, curvature;  // of the objective along it, the first with its sign changed
  };
  Direction direction();
  void to_rows(const VecMap& by_cluster, VecMap out);
  void from_rows(const VecMap& by_row, VecMap out);
  void curved(const VecMap& change, VecMap out);
  void put_in_order(VecMap sizes);
  double first_meeting(const VecMap& way, Index& which);
  void merge_equals();
  void factorise();
  void append(std::span<const Index> fresh);
  Index size() const { return static_cast<Index>(clusters_.size()); }

  Clusters clusters_;
  std::vector<Index> column_;  // of each cluster, in gram_
  Room gram_;
  Room sizes_, descent_;  // by cluster; the descent is minus the gradient of the objective
  GramFactor factor_{false};
  std::vector<Index> row_;  // column in gram_ of each row of the factor
  FallingMeans means_;
  struct Scratch {
    std::vector<double> ridge;
    std::vector<Index> gone, changed;
    Room cross, block, by_column, by_row, image, way, curved, sizes, change, its;

    template <class Archive>
    void rooms(Archive& archive) {
      archive.rooms(ridge, gone, changed, cross, block, by_column, by_row, image, way, curved, sizes, change, its);
    }
  } scratch_;
};

}  // namespace riata
