#pragma once

#include <span>
#include <vector>

#include "penalty/feature_groups.hpp"
#include "penalty/penalties.hpp"
#include "riata/api.hpp"

/// From the options of a fit to the penalty of any of its features.
namespace riata {

/// Which coefficients a penalty has in one term: single ones, those of a feature, those of a group of features, single
/// ones without being convex, or all by their order.
enum class PenaltyKind { kSeparable, kRows, kGroups, kConcave, kSlope };

/// With a loss of so many outputs.
PenaltyKind kind_of(const PathOptions& options, Index outputs);
/// Whether a feature outside the working set cannot be judged by itself.
inline bool non_separable(PenaltyKind kind) {
  return kind == PenaltyKind::kGroups || kind == PenaltyKind::kSlope;
}

/// The penalty of a fit, for any features at any lambda. Coefficients are those of scaled columns; c is the negative
/// gradient of the loss in them, K numbers for each feature with K outputs.
class PenaltyFamily {
 public:
  /// `scale` of every column; it has to outlive the family.
  PenaltyFamily(const PathOptions& options, const Features& features, Index outputs, const Vec& scale);
  /// Names the features that take part in groups.
  void set_groups(const std::vector<bool>& usable);

  PenaltyKind kind() const { return kind_; }
  /// One convex penalty for each coefficient, as ActiveSetNewton asks for.
  bool separable_convex() const { return kind_ == PenaltyKind::kSeparable; }
  bool non_separable() const { return riata::non_separable(kind_); }
  double l1_ratio() const { return options_.l1_ratio; }
  /// Penalty factor of a feature.
  double factor(Index feature) const { return features_.factor(feature); }
  /// Of "slope".
  const Vec& sorted_weights() const { return features_.sorted_weights; }
  const FeatureGroups& groups() const { return groups_; }

  /// The penalty of each coefficient of a feature, where it is of single ones.
  ElasticNet entry(Index feature, double lambda) const;
  /// The norm of a group of features.
  GroupNorm norm_of(Index group, double lambda) const;
  /// The penalty of the coefficients of several features: those of a group lie together, and with "slope" unpenalised
  /// ones come first.
  Penalties at(std::span<const Index> features, double lambda) const;
  /// Neither penalised nor bounded: c has to be zero for a finite dual value.
  bool is_free(Index feature) const;

  /// What of the K numbers c of a feature is held against l1: their norm, or the largest.
  double size_of(const double* c) const;
  /// An upper bound of it, each entry known up to its slack.
  double upper_size(const Vec& c, const Vec& slack) const;
  /// Smallest lambda at which all these features are zero; `least_ratio` stands for a smaller l1_ratio.
  double lambda_max(std::span<const Index> features, const Vec& c, double least_ratio) const;

 private:
  double l1_within_ratio() const { return options_.penalty.as<penalties::Group>()->l1_within_ratio; }
  Penalties separable(std::span<const Index> features, double lambda) const;
  Penalties rows(std::span<const Index> features, double lambda) const;
  Penalties grouped(std::span<const Index> features, double lambda) const;
  Penalties concave(std::span<const Index> features, double lambda) const;
  Penalties slope(std::span<const Index> features, double lambda) const;
  double group_lambda_max(std::span<const Index> features, const Vec& c, double ratio) const;

  const PathOptions& options_;
  const Features& features_;
  const Vec& scale_;
  Index outputs_;
  PenaltyKind kind_;
  FeatureGroups groups_;
};

}  // namespace riata
