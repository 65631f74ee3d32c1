#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "penalty/elastic_net.hpp"
#include "penalty/isotonic.hpp"

using namespace riata;

namespace {

/// By definition: of all ways to cut the sequence into blocks that stand at their means, and do not increase, the one
/// with the least weighted squared error.
Vec nearest_falling(const Vec& values, const Vec& weights) {
  const Index size = values.size();
  Vec best;
  double least = kInfinity;
  for (unsigned cuts = 0; cuts < 1U << static_cast<unsigned>(size - 1); ++cuts) {
    Vec levels(size);
    for (Index first = 0, end = 1; first < size; first = end, ++end) {
      while (end < size && (cuts >> static_cast<unsigned>(end - 1) & 1U) == 0U) ++end;
      const auto w = weights.segment(first, end - first);
      levels.segment(first, end - first).setConstant(w.dot(values.segment(first, end - first)) / w.sum());
    }
    bool falls = true;
    for (Index i = 1; i < size; ++i) falls = falls && levels[i] <= levels[i - 1] + 1e-12;
    const double error = weights.dot((levels - values).cwiseAbs2());
    if (falls && error < least) {
      least = error;
      best = levels;
    }
  }
  return best;
}

Vec pooled(const Vec& values, const Vec& weights) {
  FallingMeans means;
  for (Index i = 0; i < values.size(); ++i) means.add(values[i] * weights[i], weights[i]);
  Vec out = Vec::Constant(values.size(), kInfinity);
  means.for_each([&](Index first, Index end, double mean) { out.segment(first, end - first).setConstant(mean); });
  return out;
}

}  // namespace

TEST_CASE("pooled means are the nearest sequence that does not increase") {
  std::mt19937 random(5);
  std::uniform_int_distribution<int> value(-3, 3), weight(1, 4);
  for (Index size = 1; size <= 7; ++size) {
    for (int trial = 0; trial < 60; ++trial) {
      Vec values(size), weights(size);
      for (Index i = 0; i < size; ++i) {
        values[i] = value(random);
        weights[i] = weight(random);
      }
      CHECK((pooled(values, weights) - nearest_falling(values, weights)).cwiseAbs().maxCoeff() <= 1e-12);
    }
  }
}

TEST_CASE("equal values stand in one block, however many there are") {
  FallingMeans means;
  for (int i = 0; i < 7; ++i) means.add(0.1, 1.0);
  int blocks = 0;
  means.for_each([&](Index, Index end, double) { blocks += end == 7 ? 1 : 100; });
  CHECK(blocks == 1);
}
