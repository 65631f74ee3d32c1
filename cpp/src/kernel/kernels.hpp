#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace riata {

using Index = std::ptrdiff_t;  // as in types.hpp: units compiled for one instruction set must not see Eigen

struct KnownColumns;      // bounds.hpp
struct ResidualInBlocks;  // likewise

/// The hot loops on raw pointers, compiled once per instruction set and picked at run time.
/// All are single-threaded; callers split the work. `ldr`, `ldb`, `ldo`, `ldx` are leading dimensions in elements.
/// A "line" is n contiguous elements: a column of a column-major matrix or a row of a row-major one. The bits of an
/// output never depend on how lines and right-hand sides are grouped into calls. Outputs do not alias inputs.
struct Kernels {
  std::string_view name;  // "baseline", "avx2", "avx512", "avx512vnni"

  double (*dot)(const double* x, const double* y, Index n);
  void (*axpy)(double a, const double* x, double* y, Index n);                            // y += a x
  void (*axpy_weighted)(double a, const double* w, const double* x, double* y, Index n);  // y_i += a w_i x_i

  /// out[c + q * ldo] = sum_i lines[c][i] * R[i + q * ldr] for c < count, q < m.
  /// Summed in blocks of kernel_block rows, then block by block.
  void (*correlate_f64)(const double* const* lines, Index count, Index n, const double* R, Index ldr, Index m,
                        double* out, Index ldo);
  void (*correlate_f32)(const float* const* lines, Index count, Index n, const double* R, Index ldr, Index m,
                        double* out, Index ldo);
  void (*correlate_i8)(const std::int8_t* const* lines, Index count, Index n, const double* R, Index ldr, Index m,
                       double* out, Index ldo);

  /// out[i + q * ldo] += sum_c lines[c][i] * B[c + q * ldb], one term after the other. On rows of a row-major matrix
  /// this is X' R by panels.
  void (*multiply_f64)(const double* const* lines, Index count, Index n, const double* B, Index ldb, Index m,
                       double* out, Index ldo);
  void (*multiply_f32)(const float* const* lines, Index count, Index n, const double* B, Index ldb, Index m,
                       double* out, Index ldo);
  void (*multiply_i8)(const std::int8_t* const* lines, Index count, Index n, const double* B, Index ldb, Index m,
                      double* out, Index ldo);

  /// z = x - shift and square = z^2.
  void (*center_f64)(const double* x, Index n, double shift, double* z, double* square);
  void (*center_f32)(const float* x, Index n, double shift, double* z, double* square);
  void (*center_i8)(const std::int8_t* x, Index n, double shift, double* z, double* square);

  /// Sums about a shift of each line: sums[2c] = sum_i w_i z_i and sums[2c + 1] = sum_i w_i z_i^2 with
  /// z_i = lines[c][i] - shift[c].
  void (*moments_f64)(const double* const* lines, Index count, Index n, const double* shift, const double* w,
                      double* sums);
  void (*moments_f32)(const float* const* lines, Index count, Index n, const double* shift, const double* w,
                      double* sums);
  void (*moments_i8)(const std::int8_t* const* lines, Index count, Index n, const double* shift, const double* w,
                     double* sums);

  /// The same across lines, added to what is there: sums[i] += sum_c w_c z_c and squares[i] += sum_c w_c z_c^2 with
  /// z_c = lines[c][i] - shift[i], one term after the other.
  void (*moments_across_f64)(const double* const* lines, Index count, Index n, const double* shift, const double* w,
                             double* sums, double* squares);
  void (*moments_across_f32)(const float* const* lines, Index count, Index n, const double* shift, const double* w,
                             double* sums, double* squares);
  void (*moments_across_i8)(const std::int8_t* const* lines, Index count, Index n, const double* shift, const double* w,
                            double* sums, double* squares);

  /// Bounds of many columns at a time; see bounds.hpp.
  void (*decide_columns)(const KnownColumns& columns, Index first, Index count, const ResidualInBlocks& residual,
                         float threshold, float promising, std::uint8_t* flags);

  /// Products with columns rounded to 16-bit integers; see compact.hpp.
  double (*largest_difference)(const double* x, Index n, double shift);
  double (*encode)(const double* x, Index n, double shift, double step, std::int16_t* codes);
  void (*correlate_codes)(const std::int16_t* const* lines, Index count, Index n, const std::int16_t* R, Index ldr,
                          Index m, double* out, Index ldo);

  /// out = e^x within 2 ulp (0 below -745, infinity above 709.7), and out = log(1 + z) within 3 ulp for 0 <= z <= 1;
  /// `out` may be the input.
  void (*exponentials)(const double* x, Index n, double* out);
  void (*logs_one_plus)(const double* z, Index n, double* out);

  /// L Y = X in place for m right-hand sides of length n, ldx apart. L is lower triangular, element (i, k) at L[i][k]:
  /// entries above the diagonal need not exist.
  void (*forward_solve)(const double* const* L, Index n, double* x, Index ldx, Index m);
  /// L' x = y in place, for the same L.
  void (*backward_solve)(const double* const* L, Index n, double* x);

  /// Rotates the elements (j, j + 1) of every row, j = 0, ..., n - 1 in turn, by the angle whose cosine and sine are
  /// rotations[2j] and rotations[2j + 1]: (a, b) becomes (c a + s b, c b - s a).
  void (*rotate)(double* const* rows, Index count, Index n, const double* rotations);
};

/// Rows summed together before they are added to a result of `correlate_*`.
inline constexpr Index kernel_block = 512;

/// The table for this machine, or the one named by the environment variable RIATA_ISA (auto, baseline, avx2, avx512,
/// avx512vnni). Throws std::invalid_argument when that variable names none, or one this machine does not have.
const Kernels& kernels();

}  // namespace riata
