#pragma once

#include <cstdint>

#include "kernel/kernels.hpp"

/// What the kernel that bounds many columns at a time is given.
namespace riata {

/// Most reference residuals in a block, and blocks that columns refer to (see certify/reference_subspace.hpp).
inline constexpr int kMaxBasis = 2, kMaxBlocks = 64;

/// What is known of each column, in floats; entry j of every array belongs to column j.
struct KnownColumns {
  const float* k[kMaxBasis];  // inner products with the basis of the column's block
  const float* left;          // what of the column's norm lies outside that basis
  const float* size;          // what rounding is relative to
  const float* limit;         // threshold of the column in units of a common one; negative: the column is not asked for
  const std::uint8_t* block;
};

/// One residual, as seen by every block.
struct ResidualInBlocks {
  float a[kMaxBasis][kMaxBlocks];  // coordinates
  float rest[kMaxBlocks];          // norm of what lies outside the basis
  float loose[kMaxBlocks];         // rounding, relative to the size of a column
};

/// Kernels::decide_columns sets flags[i] for column first + i: kUndecided when |k'a| + rest left + loose size is not at
/// most threshold * limit, else kPromising when |k'a| is at least promising * limit, else 0.
inline constexpr std::uint8_t kUndecided = 1, kPromising = 2;

}  // namespace riata
