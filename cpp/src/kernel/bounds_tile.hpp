#pragma once

// Bounds of many columns at a time; see bounds.hpp. Compiled once per instruction set like simd.hpp, in a namespace of
// that name.

#include "bounds.hpp"
#include "simd.hpp"

namespace riata::RIATA_ISA {
namespace {

[[maybe_unused]] RIATA_INLINE std::uint8_t decide_one(const KnownColumns& columns, Index j,
                                                      const ResidualInBlocks& residual, float threshold,
                                                      float promising) {
  const float limit = columns.limit[j];
  if (!(limit >= 0.0f)) return 0;
  const int b = columns.block[j];
  float product = 0.0f;
  for (int t = 0; t < kMaxBasis; ++t) product += columns.k[t][j] * residual.a[t][b];
  product = product < 0.0f ? -product : product;
  const float bound = product + residual.rest[b] * columns.left[j] + residual.loose[b] * columns.size[j];
  if (!(bound <= threshold * limit)) return kUndecided;
  return product >= promising * limit ? kPromising : std::uint8_t{0};
}

#if RIATA_ISA_LEVEL == 3

static_assert(kMaxBlocks == 64, "a table fills four registers");

/// table[block] of sixteen columns; `upper` marks the blocks from 32 on.
RIATA_INLINE __m512 look_up(const float* table, __m512i block, __mmask16 upper) {
  const __m512 low = _mm512_permutex2var_ps(_mm512_loadu_ps(table), block, _mm512_loadu_ps(table + 16));
  const __m512 high = _mm512_permutex2var_ps(_mm512_loadu_ps(table + 32), block, _mm512_loadu_ps(table + 48));
  return _mm512_mask_blend_ps(upper, low, high);
}

void decide(const KnownColumns& columns, Index first, Index count, const ResidualInBlocks& residual, float threshold,
            float promising, std::uint8_t* flags) {
  const __m512 most = _mm512_set1_ps(threshold), strong = _mm512_set1_ps(promising);
  Index i = 0;
  for (; i + 16 <= count; i += 16) {
    const Index j = first + i;
    const __m512 limit = _mm512_loadu_ps(columns.limit + j);
    const __mmask16 asked = _mm512_cmp_ps_mask(limit, _mm512_setzero_ps(), _CMP_GE_OQ);
    const __m512i block = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(columns.block + j)));
    const __mmask16 upper = _mm512_cmpge_epi32_mask(block, _mm512_set1_epi32(32));
    __m512 product = _mm512_mul_ps(_mm512_loadu_ps(columns.k[0] + j), look_up(residual.a[0], block, upper));
    RIATA_UNROLL
    for (int t = 1; t < kMaxBasis; ++t) {
      product = _mm512_fmadd_ps(_mm512_loadu_ps(columns.k[t] + j), look_up(residual.a[t], block, upper), product);
    }
    product = _mm512_abs_ps(product);
    __m512 bound = _mm512_fmadd_ps(look_up(residual.rest, block, upper), _mm512_loadu_ps(columns.left + j), product);
    bound = _mm512_fmadd_ps(look_up(residual.loose, block, upper), _mm512_loadu_ps(columns.size + j), bound);
    const __mmask16 undecided = _mm512_mask_cmp_ps_mask(asked, bound, _mm512_mul_ps(most, limit), _CMP_NLE_UQ);
    const __mmask16 likely = _mm512_mask_cmp_ps_mask(asked, product, _mm512_mul_ps(strong, limit), _CMP_GE_OQ);
    const __m128i marks = _mm_mask_mov_epi8(_mm_maskz_set1_epi8(likely, static_cast<char>(kPromising)), undecided,
                                            _mm_set1_epi8(static_cast<char>(kUndecided)));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(flags + i), marks);
  }
  for (; i < count; ++i) flags[i] = decide_one(columns, first + i, residual, threshold, promising);
}

#elif RIATA_ISA_LEVEL == 2

void decide(const KnownColumns& columns, Index first, Index count, const ResidualInBlocks& residual, float threshold,
            float promising, std::uint8_t* flags) {
  const __m256 most = _mm256_set1_ps(threshold), strong = _mm256_set1_ps(promising);
  const __m256 magnitude = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff));
  Index i = 0;
  for (; i + 8 <= count; i += 8) {
    const Index j = first + i;
    const __m256 limit = _mm256_loadu_ps(columns.limit + j);
    const __m256 asked = _mm256_cmp_ps(limit, _mm256_setzero_ps(), _CMP_GE_OQ);
    const __m256i block = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(columns.block + j)));
    __m256 product = _mm256_setzero_ps();
    RIATA_UNROLL
    for (int t = 0; t < kMaxBasis; ++t) {
      product =
          _mm256_fmadd_ps(_mm256_loadu_ps(columns.k[t] + j), _mm256_i32gather_ps(residual.a[t], block, 4), product);
    }
    product = _mm256_and_ps(product, magnitude);
    __m256 bound =
        _mm256_fmadd_ps(_mm256_i32gather_ps(residual.rest, block, 4), _mm256_loadu_ps(columns.left + j), product);
    bound = _mm256_fmadd_ps(_mm256_i32gather_ps(residual.loose, block, 4), _mm256_loadu_ps(columns.size + j), bound);
    const __m256 undecided = _mm256_and_ps(asked, _mm256_cmp_ps(bound, _mm256_mul_ps(most, limit), _CMP_NLE_UQ));
    const __m256 likely = _mm256_and_ps(asked, _mm256_cmp_ps(product, _mm256_mul_ps(strong, limit), _CMP_GE_OQ));
    const int is_undecided = _mm256_movemask_ps(undecided), is_likely = _mm256_movemask_ps(likely);
    for (int s = 0; s < 8; ++s) {
      flags[i + s] = (is_undecided >> s & 1) != 0 ? kUndecided : (is_likely >> s & 1) != 0 ? kPromising : 0;
    }
  }
  for (; i < count; ++i) flags[i] = decide_one(columns, first + i, residual, threshold, promising);
}

#else

void decide(const KnownColumns& columns, Index first, Index count, const ResidualInBlocks& residual, float threshold,
            float promising, std::uint8_t* flags) {
  for (Index i = 0; i < count; ++i) flags[i] = decide_one(columns, first + i, residual, threshold, promising);
}

#endif

}  // namespace
}  // namespace riata::RIATA_ISA
