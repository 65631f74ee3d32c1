#pragma once

#include <cstdint>

#include "kernel/kernels.hpp"

/// Columns rounded to 16-bit integers, and kernels for exact products of such.
namespace riata {

/// Largest magnitude of the codes of a column and of a right-hand side: in a block of kernel_block rows, the products
/// that one 32-bit lane of a register adds up (64 with AVX2) stay below 2^31.
inline constexpr int kLargestCode = 8191, kLargestSideCode = 4095;

/// Codes come in lines padded with zeros to a multiple of this.
inline constexpr Index kCodeLane = 32;

// Products with columns rounded to 16-bit integers; sums of products are exact, so the same for every instruction set.
//   Kernels::largest_difference: the largest |x_i - shift|.
//   Kernels::encode: codes[i] = (x_i - shift) / step rounded, i < n; returns sum_i (x_i - shift - step codes[i])^2.
//   Kernels::correlate_codes: out[c + q ldo] = sum_{i < n} lines[c][i] R[i + q ldr], n a multiple of kCodeLane.

}  // namespace riata
