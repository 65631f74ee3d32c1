#include "solver/column_norms.hpp"

#include <algorithm>
#include <cmath>

namespace riata {
namespace {

constexpr double kConstant = 1e-9;  // spread of a column, relative to its mean, below which it counts as constant

}  // namespace

ColumnNorms::ColumnNorms(const PathOptions& options, const Features& features, double row_weight, const Vec& mean,
                         Vec& variance, const Vec& copy_errors)
    : usable(static_cast<std::size_t>(mean.size())),
      norm(Vec::Zero(mean.size())),
      spread(options.standardize ? 0 : mean.size()),
      noise(norm),
      copy_error(copy_errors.size()),
      largest_weight(row_weight) {
  Vec& scale = variance;
  double least_factor = kInfinity, largest_factor = 0.0;
  for (Index j = 0; j < mean.size(); ++j) {
    const double v = features.factor(j);
    const double deviation = std::sqrt(std::max(variance[j], 0.0));
    if (spread.size() > 0) spread[j] = deviation;
    const bool constant = deviation <= kConstant * std::abs(mean[j]) || deviation == 0.0;
    // Without an intercept a constant column may take its place: it cannot be standardised, which only a penalty needs.
    const bool spread_needed = options.fit_intercept || (options.standardize && v > 0.0);
    const bool useless = spread_needed ? constant : deviation == 0.0 && mean[j] == 0.0;
    scale[j] = constant || !options.standardize ? 1.0 : deviation;
    usable[static_cast<std::size_t>(j)] = !useless && v < kInfinity;
    if (copy_errors.size() > 0) copy_error[j] = largest_weight * copy_errors[j] / scale[j];
    if (!usable[static_cast<std::size_t>(j)]) continue;
    norm[j] = (options.fit_intercept ? deviation : std::hypot(deviation, mean[j])) / scale[j];
    noise[j] = kProductError * std::hypot(deviation, mean[j]) / scale[j];
    ++n_usable;
    largest_norm = std::max(largest_norm, norm[j]);
    largest_noise = std::max(largest_noise, noise[j]);
    if (v == 0.0) {
      unpenalised.push_back(j);
      continue;
    }
    least_factor = std::min(least_factor, v);
    largest_factor = std::max(largest_factor, v);
  }
  if (largest_factor > 0.0) typical_factor = std::max(least_factor, 1e-3 * largest_factor);
}

}  // namespace riata
