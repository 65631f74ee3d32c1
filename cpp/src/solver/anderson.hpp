#pragma once

#include <Eigen/Cholesky>
#include <cmath>

#include "riata/types.hpp"

namespace riata {

inline constexpr Index kWindow = 5;  // iterates combined by the extrapolation

/// Affine combination of the last iterates that minimises the combined step (Anderson type II, Bertrand & Massias
/// 2021). Columns of `history` are kWindow + 1 successive iterates. False when there is none.
inline bool extrapolate(const Mat& history, Vec& out) {
  const Mat steps = history.rightCols(kWindow) - history.leftCols(kWindow);
  Mat normal = steps.transpose() * steps;
  const double trace = normal.trace();
  if (!(trace > 0.0)) return false;
  normal.diagonal().array() += 1e-12 * trace;
  const Vec z = normal.ldlt().solve(Vec::Ones(kWindow));
  const double total = z.sum();
  if (!std::isfinite(total) || total == 0.0) return false;
  out = history.rightCols(kWindow) * (z / total);
  return out.allFinite();
}

}  // namespace riata
