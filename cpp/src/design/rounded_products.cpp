#include "design/rounded_products.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernel/compact.hpp"

namespace riata {
namespace {

constexpr Index kWorthwhile = 8;         // lambdas from which a copy pays
constexpr double kSmallest = 1 << 18;    // bytes of X from which it does
constexpr Index kHeldNumbers = 1 << 17;  // of columns that are decoded before they are rounded
constexpr double kTiny = 1e-300;         // steps below this have no inverse
constexpr double kMostShare = 0.6;       // of the bytes of X: half for floats, and padding

/// Rows of a line of the copy.
Index padded(Index rows) {
  return (rows + kCodeLane - 1) / kCodeLane * kCodeLane;
}

}  // namespace

RoundedProducts::RoundedProducts(const Design& X, Index lambdas, double most_bytes, Index first, Index last)
    : RoundedProducts(of_share(X, share_of_copy(X, lambdas, most_bytes), first, last < 0 ? X.cols() : last)) {}

double RoundedProducts::share_of_copy(const Design& X, Index lambdas, double most_bytes) {
  const double bytes = static_cast<double>(padded(X.rows())) * static_cast<double>(X.cols()) * sizeof(std::int16_t);
  if (!X.traits().copy_pays || lambdas < kWorthwhile || X.bytes() < kSmallest) return 0.0;
  if (bytes > std::min(kLargest, most_bytes) || bytes > kMostShare * X.bytes()) return 0.0;
  return bytes / X.bytes();
}

RoundedProducts RoundedProducts::of_share(const Design& X, double share, Index first, Index last) {
  RoundedProducts out(Bare{}, X, first);
  out.stride_ = padded(X.rows());
  if (share == 0.0) return out;
  const Index held = last - first;
  out.codes_ = std::make_unique_for_overwrite<std::int16_t[]>(static_cast<std::size_t>(out.stride_ * held));
  out.step_.resize(held);
  out.shift_.resize(held);
  out.errors_.resize(held);
  out.share_ = share;
  return out;
}

void RoundedProducts::encode(Columns columns, const Eigen::Ref<const Vec>& mean) {
  const Index n = X_.rows(), count = static_cast<Index>(columns.size());
  const Index held = std::clamp<Index>(kHeldNumbers / n, 1, count);
  Mat block;
  for (Index first = 0; first < count; first += held) {
    const Columns some =
        columns.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(std::min(held, count - first)));
    const auto in_memory = [this](Index j) { return X_.contiguous(j) != nullptr; };
    const bool in_place = std::all_of(some.begin(), some.end(), in_memory);
    if (!in_place) {
      block.resize(n, static_cast<Index>(some.size()));
      X_.gather(some, block, 1);
    }
    for (std::size_t k = 0; k < some.size(); ++k) {
      const double* x = in_place ? X_.contiguous(some[k]) : block.col(static_cast<Index>(k)).data();
      encode_one(some[k] - first_, x, mean[first + static_cast<Index>(k)]);
    }
  }
}

void RoundedProducts::encode_one(Index j, const double* x, double mean) {
  const Kernels& kernel = kernels();
  const Index n = X_.rows();
  std::int16_t* const codes = codes_.get() + j * stride_;
  shift_[j] = mean;
  step_[j] = std::max(kernel.largest_difference(x, n, mean) / kLargestCode, kTiny);
  if (std::isfinite(step_[j])) {
    errors_[j] = std::sqrt(kernel.encode(x, n, mean, step_[j], codes));
    std::fill(codes + n, codes + stride_, std::int16_t{0});
  } else {  // differences that overflow: no code stands for them
    step_[j] = 0.0;
    errors_[j] = std::numeric_limits<double>::infinity();
    std::fill(codes, codes + stride_, std::int16_t{0});
  }
}

RoundedProducts::Sides RoundedProducts::round(const Mat& sides) const {
  Sides out;
  out.used = sides;
  if (!copies()) {
    X_.round_sides(out.used);
    return out;
  }
  const Index m = sides.cols();
  out.step = sides.colwise().lpNorm<Eigen::Infinity>().transpose() / kLargestSideCode;
  out.codes.assign(static_cast<std::size_t>(stride_ * m), 0);
  for (Index q = 0; q < m; ++q) {
    const double step = out.step[q], per_step = step > kTiny ? 1.0 / step : 0.0;
    std::int16_t* const codes = out.codes.data() + q * stride_;
    for (Index i = 0; i < sides.rows(); ++i) {
      const double scaled = sides(i, q) * per_step;
      codes[i] = static_cast<std::int16_t>(static_cast<int>(scaled + (scaled < 0.0 ? -0.5 : 0.5)));
      out.used(i, q) = step * static_cast<double>(codes[i]);
    }
  }
  out.sum = out.used.colwise().sum();
  return out;
}

void RoundedProducts::correlate(Columns columns, const Sides& sides, MatOut out) const {
  if (!copies()) return X_.correlate_rounded(columns, sides.used, out, 1);
  std::vector<const std::int16_t*> lines;
  lines.reserve(columns.size());
  for (const Index j : columns) lines.push_back(codes_.get() + (j - first_) * stride_);
  kernels().correlate_codes(lines.data(), static_cast<Index>(lines.size()), stride_, sides.codes.data(), stride_,
                            out.cols(), out.data(), out.outerStride());
  for (Index q = 0; q < out.cols(); ++q) {
    for (std::size_t k = 0; k < columns.size(); ++k) {
      const Index j = columns[k] - first_;
      double& value = out(static_cast<Index>(k), q);
      value = value * (sides.step[q] * step_[j]) + shift_[j] * sides.sum[q];
    }
  }
}

}  // namespace riata
