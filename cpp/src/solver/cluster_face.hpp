#pragma once

#include <vector>

#include "penalty/penalties.hpp"
#include "solver/gram_factor.hpp"

namespace riata {

/// Coefficients of one size under a sorted norm, or one that is free.
struct Cluster {
  double size;
  std::vector<Index> entries;
  std::vector<double> signs;
  double weight;  // sum of their penalty weights
  bool free;
};

/// Clusters of nonzero size, the largest first, after those that are free.
std::vector<Cluster> clusters_of(const Sorted& penalty, const Vec& b);

/// A quadratic plus a sorted norm, over the sizes of clusters that keep their signs and order: a face, on which the
/// norm is linear. Steps go to the minimum over the plane of the face or, where sizes meet or come to zero on the way,
/// to a face of fewer clusters: after as many steps as clusters, at most, the minimum is reached.
class ClusterFace {
 public:
  /// `gram` is that of the signed sums of columns of the clusters, c the negative gradient in the coefficients.
  ClusterFace(std::vector<Cluster> clusters, Mat gram, const Vec& c);

  /// One step. True when it went all the way.
  bool step();

  /// The coefficients, `length` of them.
  Vec coefficients(Index length) const;

 private:
  struct Direction {
    Vec way, curved;      // in the sizes, and the Gram matrix times it
    double slope, curve;  // of the objective along it, the first with its sign changed
  };
  Direction direction() const;
  Vec to_rows(const Vec& by_cluster) const;
  Vec from_rows(const Vec& by_row) const;
  Vec curved(const Vec& change) const;
  double first_meeting(const Vec& way, Index& which) const;
  void move(const Vec& sizes, const Vec& curved);
  void merge_equals();
  void factorise();
  void append(const std::vector<Index>& fresh);

  std::vector<Cluster> clusters_;
  std::vector<Index> column_;  // of each cluster, in gram_
  Mat gram_;
  Vec sizes_, pull_;  // by cluster; the pull is minus the gradient of the objective
  GramFactor factor_{false};
  std::vector<Index> row_;  // column in gram_ of each row of the factor
};

}  // namespace riata
