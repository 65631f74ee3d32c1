#include "path/expected_fits.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "path/asked_grid.hpp"
#include "path/continuation.hpp"
#include "path/response.hpp"

namespace riata {
namespace {

constexpr Index kMany = 8;  // lambdas of which more need not be counted
constexpr Index kSample = 64;

/// The largest |c| over the penalty factor, at the model with no feature, of columns spread over X.
double sampled_lambda_max(const Design& X, const Problem& problem, const Features& features,
                          const PathOptions& options) {
  const Index n = X.rows(), p = X.cols();
  const Response response(problem, options);
  const Mat u = response.u.reshaped(n, response.u.size() / n);
  std::vector<Index> columns;
  for (Index k = 0; k < kSample; ++k) columns.push_back((2 * k + 1) * p / (2 * kSample));
  Mat c(kSample, u.cols()), mean(kSample, 1), variance(kSample, 1);
  X.correlate(columns, u, c, 1);
  X.moments(columns, problem.weights / problem.weights.sum(), mean, variance, 1);
  if (options.fit_intercept) c -= mean * u.colwise().sum();
  double largest = 0.0;
  for (Index k = 0; k < kSample; ++k) {
    const double scale = options.standardize ? std::sqrt(std::max(variance(k, 0), 0.0)) : 1.0;
    const double factor = features.factor(columns[static_cast<std::size_t>(k)]);
    const double size = c.row(k).norm() / (scale * factor);
    if (std::isfinite(size)) largest = std::max(largest, size);
  }
  return largest / std::max(options.l1_ratio, kLeastRatio);
}

}  // namespace

Index expected_fits(const Design& X, const Problem& problem, const Features& features, const PathOptions& options) {
  const Index asked = options.count();
  const bool wide = X.cols() > kEntering && X.rows() > 0 && options.l1_ratio > 0.0;
  if (asked >= kMany || !wide || !X.traits().copy_pays) return asked;
  if (options.alphas.empty()) {
    const std::vector<double> grid = asked_grid(options, X.cols(), X.rows(), 1.0);
    return asked + static_cast<Index>(steps_between(1.0, grid.back()));
  }
  const double largest = sampled_lambda_max(X, problem, features, options);
  return asked + static_cast<Index>(steps_between(largest, options.alphas.back()));
}

}  // namespace riata
