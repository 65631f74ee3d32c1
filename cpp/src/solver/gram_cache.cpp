#include "solver/gram_cache.hpp"

#include <algorithm>

namespace riata {

/// Keeps what stands in some places, in increasing order.
void GramCache::keep_only(std::span<const Index> places) {
  const std::size_t before = features_.size(), after = places.size();
  if (after == before) return;
  for (std::size_t j = 0; j < after; ++j) {
    const double* const from = gram_.data() + static_cast<std::size_t>(places[j]) * before;
    double* const to = gram_.data() + j * after;  // never behind what is still to be read
    for (std::size_t i = 0; i < after; ++i) to[i] = from[places[i]];
    features_[j] = features_[static_cast<std::size_t>(places[j])];
  }
  features_.resize(after);
  gram_.resize(after * after);
}

/// The matrix with places for more features behind those before.
Eigen::Map<Mat> GramCache::grow(Index before, Index more) {
  const Index size = before + more;
  const auto room = static_cast<std::size_t>(size * size);
  if (room > gram_.capacity()) gram_.reserve(room + room / 8);
  gram_.resize(room);
  double* const all = gram_.data();
  for (Index j = before - 1; j > 0; --j)
    std::copy_backward(all + j * before, all + (j + 1) * before, all + j * size + before);
  return {all, size, size};
}

void GramCache::working_set_changed(std::span<const Index> new_number) {
  std::vector<Index>& places = scratch_.places;
  places.clear();
  for (std::size_t i = 0; i < features_.size(); ++i) {
    if (new_number[static_cast<std::size_t>(features_[i])] >= 0) places.push_back(static_cast<Index>(i));
  }
  keep_only(places);
  for (Index& w : features_) w = new_number[static_cast<std::size_t>(w)];
}

void GramCache::ensure(Quadratic& model, std::span<const Index> features) {
  std::vector<char>&known = scratch_.known, &wanted = scratch_.wanted;
  known.assign(static_cast<std::size_t>(model.features()), 0);
  wanted.assign(known.size(), 0);
  for (const Index w : features_) known[static_cast<std::size_t>(w)] = 1;
  std::vector<Index>& fresh = scratch_.fresh;
  fresh.clear();
  for (const Index w : features) {
    wanted[static_cast<std::size_t>(w)] = 1;
    if (!known[static_cast<std::size_t>(w)]) fresh.push_back(w);
  }
  if (fresh.empty()) return;
  if (features_.size() + fresh.size() > 2 * features.size() + 64) {
    std::vector<Index>& places = scratch_.places;
    places.clear();
    for (std::size_t i = 0; i < features_.size(); ++i) {
      if (wanted[static_cast<std::size_t>(features_[i])]) places.push_back(static_cast<Index>(i));
    }
    keep_only(places);
  }
  const Index old = static_cast<Index>(features_.size()), m = static_cast<Index>(fresh.size());
  features_.insert(features_.end(), fresh.begin(), fresh.end());
  auto block = scratch_.block.shape(old + m, m);
  if (model.outputs() == 1) {
    model.gram_block(features_, fresh, block);
  } else {
    model.feature_gram(features_, fresh, block);
  }
  auto gram = grow(old, m);
  gram.rightCols(m) = block;
  gram.bottomLeftCorner(m, old) = block.topRows(old).transpose();
}

void GramCache::block(std::span<const Index> features, MatOut out) {
  std::vector<Index>& slot = scratch_.slot;
  Index largest = 0;
  for (const Index w : features_) largest = std::max(largest, w);
  slot.resize(static_cast<std::size_t>(largest) + 1);
  for (std::size_t i = 0; i < features_.size(); ++i) {
    slot[static_cast<std::size_t>(features_[i])] = static_cast<Index>(i);
  }
  const Index known = static_cast<Index>(features_.size());
  for (Index j = 0; j < out.cols(); ++j) {
    const double* const column =
        gram_.data() + known * slot[static_cast<std::size_t>(features[static_cast<std::size_t>(j)])];
    for (Index i = 0; i < out.rows(); ++i)
      out(i, j) = column[slot[static_cast<std::size_t>(features[static_cast<std::size_t>(i)])]];
  }
}

}  // namespace riata
