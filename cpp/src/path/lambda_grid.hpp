#pragma once

#include <cmath>
#include <vector>

#include "riata/types.hpp"

namespace riata {

/// `count` values falling geometrically from `largest` to ratio * largest (one value: `largest` itself).
inline std::vector<double> lambda_grid(double largest, Index count, double ratio) {
  std::vector<double> grid;
  grid.reserve(static_cast<std::size_t>(count));
  for (Index k = 0; k < count; ++k) {
    const double share = count > 1 ? static_cast<double>(k) / static_cast<double>(count - 1) : 0.0;
    grid.push_back(largest * std::pow(ratio, share));
  }
  return grid;
}

}  // namespace riata
