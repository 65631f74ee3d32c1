#pragma once

#include <memory>
#include <optional>

#include "riata/api.hpp"

namespace riata {

/// Groups that overlap (Features::column): each has a column of its own for each of its members, a copy by number
/// alone, and what is fitted are the parts that they add to the coefficients of the features (Jacob, Obozinski & Vert
/// 2009). restore() adds them up.
class LatentGroups {
 public:
  /// None where every column is in one group. The sizes are right (see fit_paths).
  static std::optional<LatentGroups> find(const Design& X, const Features& features);

  const Design& design() const { return *design_; }
  /// Those of the members.
  const Features& features() const { return features_; }

  /// Turns a result on design() into one on X.
  void restore(PathResult& result) const;

 private:
  LatentGroups() = default;

  Index cols_ = 0;  // of X
  std::unique_ptr<Design> design_;
  Features features_;
};

}  // namespace riata
