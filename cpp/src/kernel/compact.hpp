#pragma once

#include <cstdint>

#include "riata/kernel/kernels.hpp"

namespace riata {

/// Largest magnitude of the codes of a column and of a right-hand side: in a block of kernel_block rows, the products
/// that one 32-bit lane of a register adds up (64 with AVX2) stay below 2^31.
inline constexpr int kLargestCode = 8191, kLargestSideCode = 4095;

/// Codes come in lines padded with zeros to a multiple of this.
inline constexpr Index kCodeLane = 32;

/// Products with columns rounded to 16-bit integers. Sums of products are exact, so the same for every instruction set.
struct CompactKernels {
  /// Largest |x_i - shift|.
  double (*largest)(const double* x, Index n, double shift);
  /// codes[i] = (x_i - shift) / step rounded, i < n; returns sum_i (x_i - shift - step codes[i])^2.
  double (*encode)(const double* x, Index n, double shift, double step, std::int16_t* codes);
  /// out[c + q ldo] = sum_{i < n} lines[c][i] R[i + q ldr], n a multiple of kCodeLane.
  void (*correlate)(const std::int16_t* const* lines, Index count, Index n, const std::int16_t* R, Index ldr, Index m,
                    double* out, Index ldo);
};

/// Null where the compiler does not target the instruction set.
extern const CompactKernels* const compact_baseline_table;
extern const CompactKernels* const compact_avx2_table;
extern const CompactKernels* const compact_avx512_table;

/// The table that matches `kernels().name`.
const CompactKernels& compact_kernels();

}  // namespace riata
