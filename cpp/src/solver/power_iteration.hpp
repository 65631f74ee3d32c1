#pragma once

#include <cmath>

#include "riata/types.hpp"

namespace riata {

/// Largest eigenvalue of an operator that is symmetric and not negative in the inner product of `norm`, by power
/// iteration from a fixed start, and a twentieth more: it may stop short of it. `product(v)` is the operator times v.
/// Not positive when the operator is zero.
template <class Product, class Norm>
double largest_eigenvalue(Index size, const Product& product, const Norm& norm) {
  constexpr int kSteps = 20;
  Vec v(size), image;
  for (Index i = 0; i < size; ++i) v[i] = 1.0 + 0.5 * std::sin(1.7 * static_cast<double>(i));
  double out = 0.0;
  for (int step = 0; step < kSteps; ++step) {
    v /= norm(v);
    image = product(v);
    out = norm(image);
    if (!(out > 0.0)) return out;
    v.swap(image);
  }
  return 1.05 * out;
}

}  // namespace riata
