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
    gram_.clear();
  }
  /// Makes it cover the features; drops others once they are the most of it.
  void ensure(Quadratic& model, std::span<const Index> features);
  /// out = the matrix of some that are covered.
  void block(std::span<const Index> features, MatOut out);

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(features_, gram_);
    archive.slack(gram_);
    archive.rooms(scratch_.known, scratch_.wanted, scratch_.fresh, scratch_.places, scratch_.slot, scratch_.block);
  }

 private:
  void keep_only(std::span<const Index> places);
  Eigen::Map<Mat> grow(Index before, Index more);

  std::vector<Index> features_;
  std::vector<double> gram_;  // one column after the other, of all features
  struct Scratch {
    std::vector<char> known, wanted;
    std::vector<Index> fresh, places, slot;
    Room block;
  } scratch_;
};

}  // namespace riata
