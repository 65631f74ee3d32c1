#pragma once

#include <utility>
#include <vector>

#include "riata/types.hpp"

namespace riata {

/// Which features enter together.
class FeatureGroups {
 public:
  FeatureGroups() = default;
  /// Of the features that `take_part`; the others are in no group.
  FeatureGroups(const std::vector<Index>& group, const std::vector<bool>& take_part, Index count)
      : of_(group), members_(static_cast<std::size_t>(count)) {
    for (std::size_t j = 0; j < group.size(); ++j) {
      if (take_part[j]) {
        members_[static_cast<std::size_t>(group[j])].push_back(static_cast<Index>(j));
        ++taking_part_;
      } else {
        of_[j] = -1;
      }
    }
  }

  Index count() const { return static_cast<Index>(members_.size()); }
  /// Group of a feature, or -1.
  Index of(Index feature) const { return of_[static_cast<std::size_t>(feature)]; }
  const std::vector<Index>& members(Index group) const { return members_[static_cast<std::size_t>(group)]; }
  /// Mean size, at least 1.
  Index typical_size() const { return count() > 0 ? std::max<Index>(taking_part_ / count(), 1) : 1; }

 private:
  std::vector<Index> of_;
  std::vector<std::vector<Index>> members_;
  Index taking_part_ = 0;
};

}  // namespace riata
