#include "plink_rounded.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernel/plink.hpp"

namespace riata {
namespace {

/// The smallest power of two of which `largest` is kLargestRounded times at most, once rounded.
double step_for(double largest) {
  int exponent = 0;
  std::frexp(largest / kLargestRounded, &exponent);
  const double step = std::ldexp(1.0, std::max(exponent, std::numeric_limits<double>::min_exponent) - 1);
  return std::round(largest / step) <= kLargestRounded ? step : 2.0 * step;
}

/// One block of the layout from n multiples of the step: the sum of the integers. Simple loops, which compilers turn
/// into wide instructions.
std::int64_t split_block(const double* values, Index n, double step, std::int8_t* planes) {
  const double inverse = 1.0 / step;
  std::int16_t r[kRoundedBlock] = {};
  std::int32_t sum = 0;
  for (Index i = 0; i < n; ++i) r[i] = static_cast<std::int16_t>(static_cast<std::int32_t>(values[i] * inverse));
  for (Index i = 0; i < kRoundedBlock; ++i) sum += r[i];
  constexpr Index plane = kRoundedBlock / 4;
  for (Index k = 0; k < 4; ++k) {
    for (Index b = 0; b < plane; ++b) {
      const auto high = static_cast<std::int16_t>((r[4 * b + k] + 128) >> 8);
      planes[k * plane + b] = static_cast<std::int8_t>(high);
      planes[kRoundedBlock + k * plane + b] = static_cast<std::int8_t>(r[4 * b + k] - 256 * high);
    }
  }
  return sum;
}

}  // namespace

void RoundedSides::round(MatOut R) {
  for (Index q = 0; q < R.cols(); ++q) {
    const double step = step_for(R.col(q).cwiseAbs().maxCoeff());
    // (+ 0.0: without negative zeros, which 16-bit integers do not have)
    for (Index i = 0; i < R.rows(); ++i) R(i, q) = step * std::round(R(i, q) / step) + 0.0;
  }
}

RoundedSides::RoundedSides(const MatIn& R) : rows_(R.rows()), sides_(R.cols()) {
  const Index blocks = (rows_ + kRoundedBlock - 1) / kRoundedBlock;
  planes_.resize(blocks * sides_ * kRoundedBlockBytes);
  for (Index q = 0; q < sides_; ++q) {
    step_.push_back(step_for(R.col(q).cwiseAbs().maxCoeff()));
    sum_.push_back(0);
    for (Index block = 0; block < blocks; ++block) {
      const Index first = block * kRoundedBlock;
      sum_.back() += split_block(R.col(q).data() + first, std::min(kRoundedBlock, rows_ - first), step_.back(),
                                 planes_.data() + (block * sides_ + q) * kRoundedBlockBytes);
    }
  }
}

void RoundedSides::correlate(const PackedColumns& columns, double* out, Index ldo) const {
  const PlinkKernels& kernel = plink_kernels();
  const Index ncols = columns.size();
  std::vector<std::int64_t> sums(static_cast<std::size_t>(2 * ncols * sides_), 0);
  std::vector<const std::uint8_t*> at(columns.bytes);
  // So many rows at a time that the planes of four sides, which are read together, stay in the first-level cache.
  const Index some = kRoundedRows / (sides_ == 1 ? 1 : sides_ == 2 ? 2 : 4);
  for (Index i = 0; i < rows_; i += some) {
    kernel.sum_rounded(at.data(), columns.missing.data(), ncols, packed_bytes(std::min(some, rows_ - i)),
                       planes_.data() + i / kRoundedBlock * sides_ * kRoundedBlockBytes, sides_, sums.data());
    for (auto& bytes : at) bytes += some / 4;
  }
  // The bits t of a code make its value: value = table[0] + slope t, but for missing ones (t = 1).
  for (Index c = 0; c < ncols; ++c) {
    const double* table = columns.tables.data() + 4 * c;
    const double slope = table[3] > table[0] ? 1.0 : -1.0;
    for (Index q = 0; q < sides_; ++q) {
      const std::int64_t* sum = sums.data() + 2 * (c * sides_ + q);
      const auto k = static_cast<std::size_t>(q);
      out[c + q * ldo] = step_[k] * (table[0] * static_cast<double>(sum_[k]) + slope * static_cast<double>(sum[0]) +
                                     (table[1] - table[2]) * static_cast<double>(sum[1]));
    }
  }
}

}  // namespace riata
