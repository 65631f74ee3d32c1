#pragma once

// A pack of doubles for one instruction set, and the loads that fill it from double, float and int8.
// The `_part` forms read and write the first k < width elements alone; the rest of the pack is zero.
// Included by one unit per instruction set; all of it lives in a namespace of that name, so that no linker can put a
// function compiled for one processor in the place of another's.

#include <cstddef>
#include <cstdint>
#include <cstring>

#if RIATA_ISA_LEVEL >= 2
#include <immintrin.h>
#endif

#if defined(__clang__)
#define RIATA_UNROLL _Pragma("clang loop unroll(full)")
#define RIATA_INLINE inline __attribute__((always_inline))
#elif defined(__GNUC__)
#define RIATA_UNROLL _Pragma("GCC unroll 8")
#define RIATA_INLINE inline __attribute__((always_inline))
#else
#define RIATA_UNROLL
#define RIATA_INLINE __forceinline
#endif

namespace riata::RIATA_ISA {

using Index = std::ptrdiff_t;

// shift_into_exponent(a) is 2^k where the lowest bits of a hold the integer k (see exponential() in kernels_impl.hpp).
constexpr long long exponent_bias = 1023;

#if RIATA_ISA_LEVEL == 3

using Pack = __m512d;
constexpr Index width = 8;
constexpr int tile_lines = 4, tile_rhs = 6;      // correlate: 24 sums + 4 lines + 1 right-hand side of 32 registers
constexpr int sweep_lines = 8, sweep_packs = 2;  // multiply: 16 packs of lines + 2 sums + 1 factor

RIATA_INLINE Pack zero() {
  return _mm512_setzero_pd();
}
RIATA_INLINE Pack set1(double a) {
  return _mm512_set1_pd(a);
}
RIATA_INLINE Pack fma(Pack a, Pack b, Pack c) {
  return _mm512_fmadd_pd(a, b, c);
}
RIATA_INLINE Pack sub(Pack a, Pack b) {
  return _mm512_sub_pd(a, b);
}
RIATA_INLINE Pack mul(Pack a, Pack b) {
  return _mm512_mul_pd(a, b);
}
RIATA_INLINE Pack add(Pack a, Pack b) {
  return _mm512_add_pd(a, b);
}
RIATA_INLINE Pack div(Pack a, Pack b) {
  return _mm512_div_pd(a, b);
}
RIATA_INLINE Pack larger(Pack a, Pack b) {
  return _mm512_max_pd(a, b);
}
RIATA_INLINE Pack lesser(Pack a, Pack b) {
  return _mm512_min_pd(a, b);
}
RIATA_INLINE Pack magnitude(Pack a) {
  return _mm512_abs_pd(a);
}
RIATA_INLINE Pack shift_into_exponent(Pack a) {
  return _mm512_castsi512_pd(
      _mm512_slli_epi64(_mm512_add_epi64(_mm512_castpd_si512(a), _mm512_set1_epi64(exponent_bias)), 52));
}
RIATA_INLINE Pack load(const double* p) {
  return _mm512_loadu_pd(p);
}
RIATA_INLINE Pack load(const float* p) {
  return _mm512_cvtps_pd(_mm256_loadu_ps(p));
}
RIATA_INLINE Pack load(const std::int8_t* p) {
  return _mm512_cvtepi32_pd(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
}
RIATA_INLINE __mmask8 mask_of(Index k) {
  return static_cast<__mmask8>((1u << k) - 1);
}
RIATA_INLINE Pack load_part(const double* p, Index k) {
  return _mm512_maskz_loadu_pd(mask_of(k), p);
}
RIATA_INLINE Pack load_part(const float* p, Index k) {
  return _mm512_cvtps_pd(_mm256_maskz_loadu_ps(mask_of(k), p));
}
RIATA_INLINE Pack load_part(const std::int8_t* p, Index k) {
  return _mm512_cvtepi32_pd(_mm256_cvtepi8_epi32(_mm_maskz_loadu_epi8(mask_of(k), p)));
}
RIATA_INLINE void store(double* p, Pack a) {
  _mm512_storeu_pd(p, a);
}
RIATA_INLINE void store_part(double* p, Pack a, Index k) {
  _mm512_mask_storeu_pd(p, mask_of(k), a);
}
RIATA_INLINE double first(Pack a) {
  return _mm512_cvtsd_f64(a);
}
template <Index span>
RIATA_INLINE Pack add_halves(Pack a, Pack b) {
  if constexpr (span == 2) {
    return add(_mm512_unpacklo_pd(a, b), _mm512_unpackhi_pd(a, b));
  } else {
    return add(_mm512_shuffle_f64x2(a, b, 0x88), _mm512_shuffle_f64x2(a, b, 0xdd));
  }
}
/// Rows to columns.
RIATA_INLINE void transpose(Pack (&a)[width]) {
  Pack pairs[width], quads[width];
  RIATA_UNROLL
  for (int k = 0; k < 8; k += 2) {
    pairs[k] = _mm512_unpacklo_pd(a[k], a[k + 1]);
    pairs[k + 1] = _mm512_unpackhi_pd(a[k], a[k + 1]);
  }
  RIATA_UNROLL
  for (int k = 0; k < 8; k += 4) {
    RIATA_UNROLL
    for (int h = 0; h < 2; ++h) {
      quads[k + h] = _mm512_shuffle_f64x2(pairs[k + h], pairs[k + h + 2], 0x88);
      quads[k + h + 2] = _mm512_shuffle_f64x2(pairs[k + h], pairs[k + h + 2], 0xdd);
    }
  }
  RIATA_UNROLL
  for (int k = 0; k < 4; ++k) {
    a[k] = _mm512_shuffle_f64x2(quads[k], quads[k + 4], 0x88);
    a[k + 4] = _mm512_shuffle_f64x2(quads[k], quads[k + 4], 0xdd);
  }
}

#elif RIATA_ISA_LEVEL == 2

using Pack = __m256d;
constexpr Index width = 4;
constexpr int tile_lines = 3, tile_rhs = 4;      // correlate: 12 sums + 3 lines + 1 right-hand side of 16 registers
constexpr int sweep_lines = 6, sweep_packs = 2;  // multiply: 12 packs of lines + 2 sums + 1 factor

RIATA_INLINE Pack zero() {
  return _mm256_setzero_pd();
}
RIATA_INLINE Pack set1(double a) {
  return _mm256_set1_pd(a);
}
RIATA_INLINE Pack fma(Pack a, Pack b, Pack c) {
  return _mm256_fmadd_pd(a, b, c);
}
RIATA_INLINE Pack sub(Pack a, Pack b) {
  return _mm256_sub_pd(a, b);
}
RIATA_INLINE Pack mul(Pack a, Pack b) {
  return _mm256_mul_pd(a, b);
}
RIATA_INLINE Pack add(Pack a, Pack b) {
  return _mm256_add_pd(a, b);
}
RIATA_INLINE Pack div(Pack a, Pack b) {
  return _mm256_div_pd(a, b);
}
RIATA_INLINE Pack larger(Pack a, Pack b) {
  return _mm256_max_pd(a, b);
}
RIATA_INLINE Pack lesser(Pack a, Pack b) {
  return _mm256_min_pd(a, b);
}
RIATA_INLINE Pack magnitude(Pack a) {
  return _mm256_andnot_pd(_mm256_set1_pd(-0.0), a);
}
RIATA_INLINE Pack shift_into_exponent(Pack a) {
  return _mm256_castsi256_pd(
      _mm256_slli_epi64(_mm256_add_epi64(_mm256_castpd_si256(a), _mm256_set1_epi64x(exponent_bias)), 52));
}
RIATA_INLINE Pack load(const double* p) {
  return _mm256_loadu_pd(p);
}
RIATA_INLINE Pack load(const float* p) {
  return _mm256_cvtps_pd(_mm_loadu_ps(p));
}
RIATA_INLINE Pack load(const std::int8_t* p) {
  return _mm256_cvtepi32_pd(_mm_cvtepi8_epi32(_mm_loadu_si32(p)));
}
RIATA_INLINE __m256i mask_of(Index k) {
  return _mm256_cmpgt_epi64(_mm256_set1_epi64x(k), _mm256_setr_epi64x(0, 1, 2, 3));
}
RIATA_INLINE Pack load_part(const double* p, Index k) {
  return _mm256_maskload_pd(p, mask_of(k));
}
RIATA_INLINE Pack load_part(const float* p, Index k) {
  return _mm256_cvtps_pd(
      _mm_maskload_ps(p, _mm_cmpgt_epi32(_mm_set1_epi32(static_cast<int>(k)), _mm_setr_epi32(0, 1, 2, 3))));
}
RIATA_INLINE Pack load_part(const std::int8_t* p, Index k) {
  std::int8_t t[4] = {};
  for (Index i = 0; i < k; ++i) t[i] = p[i];
  return load(t);
}
RIATA_INLINE void store(double* p, Pack a) {
  _mm256_storeu_pd(p, a);
}
RIATA_INLINE void store_part(double* p, Pack a, Index k) {
  _mm256_maskstore_pd(p, mask_of(k), a);
}
RIATA_INLINE double first(Pack a) {
  return _mm256_cvtsd_f64(a);
}
template <Index span>
RIATA_INLINE Pack add_halves(Pack a, Pack b) {
  if constexpr (span == 2) {
    return _mm256_hadd_pd(a, b);
  } else {
    return add(_mm256_permute2f128_pd(a, b, 0x20), _mm256_permute2f128_pd(a, b, 0x31));
  }
}
RIATA_INLINE void transpose(Pack (&a)[width]) {
  Pack pairs[width];
  RIATA_UNROLL
  for (int k = 0; k < 4; k += 2) {
    pairs[k] = _mm256_unpacklo_pd(a[k], a[k + 1]);
    pairs[k + 1] = _mm256_unpackhi_pd(a[k], a[k + 1]);
  }
  RIATA_UNROLL
  for (int k = 0; k < 2; ++k) {
    a[k] = _mm256_permute2f128_pd(pairs[k], pairs[k + 2], 0x20);
    a[k + 2] = _mm256_permute2f128_pd(pairs[k], pairs[k + 2], 0x31);
  }
}

#else  // portable: two doubles, which every 64-bit processor has as one register

constexpr Index width = 2;
constexpr int tile_lines = 3, tile_rhs = 4;
constexpr int sweep_lines = 6, sweep_packs = 2;  // multiply: 12 packs of lines + 2 sums + 1 factor

#if defined(__GNUC__) || defined(__clang__)
typedef double Pack __attribute__((vector_size(16)));
RIATA_INLINE Pack set1(double a) {
  return Pack{a, a};
}
RIATA_INLINE Pack add(Pack a, Pack b) {
  return a + b;
}
RIATA_INLINE Pack sub(Pack a, Pack b) {
  return a - b;
}
RIATA_INLINE Pack mul(Pack a, Pack b) {
  return a * b;
}
#if defined(__FP_FAST_FMA)
RIATA_INLINE Pack fma(Pack a, Pack b, Pack c) {
  return Pack{__builtin_fma(a[0], b[0], c[0]), __builtin_fma(a[1], b[1], c[1])};
}
#else
RIATA_INLINE Pack fma(Pack a, Pack b, Pack c) {
  return a * b + c;
}
#endif
template <class T>
RIATA_INLINE Pack load(const T* p) {
  return Pack{static_cast<double>(p[0]), static_cast<double>(p[1])};
}
#else
struct Pack {
  double v[2];
  double operator[](int i) const { return v[i]; }
};
RIATA_INLINE Pack set1(double a) {
  return {{a, a}};
}
RIATA_INLINE Pack add(Pack a, Pack b) {
  return {{a[0] + b[0], a[1] + b[1]}};
}
RIATA_INLINE Pack sub(Pack a, Pack b) {
  return {{a[0] - b[0], a[1] - b[1]}};
}
RIATA_INLINE Pack mul(Pack a, Pack b) {
  return {{a[0] * b[0], a[1] * b[1]}};
}
RIATA_INLINE Pack fma(Pack a, Pack b, Pack c) {
  return {{a[0] * b[0] + c[0], a[1] * b[1] + c[1]}};
}
template <class T>
RIATA_INLINE Pack load(const T* p) {
  return {{static_cast<double>(p[0]), static_cast<double>(p[1])}};
}
#endif
RIATA_INLINE Pack div(Pack a, Pack b) {
  return Pack{a[0] / b[0], a[1] / b[1]};
}
RIATA_INLINE Pack larger(Pack a, Pack b) {
  return Pack{a[0] > b[0] ? a[0] : b[0], a[1] > b[1] ? a[1] : b[1]};
}
RIATA_INLINE Pack lesser(Pack a, Pack b) {
  return Pack{a[0] < b[0] ? a[0] : b[0], a[1] < b[1] ? a[1] : b[1]};
}
RIATA_INLINE Pack magnitude(Pack a) {
  return larger(a, sub(set1(0.0), a));
}
RIATA_INLINE double shift_into_exponent(double a) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &a, sizeof bits);
  bits = (bits + static_cast<std::uint64_t>(exponent_bias)) << 52;
  std::memcpy(&a, &bits, sizeof bits);
  return a;
}
RIATA_INLINE Pack shift_into_exponent(Pack a) {
  return Pack{shift_into_exponent(a[0]), shift_into_exponent(a[1])};
}
RIATA_INLINE Pack zero() {
  return set1(0.0);
}
RIATA_INLINE void store(double* p, Pack a) {
  p[0] = a[0];
  p[1] = a[1];
}
template <class T>
RIATA_INLINE Pack load_part(const T* p, Index) {
  return Pack{static_cast<double>(p[0]), 0.0};
}
RIATA_INLINE void transpose(Pack (&a)[width]) {
  const Pack first = a[0];
  a[0] = Pack{first[0], a[1][0]};
  a[1] = Pack{first[1], a[1][1]};
}
RIATA_INLINE void store_part(double* p, Pack a, Index) {
  p[0] = a[0];
}
RIATA_INLINE double first(Pack a) {
  return a[0];
}
template <Index span>
RIATA_INLINE Pack add_halves(Pack a, Pack b) {
  return add(Pack{a[0], b[0]}, Pack{a[1], b[1]});
}

#endif

/// Has the compiler hold a in a register where it would rather load it again for each use.
RIATA_INLINE void hold([[maybe_unused]] Pack& a) {
#if RIATA_ISA_LEVEL >= 2 && defined(__GNUC__)
  __asm__("" : "+v"(a));
#endif
}

#if defined(__GNUC__) || defined(__clang__)
RIATA_INLINE void prefetch(const void* p) {
  __builtin_prefetch(p, 0, 3);
}
#elif RIATA_ISA_LEVEL >= 2
RIATA_INLINE void prefetch(const void* p) {
  _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0);
}
#else
RIATA_INLINE void prefetch(const void*) {}
#endif

/// One level of the sums of `span` packs: a holds what the first half of them came to, b what the second did. An
/// element of the result is the sum of two that were neighbours; after the last level element k is the sum of pack k,
/// added up along the same tree whatever k. Missing packs (count < span) stand for any number.
template <Index span, Index count>
RIATA_INLINE Pack sum_tree(const Pack* a) {
  if constexpr (span == 1) {
    return a[0];
  } else {
    constexpr Index half = span / 2;
    const Pack left = sum_tree<half, (count < half ? count : half)>(a);
    Pack right = left;
    if constexpr (count > half) right = sum_tree<half, count - half>(a + half);
    return add_halves<span>(left, right);
  }
}

RIATA_INLINE double sum(Pack a) {
  return first(sum_tree<width, 1>(&a));
}

/// `count` in whole packs.
template <Index count>
constexpr Index padded = (count + width - 1) / width * width;

/// sums[k] = sum(a[k]) for k < count; writes up to padded<count>.
template <Index count>
RIATA_INLINE void sum_each(const Pack* a, double* sums) {
  store(sums, sum_tree<width, (count < width ? count : width)>(a));
  if constexpr (count > width) sum_each<count - width>(a + width, sums + width);
}

}  // namespace riata::RIATA_ISA
