#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "riata/types.hpp"

namespace riata {

/// Sums of similarities of each item with those that follow it: of(a, b) is the sum over a + 1 ... b.
class FollowingSums {
 public:
  /// `reach` are the numbers of items that follow each and are similar to it at all.
  explicit FollowingSums(std::span<const Index> reach);

  Index size() const { return static_cast<Index>(starts_.size()) - 1; }
  Index reach(Index a) const { return starts_[static_cast<std::size_t>(a) + 1] - starts_[static_cast<std::size_t>(a)]; }
  /// To be filled, for each a, with the sums over the first 1, 2, ... reach(a) that follow.
  std::span<double> row(Index a) {
    return {sums_.data() + starts_[static_cast<std::size_t>(a)], static_cast<std::size_t>(reach(a))};
  }
  double of(Index a, Index b) const {
    const Index k = std::min(b - a, reach(a));
    return k == 0 ? 0.0 : sums_[static_cast<std::size_t>(starts_[static_cast<std::size_t>(a)] + k - 1)];
  }
  /// Over all pairs of [first, middle) and [middle, last).
  double between(Index first, Index middle, Index last) const {
    double sum = 0.0;
    for (Index a = first; a < middle; ++a) sum += of(a, last - 1) - of(a, middle - 1);
    return sum;
  }

 private:
  std::vector<Index> starts_;
  std::vector<double> sums_;
};

/// See neighbour_groups(): for each cut the first items of the groups, increasing.
std::vector<std::vector<Index>> adjacent_linkage(const FollowingSums& sums, std::span<const double> cuts,
                                                 Index max_size);

}  // namespace riata
