#include "penalty/penalty_family.hpp"

#include <algorithm>
#include <utility>

namespace riata {
namespace {

/// Whether single_penalty() makes what the options ask for.
template <class Spec>
concept SinglePenalty = requires(const Spec& spec) { single_penalty(spec, 1.0); };

}  // namespace

PenaltyKind kind_of(const PathOptions& options, Index outputs) {
  if (options.penalty.is<penalties::Group>()) return PenaltyKind::kGroups;
  if (options.penalty.is<penalties::Slope>()) return PenaltyKind::kSlope;
  if (options.penalty.visit([]<class Spec>(const Spec&) { return SinglePenalty<Spec>; })) return PenaltyKind::kConcave;
  return outputs > 1 && options.penalty.as<penalties::ElasticNet>()->row_grouped ? PenaltyKind::kRows
                                                                                 : PenaltyKind::kSeparable;
}

PenaltyFamily::PenaltyFamily(const PathOptions& options, const Features& features, Index outputs, const Vec& scale)
    : options_(options), features_(features), scale_(scale), outputs_(outputs), kind_(kind_of(options, outputs)) {}

void PenaltyFamily::set_groups(const std::vector<bool>& usable) {
  if (kind_ == PenaltyKind::kGroups) {
    groups_ = FeatureGroups(features_.group, usable, features_.group_weights.size());
  }
}

ElasticNet PenaltyFamily::entry(Index j, double lambda) const {
  const double v = factor(j);
  ElasticNet net;
  if (v > 0.0) {
    net.l1 = lambda * options_.l1_ratio * v;
    net.l2 = lambda * (1.0 - options_.l1_ratio) * v;
  }
  if (features_.lower.size() > 0) net.lower = features_.lower[j] * scale_[j];
  if (features_.upper.size() > 0) net.upper = features_.upper[j] * scale_[j];
  return net;
}

GroupNorm PenaltyFamily::norm_of(Index group, double lambda) const {
  const double weight = lambda * (1.0 - l1_within_ratio()) * features_.group_weights[group];
  return {options_.l1_ratio * weight, (1.0 - options_.l1_ratio) * weight,
          lambda * options_.l1_ratio * l1_within_ratio()};
}

Penalties PenaltyFamily::at(std::span<const Index> features, double lambda) const {
  switch (kind_) {
    case PenaltyKind::kRows:
      return rows(features, lambda);
    case PenaltyKind::kGroups:
      return grouped(features, lambda);
    case PenaltyKind::kConcave:
      return concave(features, lambda);
    case PenaltyKind::kSlope:
      return slope(features, lambda);
    default:
      return separable(features, lambda);
  }
}

Penalties PenaltyFamily::separable(std::span<const Index> features, double lambda) const {
  std::vector<ElasticNet> entries;
  entries.reserve(features.size() * static_cast<std::size_t>(outputs_));
  for (Index j : features) entries.insert(entries.end(), static_cast<std::size_t>(outputs_), entry(j, lambda));
  return Penalties(std::move(entries));
}

Penalties PenaltyFamily::rows(std::span<const Index> features, double lambda) const {
  std::vector<GroupNorm> rows;
  rows.reserve(features.size());
  for (Index j : features) {
    const ElasticNet net = entry(j, lambda);
    rows.push_back({net.l1, net.l2});
  }
  return {std::move(rows), outputs_};
}

Penalties PenaltyFamily::grouped(std::span<const Index> features, double lambda) const {
  std::vector<GroupNorm> norms;
  std::vector<Index> first{0};
  for (std::size_t w = 0; w < features.size();) {
    const Index group = groups_.of(features[w]);
    const std::size_t size = group < 0 ? 1 : groups_.members(group).size();
    norms.push_back(group < 0 ? GroupNorm{} : norm_of(group, lambda));
    first.push_back(first.back() + static_cast<Index>(size) * outputs_);
    w += size;
  }
  return {std::move(norms), std::move(first)};
}

Penalties PenaltyFamily::concave(std::span<const Index> features, double lambda) const {
  return options_.penalty.visit([&]<class Spec>(const Spec& spec) {
    if constexpr (SinglePenalty<Spec>) {
      std::vector<decltype(single_penalty(spec, 1.0))> entries;
      entries.reserve(features.size());
      for (Index j : features) entries.push_back(single_penalty(spec, entry(j, lambda).l1));
      return Penalties(std::move(entries));
    } else {
      return Penalties();
    }
  });
}

Penalties PenaltyFamily::slope(std::span<const Index> features, double lambda) const {
  Sorted sorted;
  sorted.size = static_cast<Index>(features.size());
  while (sorted.free < sorted.size && factor(features[static_cast<std::size_t>(sorted.free)]) == 0.0) ++sorted.free;
  if (lambda < kInfinity) sorted.net = SortedL1(lambda * features_.sorted_weights.head(sorted.size - sorted.free));
  return Penalties(std::move(sorted));
}

bool PenaltyFamily::is_free(Index j) const {
  const ElasticNet net = entry(j, 1.0);
  return net.l1 == 0.0 && net.l2 == 0.0 && net.lower == -kInfinity && net.upper == kInfinity;
}

double PenaltyFamily::size_of(const double* c) const {
  const Eigen::Map<const Vec> all(c, outputs_);
  return kind_ == PenaltyKind::kRows ? safe_norm(all) : all.lpNorm<Eigen::Infinity>();
}

double PenaltyFamily::upper_size(const Vec& c, const Vec& slack) const {
  return kind_ == PenaltyKind::kRows ? c.norm() + slack.norm() : (c.cwiseAbs() + slack).maxCoeff();
}

double PenaltyFamily::lambda_max(std::span<const Index> features, const Vec& all, double least_ratio) const {
  const double ratio = std::max(options_.l1_ratio, least_ratio);
  if (kind_ == PenaltyKind::kSlope) return SortedL1(features_.sorted_weights).dual_norm(all);
  if (kind_ == PenaltyKind::kGroups) return group_lambda_max(features, all, ratio);
  double out = 0.0;
  for (std::size_t i = 0; i < features.size(); ++i) {
    const Index j = features[i];
    Vec c = all.segment(static_cast<Index>(i) * outputs_, outputs_);
    const ElasticNet net = entry(j, 1.0);
    if (!(net.upper > 0.0)) c = c.cwiseMin(0.0);
    if (!(net.lower < 0.0)) c = c.cwiseMax(0.0);
    out = std::max(out, size_of(c.data()) / (ratio * factor(j)));
  }
  return out;
}

/// At the ratio of the grid, which may be that of a ridge.
double PenaltyFamily::group_lambda_max(std::span<const Index> features, const Vec& c, double ratio) const {
  const Penalties net = at(features, 1.0);
  double out = 0.0;
  for (Index unit = 0; unit < net.units(); ++unit) {
    const Index first = net.begin(unit) / outputs_;
    GroupNorm norm = norm_of(groups_.of(features[static_cast<std::size_t>(first)]), 1.0);
    norm.l1 = ratio * (norm.l1 + norm.l2);
    norm.each = ratio * l1_within_ratio();
    out = std::max(out, norm.dual_norm(net.grouped()->part(c, unit)));
  }
  return out;
}

}  // namespace riata
