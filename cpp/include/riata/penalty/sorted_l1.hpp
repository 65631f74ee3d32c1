#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "riata/penalty/elastic_net.hpp"
#include "riata/penalty/isotonic.hpp"
#include "riata/penalty/thread_room.hpp"
#include "riata/types.hpp"

namespace riata {

/// sum_i w_i |b|_(i) with |b|_(1) >= |b|_(2) >= ... and weights that do not increase: the sorted l1 norm of SLOPE
/// (Bogdan et al. 2015), under which coefficients cluster at common sizes. Weights already include lambda; `c` is the
/// negative gradient of the loss in b. A vector shorter than the weights has the first of them.
class SortedL1 {
 public:
  SortedL1() = default;
  explicit SortedL1(Vec weights) : weights_(std::move(weights)) {}

  const Vec& weights() const { return weights_; }

  /// Numbers 0 .. n - 1 in the order of falling size, the first of equals first; until the thread asks again.
  template <class V>
  static std::span<const Index> order(const V& v) {
    struct Entry {
      double size;
      Index at;
    };
    static thread_local std::vector<Entry> entries;
    static thread_local std::vector<Index> out;
    entries.clear();
    for (Index i = 0; i < v.size(); ++i) entries.push_back({std::isnan(v[i]) ? kInfinity : std::abs(v[i]), i});
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) { return a.size > b.size || (a.size == b.size && a.at < b.at); });
    out.clear();
    for (const Entry& entry : entries) out.push_back(entry.at);
    return out;
  }

  template <class B>
  double value(const B& b) const {
    auto size = thread_room<SortedL1>(b.size());
    size = b.cwiseAbs();
    std::sort(size.begin(), size.end(), std::greater<>());
    return size.dot(weights_.head(size.size()));
  }

  /// argmin_b |b - z|^2 / (2 step) + value(b), in the place of z: sizes less their weights, in order, averaged where
  /// they would increase (Bogdan et al. 2015, algorithm 4). Those averaged come out equal to the last bit.
  template <class Z>
  void prox(Z&& z, double step) const {
    const std::span<const Index> by_size = order(z);
    auto sorted = thread_room<SortedL1>(z.size());
    for (Index i = 0; i < z.size(); ++i) {
      sorted[i] = std::abs(z[by_size[static_cast<std::size_t>(i)]]) - step * weights_[i];
    }
    make_falling(sorted);
    for (Index i = 0; i < z.size(); ++i) {
      double& at = z[by_size[static_cast<std::size_t>(i)]];
      at = sorted[i] <= 0.0 ? 0.0 : std::copysign(sorted[i], at);
    }
  }

  /// Smallest s with c / s dual feasible: the largest ratio of the sum of the first k sizes to that of the weights.
  template <class C>
  double dual_norm(const C& c) const {
    auto size = thread_room<SortedL1>(c.size());
    size = c.cwiseAbs();
    std::sort(size.begin(), size.end(), std::greater<>());
    double worst = 0.0, sum = 0.0, allowed = 0.0;
    for (Index k = 0; k < size.size(); ++k) {
      sum += size[k];
      allowed += weights_[k];
      if (sum > 0.0) worst = std::max(worst, allowed > 0.0 ? sum / allowed : kInfinity);
    }
    return worst;
  }

  /// Largest entry of the shortest difference of c from the subdifferential at b: zero exactly when b is optimal. The
  /// subdifferential is a product over the clusters of equal size, each in the permutahedron of its weights, or, at
  /// zero, below them in sums; the difference from such a set is what make_falling() leaves.
  template <class B, class C>
  double kkt_violation(const B& b, const C& c) const {
    if (!b.allFinite()) return kInfinity;
    const std::span<const Index> by_size = order(b);
    double worst = 0.0;
    for (Index first = 0, last = 0; first < b.size(); first = last) {
      const double size = std::abs(b[by_size[static_cast<std::size_t>(first)]]);
      for (last = first; last < b.size() && std::abs(b[by_size[static_cast<std::size_t>(last)]]) == size;) ++last;
      auto rest = thread_room<SortedL1>(last - first);
      for (Index i = first; i < last; ++i) {
        const Index at = by_size[static_cast<std::size_t>(i)];
        rest[i - first] = size == 0.0 ? std::abs(c[at]) : std::copysign(1.0, b[at]) * c[at];
      }
      std::sort(rest.begin(), rest.end(), std::greater<>());
      rest -= weights_.segment(first, last - first);
      make_falling(rest);
      worst = std::max({worst, rest[0], size == 0.0 ? 0.0 : -rest[last - first - 1]});
    }
    return worst;
  }

 private:
  /// The nearest vector that does not increase.
  static void make_falling(Eigen::Ref<Vec> v) {
    static thread_local FallingMeans means;
    means.clear();
    for (const double value : v) means.add(value, 1.0);
    means.for_each([&](Index first, Index end, double mean) { v.segment(first, end - first).setConstant(mean); });
  }

  Vec weights_;
};

}  // namespace riata
