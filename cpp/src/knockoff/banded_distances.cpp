#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "knockoff/banded_factor.hpp"
#include "parallel.hpp"
#include "riata/knockoff/banded.hpp"

namespace riata {
namespace {

constexpr Index kLeastWindow = 48, kLeastMargin = 16;  // columns whose distances are found together, and beside them
constexpr Index kBetweenPolls = 64;                    // columns

/// band(l, k) = the correlation of columns k and k - l.
Mat correlation_band(const BandedLaw& law, Index width) {
  Mat band = Mat::Zero(width, law.size());
  band.row(0).setOnes();
  for (Index k = 0; k < law.size(); ++k) {
    if (k % kBetweenPolls == 0) PollScope::check();
    for (Index l = 1; l < std::min(width, k + 1); ++l) {
      const Index other = k - l;
      double sum = 0.0;
      for (Index i = 0; i < std::min(law.reach(), k); ++i) {
        const Index mine = k - 1 - i, apart = std::abs(mine - other);
        if (apart < width) sum += law.before(i, k) * band(apart, std::max(mine, other));
      }
      band(l, k) = sum;
    }
  }
  return band;
}

/// Element (k, j) of Sigma^-1, k - h <= j <= k.
double precision(const BandedLaw& law, Index k, Index j) {
  const auto element = [&](Index i, Index column) { return i == column ? 1.0 : -law.before(i - 1 - column, i); };
  double sum = 0.0;
  for (Index i = k; i <= std::min(j + law.reach(), law.size() - 1); ++i) {
    sum += element(i, k) * element(i, j) / law.rest[i];
  }
  return sum;
}

}  // namespace

bool banded_factor(const BandedLaw& law, const Vec& distances, double lift, Mat& factor) {
  const Index h = law.reach();
  factor.setZero(h + 1, law.size());
  for (Index k = 0; k < law.size(); ++k) {
    if (k % kBetweenPolls == 0) PollScope::check();
    for (Index j = std::max(Index{0}, k - h); j <= k; ++j) {
      double sum = -distances[k] * precision(law, k, j) * distances[j];
      if (j == k) sum += 2.0 * distances[k] + lift;
      for (Index i = std::max(Index{0}, k - h); i < j; ++i) sum -= factor(k - i, k) * factor(j - i, j);
      if (j < k) {
        factor(k - j, k) = sum / factor(0, j);
      } else if (sum > 0.0 && std::isfinite(sum)) {
        factor(0, k) = std::sqrt(sum);
      } else {
        return false;
      }
    }
  }
  return true;
}

Vec banded_distances(const BandedLaw& law, const DistanceOptions& options, const KnockoffRun& run) {
  const PollScope polling(run.poll);
  const Index window = std::max(kLeastWindow, 3 * law.reach()), margin = std::max(kLeastMargin, law.reach());
  const Mat band = correlation_band(law, window + 2 * margin);
  BlockOrder windows;
  windows.first.push_back(0);
  std::vector<double> sigma;
  std::vector<Index> group;
  for (Index first = 0; first < law.size(); first += window) {
    const Index from = std::max(Index{0}, first - margin), to = std::min(law.size(), first + window + margin);
    for (Index a = from; a < to; ++a) {
      windows.order.push_back(a);
      group.push_back(a - from);
      for (Index b = from; b < to; ++b) sigma.push_back(band(std::abs(a - b), std::max(a, b)));
    }
    windows.first.push_back(static_cast<Index>(windows.order.size()));
  }
  const Vec found = knockoff_distances(windows, sigma, group, options, run);
  Vec out(law.size());
  Index at = 0;
  for (Index first = 0; first < law.size(); first += window) {
    const Index from = std::max(Index{0}, first - margin), to = std::min(law.size(), first + window + margin);
    const Index count = std::min(window, law.size() - first);
    out.segment(first, count) = found.segment(at + first - from, count);
    at += to - from;
  }
  Mat factor;
  double low = 0.0, high = 2.0;
  if (banded_factor(law, out, 0.0, factor)) return out;
  for (int round = 0; round < 20; ++round) {
    const double middle = 0.5 * (low + std::min(high, 1.0));
    (banded_factor(law, middle * out, 0.0, factor) ? low : high) = middle;
  }
  return low * out;
}

}  // namespace riata
