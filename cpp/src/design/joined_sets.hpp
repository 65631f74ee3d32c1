#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

#include "riata/types.hpp"

namespace riata {

/// Sets that become one, known by their smallest items.
class JoinedSets {
 public:
  explicit JoinedSets(Index size) : parent_(static_cast<std::size_t>(size)), size_(static_cast<std::size_t>(size), 1) {
    std::iota(parent_.begin(), parent_.end(), Index{0});
  }
  Index find(Index a) {
    while (parent(a) != a) a = parent(a) = parent(parent(a));
    return a;
  }
  /// Joins the sets of two items unless they would have more than `max_size` together.
  void merge(Index a, Index b, Index max_size) {
    a = find(a);
    b = find(b);
    Index &x = size_[static_cast<std::size_t>(a)], &y = size_[static_cast<std::size_t>(b)];
    if (a == b || x + y > max_size) return;
    parent(std::max(a, b)) = std::min(a, b);
    x = y = x + y;
  }
  /// The number of each item's set, in the order of their smallest items.
  std::vector<Index> labels() {
    std::vector<Index> number(parent_.size(), -1), out;
    Index count = 0;
    for (Index a = 0; a < static_cast<Index>(parent_.size()); ++a) {
      Index& mine = number[static_cast<std::size_t>(find(a))];
      if (mine < 0) mine = count++;
      out.push_back(mine);
    }
    return out;
  }

 private:
  Index& parent(Index a) { return parent_[static_cast<std::size_t>(a)]; }

  std::vector<Index> parent_, size_;
};

}  // namespace riata
