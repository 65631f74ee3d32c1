#pragma once

#include <cmath>

#include "loss/loss.hpp"
#include "riata/types.hpp"

/// The residual that bounds and norms are told of, from the gradient of a loss.
namespace riata {

/// rho = u / omega, n x K, zero in rows of weight zero.
inline Vec residual(const Loss& loss, const Vec& u) {
  const Vec& omega = loss.omega();
  const Index n = omega.size();
  Vec out(u.size());
  for (Index k = 0; k < loss.outputs(); ++k) {
    out.segment(k * n, n) = (omega.array() > 0.0).select(u.segment(k * n, n).array() / omega.array(), 0.0);
  }
  return out;
}

/// |rho| in the omega inner product, over all outputs.
inline double residual_norm(const Loss& loss, const Vec& u) {
  const Vec& omega = loss.omega();
  const Index n = omega.size();
  double sum = 0.0;
  for (Index k = 0; k < loss.outputs(); ++k) {
    sum += (omega.array() > 0.0).select(u.segment(k * n, n).array().square() / omega.array(), 0.0).sum();
  }
  return std::sqrt(sum);
}

}  // namespace riata
