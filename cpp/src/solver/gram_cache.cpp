#include "solver/gram_cache.hpp"

#include <algorithm>

namespace riata {

/// Keeps what stands in some places, in increasing order.
void GramCache::keep_only(const std::vector<Index>& places) {
  if (places.size() == features_.size()) return;
  gram_ = gram_(places, places).eval();
  for (std::size_t i = 0; i < places.size(); ++i) features_[i] = features_[static_cast<std::size_t>(places[i])];
  features_.resize(places.size());
}

void GramCache::working_set_changed(std::span<const Index> new_number) {
  std::vector<Index> places;
  for (std::size_t i = 0; i < features_.size(); ++i) {
    if (new_number[static_cast<std::size_t>(features_[i])] >= 0) places.push_back(static_cast<Index>(i));
  }
  keep_only(places);
  for (Index& w : features_) w = new_number[static_cast<std::size_t>(w)];
}

void GramCache::ensure(Quadratic& model, std::span<const Index> features) {
  std::vector<char> known(static_cast<std::size_t>(model.features()), 0), wanted(known);
  for (const Index w : features_) known[static_cast<std::size_t>(w)] = 1;
  std::vector<Index> fresh;
  for (const Index w : features) {
    wanted[static_cast<std::size_t>(w)] = 1;
    if (!known[static_cast<std::size_t>(w)]) fresh.push_back(w);
  }
  if (fresh.empty()) return;
  if (features_.size() + fresh.size() > 2 * features.size() + 64) {
    std::vector<Index> places;
    for (std::size_t i = 0; i < features_.size(); ++i) {
      if (wanted[static_cast<std::size_t>(features_[i])]) places.push_back(static_cast<Index>(i));
    }
    keep_only(places);
  }
  const Index old = static_cast<Index>(features_.size()), m = static_cast<Index>(fresh.size());
  features_.insert(features_.end(), fresh.begin(), fresh.end());
  Mat block;
  if (model.outputs() == 1) {
    model.gram_block(features_, fresh, block);
  } else {
    model.feature_gram(features_, fresh, block);
  }
  gram_.conservativeResize(old + m, old + m);
  gram_.rightCols(m) = block;
  gram_.bottomLeftCorner(m, old) = block.topRows(old).transpose();
}

Mat GramCache::block(std::span<const Index> features) const {
  Index largest = 0;
  for (const Index w : features_) largest = std::max(largest, w);
  std::vector<Index> slot(static_cast<std::size_t>(largest) + 1, -1), where;
  for (std::size_t i = 0; i < features_.size(); ++i) {
    slot[static_cast<std::size_t>(features_[i])] = static_cast<Index>(i);
  }
  for (const Index w : features) where.push_back(slot[static_cast<std::size_t>(w)]);
  return gram_(where, where);
}

}  // namespace riata
