#include "path/rounded_products.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernel/compact.hpp"

namespace riata {
namespace {

constexpr Index kWorthwhile = 8;               // lambdas from which a copy pays
constexpr double kSmallest = 1 << 18;          // bytes of X from which it does
constexpr double kLargest = 2.0 * (1u << 30);  // bytes a copy may take

}  // namespace

RoundedProducts::RoundedProducts(const Design& X, Index lambdas) : X_(X) {
  const double entries = static_cast<double>(X.rows()) * static_cast<double>(X.cols());
  const double bytes = entries * sizeof(std::int16_t);
  if (X.rounds() || lambdas < kWorthwhile || X.bytes() < kSmallest || X.bytes() < 2.0 * bytes || bytes > kLargest) {
    return;
  }
  stride_ = (X.rows() + kCodeLane - 1) / kCodeLane * kCodeLane;
  codes_ = std::make_unique_for_overwrite<std::int16_t[]>(static_cast<std::size_t>(stride_ * X.cols()));
  step_.resize(X.cols());
  shift_.resize(X.cols());
  errors_.resize(X.cols());
  share_ = bytes / X.bytes();
}

void RoundedProducts::encode(Columns columns, const Eigen::Ref<const Vec>& mean) {
  const CompactKernels& kernel = compact_kernels();
  const Index n = X_.rows();
  Mat held;
  for (std::size_t k = 0; k < columns.size(); ++k) {
    const Index j = columns[k];
    const double* x = X_.contiguous(j);
    if (x == nullptr) {
      if (held.size() == 0) {
        held.resize(n, static_cast<Index>(columns.size()));
        X_.gather(columns, held, 1);
      }
      x = held.col(static_cast<Index>(k)).data();
    }
    std::int16_t* const codes = codes_.get() + j * stride_;
    const double largest = kernel.largest(x, n, mean[static_cast<Index>(k)]);
    // A step of zero stands for a constant column; a step is never so small that its inverse overflows.
    const double step = std::max(largest / kLargestCode, 1e-300);
    shift_[j] = mean[static_cast<Index>(k)];
    step_[j] = step;
    errors_[j] = std::sqrt(kernel.encode(x, n, shift_[j], step, codes));
    std::fill(codes + n, codes + stride_, std::int16_t{0});
  }
}

void RoundedProducts::round(MatOut R) const {
  if (!copies()) return X_.round_sides(R);
  for (Index q = 0; q < R.cols(); ++q) {
    const double step = R.col(q).cwiseAbs().maxCoeff() / kLargestSideCode;
    if (!(step > 1e-300)) continue;
    for (Index i = 0; i < R.rows(); ++i) R(i, q) = step * std::nearbyint(R(i, q) / step);
  }
}

void RoundedProducts::correlate(Columns columns, const MatIn& R, MatOut out) const {
  if (!copies()) return X_.correlate_rounded(columns, R, out, 1);
  const Index m = R.cols();
  std::vector<std::int16_t> sides(static_cast<std::size_t>(stride_ * m), 0);
  Vec step(m), sum(m);
  for (Index q = 0; q < m; ++q) {
    step[q] = R.col(q).cwiseAbs().maxCoeff() / kLargestSideCode;
    sum[q] = R.col(q).sum();
    if (!(step[q] > 1e-300)) continue;
    const double per_step = 1.0 / step[q];
    for (Index i = 0; i < R.rows(); ++i) {
      const double scaled = R(i, q) * per_step;
      sides[static_cast<std::size_t>(i + q * stride_)] =
          static_cast<std::int16_t>(static_cast<int>(scaled + (scaled < 0.0 ? -0.5 : 0.5)));
    }
  }
  std::vector<const std::int16_t*> lines;
  lines.reserve(columns.size());
  for (const Index j : columns) lines.push_back(codes_.get() + j * stride_);
  compact_kernels().correlate(lines.data(), static_cast<Index>(lines.size()), stride_, sides.data(), stride_, m,
                              out.data(), out.outerStride());
  for (Index q = 0; q < m; ++q) {
    for (std::size_t k = 0; k < columns.size(); ++k) {
      const Index j = columns[k];
      double& value = out(static_cast<Index>(k), q);
      value = value * (step[q] * step_[j]) + shift_[j] * sum[q];
    }
  }
}

}  // namespace riata
