#pragma once

#include <cstdint>

#include "kernel/kernels.hpp"

/// The kernels for genotypes of two bits, compiled once per instruction set like those of kernels.hpp.
namespace riata {

/// Samples per code among the masked ones of a packed column; see `PlinkKernels`.
struct CodeCounts {
  std::int64_t of[4];
};

/// Right-hand sides of integers r = 256 high + low in a layout that meets the samples of 64 packed bytes in order: for
/// each block of 256 samples, each side and each k = 0..3 first the 64 high bytes of the samples 4 b + k, then, for
/// each k again, the low ones. |r| <= kLargestRounded, zero past the last sample.
inline constexpr int kLargestRounded = 127 * 256 + 127;
inline constexpr Index kRoundedBlock = 256;       // samples
inline constexpr Index kRoundedBlockBytes = 512;  // for one right-hand side
inline constexpr Index kRoundedRows = 16384;      // samples in a product at most: sums then fit 32 bits

/// Words of one bit plane of n samples: 64 a word, whole packs of 512.
inline Index plane_words(Index n) {
  return (n + 511) / 512 * 8;
}

inline constexpr int kSampleMoves = 5;  // by 1, 2, 4, 8 and 16 samples; see SampleChoice

/// Sums over samples of products of two columns: t counts the set bits of a code, m is 1 for the missing code.
struct PairCounts {
  std::uint32_t tt, tm, mt, mm;
};

/// Products with packed genotypes: four samples a byte, sample i at bits 2 (i % 4) of byte i / 4, codes 0..3.
/// A table of four finite doubles says what each code of a column stands for. Like `Kernels`, single-threaded, one
/// table per instruction set; the bits of an output number depend on its own column and right-hand side alone.
struct PlinkKernels {
  /// out[c + q ldo] += sum_{i < n} tables[4 c + code_c(i)] R[i + q ldr], c < ncols, q < m.
  void (*correlate)(const std::uint8_t* const* cols, const double* tables, Index ncols, Index n, const double* R,
                    Index ldr, Index m, double* out, Index ldo);

  /// out[i + q ldo] += sum_c tables[4 c + code_c(i)] B[c + q ldb], i < n, q < m; summed in increasing c.
  void (*multiply)(const std::uint8_t* const* cols, const double* tables, Index ncols, Index n, const double* B,
                   Index ldb, Index m, double* out, Index ldo);

  /// out[i] = table[code(i)], i < n.
  void (*decode)(const std::uint8_t* col, const double* table, Index n, double* out);

  /// sums[2 (c m + q)] += sum_i t_c(i) r_q(i), where t is the number of set bits of a code: 0, 1 (missing), 1, 2; and,
  /// where missing[c], sums[2 (c m + q) + 1] += the sum of r_q(i) over the samples with code 1. Columns of `bytes`
  /// bytes, kRoundedRows samples at most; m sides laid out as above.
  void (*sum_rounded)(const std::uint8_t* const* cols, const std::uint8_t* missing, Index ncols, Index bytes,
                      const std::int8_t* sides, Index m, std::int64_t* sums);
  /// Whether sum_rounded takes less time than correlate.
  bool fast_sums;

  /// Counts the codes of the samples in a mask of ceil(n / 32) words, bit 2 (i % 32) of word i / 32 for sample i.
  CodeCounts (*count)(const std::uint8_t* col, const std::uint64_t* mask, Index n);

  /// The codes of some of n samples, one after the other: see SampleChoice for `plan`. Fills the bytes that they need.
  void (*take_samples)(const std::uint8_t* col, const std::uint64_t* plan, Index n, std::uint8_t* out);

  /// The lower bits of the codes of n samples, then the upper ones, plane_words(n) words each; zero where the mask
  /// (laid out like a plane) is, and past the last sample.
  void (*split_planes)(const std::uint8_t* col, const std::uint64_t* mask, Index n, std::uint64_t* planes);

  /// out[i + j nrows] of columns as split_planes() leaves them, of fewer than 2^30 samples.
  void (*count_pairs)(const std::uint64_t* const* rows, Index nrows, const std::uint64_t* const* cols, Index ncols,
                      Index words, PairCounts* out);
  /// Whether count_pairs takes less time than correlate with as many right-hand sides.
  bool fast_pairs;
};

/// Null where the compiler does not target the instruction set.
extern const PlinkKernels* const plink_baseline_table;
extern const PlinkKernels* const plink_avx2_table;
extern const PlinkKernels* const plink_avx512_table;
extern const PlinkKernels* const plink_vnni_table;  // AVX-512 with its VNNI and VPOPCNTDQ extensions

/// The table that matches `kernels().name`.
const PlinkKernels& plink_kernels();

}  // namespace riata
