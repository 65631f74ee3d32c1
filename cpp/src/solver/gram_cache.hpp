#pragma once

#include <span>
#include <vector>

#include "solver/quadratic.hpp"

namespace riata {

/// The Gram matrix of the features that have been active, kept while they come and go: of a model with one output that
/// of the model, else what its outputs have in common (Quadratic::feature_gram).
class GramCache {
 public:
  /// Renumbers features after the working set changed: old number -> new number or -1.
  void working_set_changed(std::span<const Index> new_number);
  /// The curvature changed.
  void invalidate() {
    features_.clear();
    gram_.resize(0, 0);
  }
  /// Makes it cover the features; drops others once they are the most of it.
  void ensure(Quadratic& model, std::span<const Index> features);
  /// The matrix of some that are covered.
  Mat block(std::span<const Index> features) const;

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(features_, gram_);
  }

 private:
  void keep_only(const std::vector<Index>& places);

  std::vector<Index> features_;
  Mat gram_;
};

}  // namespace riata
