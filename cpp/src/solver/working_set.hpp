#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "riata/types.hpp"

namespace riata {

/// The features that are being optimised, in the order of their coefficients.
class WorkingSet {
 public:
  /// Of `columns` features.
  explicit WorkingSet(Index columns) : number_(static_cast<std::size_t>(columns), -1) {}

  const std::vector<Index>& features() const { return features_; }
  Index size() const { return static_cast<Index>(features_.size()); }
  /// Place of a feature, or -1.
  Index number(Index feature) const { return number_[static_cast<std::size_t>(feature)]; }
  bool contains(Index feature) const { return number(feature) >= 0; }

  /// New features in the place of the old ones. Returns old number -> new number or -1.
  std::vector<Index> assign(std::vector<Index> features) {
    std::vector<Index> new_number(features_.size(), -1);
    for (std::size_t w = 0; w < features.size(); ++w) {
      const Index old = number(features[w]);
      if (old >= 0) new_number[static_cast<std::size_t>(old)] = static_cast<Index>(w);
    }
    for (const Index j : features_) number_[static_cast<std::size_t>(j)] = -1;
    features_ = std::move(features);
    enumerate();
    return new_number;
  }

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(features_);
    if constexpr (Archive::reading) enumerate();
  }

 private:
  void enumerate() {
    for (std::size_t w = 0; w < features_.size(); ++w) {
      number_[static_cast<std::size_t>(features_[w])] = static_cast<std::int32_t>(w);
    }
  }

  std::vector<Index> features_;
  std::vector<std::int32_t> number_;
};

}  // namespace riata
