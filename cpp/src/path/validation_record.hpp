#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "riata/api.hpp"

namespace riata {

/// What held-out rows said of the alphas of a path, in order, and whether that ends it.
class ValidationRecord {
 public:
  Index size() const { return static_cast<Index>(costs_.size()); }
  void add(const HeldOutScore& score) {
    costs_.push_back(score.cost);
    errors_.push_back(score.error);
  }

  /// Whether the last `patience` of them are all worse than the best before, by more than the standard error there.
  /// Those that say nothing do not count.
  bool ends(Index patience) const {
    std::size_t best = costs_.size();
    Index worse = 0;
    for (std::size_t k = 0; k < costs_.size(); ++k) {
      if (std::isnan(costs_[k])) continue;
      if (best == costs_.size() || costs_[k] < costs_[best]) best = k;
      worse = costs_[k] > costs_[best] + errors_[best] ? worse + 1 : 0;
    }
    return patience > 0 && worse >= patience;
  }

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(costs_, errors_);
  }

 private:
  std::vector<double> costs_, errors_;
};

}  // namespace riata
