#include "path/latent_groups.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "design/repeated.hpp"
#include "penalty/elastic_net.hpp"

namespace riata {

std::optional<LatentGroups> LatentGroups::find(const Design& X, const Features& features) {
  if (features.column.empty()) return std::nullopt;
  LatentGroups out;
  out.cols_ = X.cols();
  out.design_ = repeated_design(std::shared_ptr<const Design>(&X, [](const Design*) {}), features.column);
  out.features_ = features;
  if (features.penalty_factor.size() == 0) return out;
  const Index members = static_cast<Index>(features.column.size());
  Vec& factor = out.features_.penalty_factor;
  factor.resize(members);
  for (Index k = 0; k < members; ++k) {
    const Index j = features.column[static_cast<std::size_t>(k)];
    const bool again = k > 0 && features.column[static_cast<std::size_t>(k - 1)] == j;
    factor[k] = features.penalty_factor[j];
    if (factor[k] == 0.0 && again) factor[k] = kInfinity;  // one free column says all that others could
  }
  return out;
}

void LatentGroups::restore(PathResult& result) const {
  const std::vector<Index>& column = features_.column;
  const Index K = result.outputs;
  result.part_indptr = std::exchange(result.coef_indptr, {0});
  result.part_indices = std::exchange(result.coef_indices, {});
  result.part_values = std::exchange(result.coef_values, {});
  for (std::size_t at = 0; at < result.alphas.size(); ++at) {
    std::vector<std::pair<Index, double>> parts;
    for (Index e = result.part_indptr[at]; e < result.part_indptr[at + 1]; ++e) {
      const Index entry = result.part_indices[static_cast<std::size_t>(e)];
      const Index j = column[static_cast<std::size_t>(entry / K)];
      parts.push_back({j * K + entry % K, result.part_values[static_cast<std::size_t>(e)]});
    }
    std::stable_sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    Index active = 0, last = -1;
    for (std::size_t i = 0; i < parts.size();) {
      const Index entry = parts[i].first;
      double sum = 0.0;
      for (; i < parts.size() && parts[i].first == entry; ++i) sum += parts[i].second;
      if (sum == 0.0) continue;
      active += std::exchange(last, entry / K) != entry / K ? 1 : 0;
      result.coef_indices.push_back(entry);
      result.coef_values.push_back(sum);
    }
    result.coef_indptr.push_back(static_cast<Index>(result.coef_indices.size()));
    result.n_active[at] = active;
  }
  Vec mean(cols_), scale(cols_), spread(result.spread.size() > 0 ? cols_ : 0);
  for (Index k = 0; k < static_cast<Index>(column.size()); ++k) {
    const Index j = column[static_cast<std::size_t>(k)];
    mean[j] = result.mean[k];
    scale[j] = result.scale[k];
    if (spread.size() > 0) spread[j] = result.spread[k];
  }
  result.mean = std::move(mean);
  result.scale = std::move(scale);
  result.spread = std::move(spread);
  for (Index& k : result.dependent) k = column[static_cast<std::size_t>(k)];
}

}  // namespace riata
