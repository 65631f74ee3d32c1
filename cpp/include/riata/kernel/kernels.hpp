#pragma once

#include <cstdint>
#include <string_view>

#include "riata/types.hpp"

namespace riata {

/// The hot loops on raw pointers, compiled once per instruction set and picked at run time (see cpp/src/kernel/).
/// All are single-threaded; callers split the work. `ldr`, `ldb`, `ldo` are leading dimensions in elements.
/// In every `correlate_*` the bits of out(c, q) do not depend on how columns are grouped into calls.
struct Kernels {
  std::string_view name;  // "baseline", "avx2", "avx512"

  double (*dot)(const double* x, const double* y, Index n);
  void (*axpy)(double a, const double* x, double* y, Index n);  // y += a x

  /// out[c + q * ldo] = sum_i cols[c][i] * R[i + q * ldr], c < ncols, q < m. Columns are contiguous.
  void (*correlate_f64)(const double* const* cols, Index ncols, Index n, const double* R, Index ldr, Index m,
                        double* out, Index ldo);
  void (*correlate_f32)(const float* const* cols, Index ncols, Index n, const double* R, Index ldr, Index m,
                        double* out, Index ldo);
  void (*correlate_i8)(const std::int8_t* const* cols, Index ncols, Index n, const double* R, Index ldr, Index m,
                       double* out, Index ldo);

  /// out[i + q * ldo] += sum_c cols[c][i] * B[c + q * ldb].
  void (*multiply_f64)(const double* const* cols, Index ncols, Index n, const double* B, Index ldb, Index m,
                       double* out, Index ldo);
};

/// The table for this machine, or the one named by the environment variable RIATA_ISA (baseline, avx2, avx512).
const Kernels& kernels();

}  // namespace riata
