#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "riata/types.hpp"

/// Means and variances of one column, by sums about a shift.
namespace riata {

/// A shift close to the mean of a column whose element i is at(i): the mean of up to 32 evenly spread elements,
/// exact when they are all equal, and 0 when it is not finite.
template <class At>
double rough_mean(Index n, const At& at) {
  if (n == 0) return 0.0;
  const Index step = (n + 31) / 32;
  const double first = at(0);
  double sum = 0.0;
  for (Index i = step; i < n; i += step) sum += at(i) - first;
  const double mean = first + sum / static_cast<double>((n + step - 1) / step);
  return std::isfinite(mean) ? mean : 0.0;
}

/// Weighted mean and variance of the rows of positive weight, in two passes about a row of theirs; exactly 0 variance
/// when those rows are all equal, infinity when it is too large for a double.
template <class At>
void careful_moments(Index n, const double* weights, const At& at, double& mean, double& variance) {
  Index i = 0;
  while (i < n && !(weights[i] > 0.0)) ++i;
  double shift = i < n ? at(i) : 0.0;
  double sum = 0.0, squares = 0.0;
  for (int pass = 0; pass < 2; ++pass) {
    shift += sum;
    sum = squares = 0.0;
    for (Index r = i; r < n; ++r) {
      if (!(weights[r] > 0.0)) continue;
      const double z = at(r) - shift;
      sum += weights[r] * z;
      squares += weights[r] * z * z;
    }
  }
  mean = shift + sum;
  variance = std::isfinite(squares) ? std::max(squares - sum * sum, 0.0) : std::numeric_limits<double>::infinity();
}

/// Turns sums about a shift into moments. On entry mean(f) and variance(f) hold sum_i w_if (x_i - shift) and
/// sum_i w_if (x_i - shift)^2; a pair whose shift was far from its own mean (rows of weight zero can do that) is
/// summed again. All variances become NaN when the column is not finite.
template <class At, class Row>
void finish_moments(const MatIn& weights, double shift, const At& at, Row mean, Row variance) {
  const Index n = weights.rows();
  bool finite = true;
  for (Index f = 0; f < weights.cols(); ++f) finite = finite && std::isfinite(mean(f)) && std::isfinite(variance(f));
  if (!finite) {
    for (Index i = 0; i < n; ++i) {
      if (std::isfinite(at(i))) continue;
      mean.setConstant(std::numeric_limits<double>::quiet_NaN());
      variance.setConstant(std::numeric_limits<double>::quiet_NaN());
      return;
    }
  }
  for (Index f = 0; f < weights.cols(); ++f) {
    const double off = mean(f);
    const double centred = variance(f) - off * off;
    if (off * off <= 4.0 * centred || (off == 0.0 && centred == 0.0)) {
      mean(f) = shift + off;
      variance(f) = centred;
    } else {
      careful_moments(n, weights.data() + f * weights.outerStride(), at, mean(f), variance(f));
    }
  }
}

}  // namespace riata
