#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "riata/api.hpp"

namespace riata {

/// A basis of what free features (neither penalised nor bounded) span, in their place where their columns, with the
/// intercept, are nearly collinear: it is orthonormal in the weights, so that no solver and no certificate meets their
/// conditioning. The basis stands behind X as columns of its own, the features themselves are left out of the fit, and
/// restore() turns coefficients of the one into those of the others.
class FreeBasis {
 public:
  /// None where the columns are far from collinear: such are worked on as they are.
  static std::optional<FreeBasis> find(const Design& X, const std::vector<Problem>& problems, const Features& features,
                                       const PathOptions& options);

  FreeBasis(FreeBasis&&) = default;  // design() refers to columns_: moved with it, never copied
  FreeBasis(const FreeBasis&) = delete;
  FreeBasis& operator=(const FreeBasis&) = delete;

  const Design& design() const { return *design_; }
  const Features& features() const { return features_; }

  /// Bytes held beside X.
  double memory() const { return static_cast<double>(columns_.size() + back_.size()) * sizeof(double); }

  /// Turns a result on design() into one on X. Of features that depend on others, up to rounding, the coefficient
  /// is 0.
  void restore(PathResult& result, const PathOptions& options) const;

 private:
  FreeBasis() = default;
  void extend(const Design& X, Features features);

  std::vector<Index> free_;       // the features, in order
  std::vector<Index> dependent_;  // those of them that are none of the basis
  Vec mean_;                      // of each of free_, in the weights
  Mat back_;                      // coefficients of free_ for those of the basis
  Mat columns_;                   // the basis, n x r
  std::shared_ptr<const Design> design_;
  Features features_;
};

}  // namespace riata
