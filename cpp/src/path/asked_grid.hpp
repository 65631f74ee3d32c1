#pragma once

#include <algorithm>
#include <vector>

#include "path/lambda_grid.hpp"
#include "riata/api.hpp"

namespace riata {

inline constexpr double kLeastRatio = 1e-3;         // stands for a smaller l1_ratio where a grid begins
inline constexpr double kNothingToExplain = 1e-15;  // the alphas of a response without variance
inline constexpr double kUnexplained = 1e-3;        // share of the deviance that is left where a grid stops

/// The lambdas of a fit with so many `features` and `rows` of positive weight that first has an active one below
/// `lambda_max`.
inline std::vector<double> asked_grid(const PathOptions& options, Index features, Index rows, double lambda_max) {
  if (!options.alphas.empty()) return options.alphas;
  const double least = features > rows ? 0.01 : 1e-4;  // of the largest lambda of a lasso, whatever the ratio
  const double eps = options.eps > 0.0 ? options.eps : least * std::max(options.l1_ratio, kLeastRatio);
  // A response with nothing to explain: every positive value gives the null fit, and a grid has no length.
  if (!(lambda_max > 0.0)) return lambda_grid(kNothingToExplain, options.n_alphas, 1.0);
  return lambda_grid(lambda_max, options.n_alphas, eps);
}

}  // namespace riata
