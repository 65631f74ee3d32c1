#pragma once

#include <cstdint>

#include "riata/kernel/kernels.hpp"

namespace riata {

/// Samples per code among the masked ones of a packed column; see `PlinkKernels`.
struct CodeCounts {
  std::int64_t of[4];
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

  /// Counts the codes of the samples in a mask of ceil(n / 32) words, bit 2 (i % 32) of word i / 32 for sample i.
  CodeCounts (*count)(const std::uint8_t* col, const std::uint64_t* mask, Index n);
};

/// Null where the compiler does not target the instruction set.
extern const PlinkKernels* const plink_baseline_table;
extern const PlinkKernels* const plink_avx2_table;
extern const PlinkKernels* const plink_avx512_table;

/// The table that matches `kernels().name`.
const PlinkKernels& plink_kernels();

}  // namespace riata
