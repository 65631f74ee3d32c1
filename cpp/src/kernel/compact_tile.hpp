#pragma once

// Products of 16-bit integers; see compact.hpp. Compiled once per instruction set like simd.hpp, in a namespace of that
// name.

#include "compact.hpp"
#include "simd.hpp"

namespace riata::RIATA_ISA {
namespace {

// A pack of 16-bit codes, sums of their products in 32-bit lanes, and the total of those in double; store_rounded
// writes doubles as codes and returns what it wrote.
#if RIATA_ISA_LEVEL == 3

RIATA_INLINE Pack store_rounded(std::int16_t* to, Pack a) {
  const __m256i whole = _mm512_cvtpd_epi32(a);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_cvtepi32_epi16(whole));
  return _mm512_cvtepi32_pd(whole);
}

using Codes = __m512i;
using Sums = __m512i;
constexpr Index lanes = 32;
constexpr int tile_columns = 4, tile_sides = 4;

RIATA_INLINE Codes load_codes(const std::int16_t* p) {
  return _mm512_loadu_si512(p);
}
RIATA_INLINE Sums no_sums() {
  return _mm512_setzero_si512();
}
RIATA_INLINE Sums add_products(Sums s, Codes a, Codes b) {
  return _mm512_add_epi32(s, _mm512_madd_epi16(a, b));
}
RIATA_INLINE double total(Sums s) {
  return sum(_mm512_add_pd(_mm512_cvtepi32_pd(_mm512_castsi512_si256(s)),
                           _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(s, 1))));
}

#elif RIATA_ISA_LEVEL == 2

RIATA_INLINE Pack store_rounded(std::int16_t* to, Pack a) {
  const __m128i whole = _mm256_cvtpd_epi32(a);
  _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packs_epi32(whole, whole));
  return _mm256_cvtepi32_pd(whole);
}

using Codes = __m256i;
using Sums = __m256i;
constexpr Index lanes = 16;
constexpr int tile_columns = 2, tile_sides = 4;

RIATA_INLINE Codes load_codes(const std::int16_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
RIATA_INLINE Sums no_sums() {
  return _mm256_setzero_si256();
}
RIATA_INLINE Sums add_products(Sums s, Codes a, Codes b) {
  return _mm256_add_epi32(s, _mm256_madd_epi16(a, b));
}
RIATA_INLINE double total(Sums s) {
  return sum(
      _mm256_add_pd(_mm256_cvtepi32_pd(_mm256_castsi256_si128(s)), _mm256_cvtepi32_pd(_mm256_extracti128_si256(s, 1))));
}

#else

RIATA_INLINE Pack store_rounded(std::int16_t* to, Pack a) {
  double whole[width];
  for (int k = 0; k < width; ++k) {
    to[k] = static_cast<std::int16_t>(static_cast<int>(a[k] + (a[k] < 0.0 ? -0.5 : 0.5)));
    whole[k] = static_cast<double>(to[k]);
  }
  return load(whole);
}

constexpr Index lanes = 8;
constexpr int tile_columns = 1, tile_sides = 1;
struct Codes {
  const std::int16_t* at;
};
using Sums = double;

RIATA_INLINE Codes load_codes(const std::int16_t* p) {
  return {p};
}
RIATA_INLINE Sums no_sums() {
  return 0.0;
}
RIATA_INLINE Sums add_products(Sums s, Codes a, Codes b) {
  std::int32_t part = 0;
  for (Index i = 0; i < lanes; ++i) part += std::int32_t{a.at[i]} * std::int32_t{b.at[i]};
  return s + static_cast<double>(part);
}
RIATA_INLINE double total(Sums s) {
  return s;
}

#endif

static_assert(kCodeLane % lanes == 0);

/// out[c + q ldo] += sums over rows [first, first + n) for C lines and M right-hand sides; meanwhile the `next` lines
/// are asked for, since the hardware does not look from one short line to another.
template <int C, int M>
void compact_tile(const std::int16_t* const* lines, const std::int16_t* const* next, Index first, Index n,
                  const std::int16_t* R, Index ldr, double* out, Index ldo) {
  const std::int16_t* x[C];
  RIATA_UNROLL
  for (int c = 0; c < C; ++c) x[c] = lines[c] + first;
  Sums sums[M][C];
  RIATA_UNROLL
  for (int q = 0; q < M; ++q) {
    RIATA_UNROLL
    for (int c = 0; c < C; ++c) sums[q][c] = no_sums();
  }
  for (Index i = 0; i < n; i += lanes) {
    Codes xi[C];
    RIATA_UNROLL
    for (int c = 0; c < C; ++c) {
      prefetch(next[c] + first + i);
      xi[c] = load_codes(x[c] + i);
    }
    RIATA_UNROLL
    for (int q = 0; q < M; ++q) {
      const Codes r = load_codes(R + q * ldr + i);
      RIATA_UNROLL
      for (int c = 0; c < C; ++c) sums[q][c] = add_products(sums[q][c], xi[c], r);
    }
  }
  RIATA_UNROLL
  for (int q = 0; q < M; ++q) {
    RIATA_UNROLL
    for (int c = 0; c < C; ++c) out[c + q * ldo] += total(sums[q][c]);
  }
}

template <int C>
void compact_lines(const std::int16_t* const* lines, const std::int16_t* const* next, Index n, const std::int16_t* R,
                   Index ldr, Index m, double* out, Index ldo) {
  for (Index first = 0; first < n; first += kernel_block) {
    const Index rows = n - first < kernel_block ? n - first : kernel_block;
    Index q = 0;
    for (; q + tile_sides <= m; q += tile_sides) {
      compact_tile<C, tile_sides>(lines, next, first, rows, R + first + q * ldr, ldr, out + q * ldo, ldo);
    }
    for (; q + 2 <= m; q += 2)
      compact_tile<C, 2>(lines, next, first, rows, R + first + q * ldr, ldr, out + q * ldo, ldo);
    if (q < m) compact_tile<C, 1>(lines, next, first, rows, R + first + q * ldr, ldr, out + q * ldo, ldo);
  }
}

void compact_correlate(const std::int16_t* const* lines, Index count, Index n, const std::int16_t* R, Index ldr,
                       Index m, double* out, Index ldo) {
  for (Index q = 0; q < m; ++q) {
    for (Index c = 0; c < count; ++c) out[c + q * ldo] = 0.0;
  }
  constexpr int C = tile_columns;
  Index c = 0;
  for (; c + C <= count; c += C) {
    compact_lines<C>(lines + c, c + 2 * C <= count ? lines + c + C : lines + c, n, R, ldr, m, out + c, ldo);
  }
  for (; c < count; ++c) compact_lines<1>(lines + c, lines + c, n, R, ldr, m, out + c, ldo);
}

double compact_largest(const double* x, Index n, double shift) {
  constexpr int chains = 4;
  const Pack centre = set1(shift);
  Pack largest[chains];
  for (int k = 0; k < chains; ++k) largest[k] = zero();
  Index i = 0;
  for (; i + chains * width <= n; i += chains * width) {
    RIATA_UNROLL
    for (int k = 0; k < chains; ++k) largest[k] = larger(largest[k], magnitude(sub(load(x + i + k * width), centre)));
  }
  for (; i + width <= n; i += width) largest[0] = larger(largest[0], magnitude(sub(load(x + i), centre)));
  double found[width], most = 0.0;
  store(found, larger(larger(largest[0], largest[1]), larger(largest[2], largest[3])));
  for (Index k = 0; k < width; ++k) most = found[k] > most ? found[k] : most;
  for (; i < n; ++i) {
    const double d = x[i] - shift, size = d < 0.0 ? -d : d;
    most = size > most ? size : most;
  }
  return most;
}

double compact_encode(const double* x, Index n, double shift, double step, std::int16_t* codes) {
  constexpr int chains = 2;
  const Pack centre = set1(shift), per_step = set1(1.0 / step), minus_step = set1(-step);
  Pack error[chains];
  for (int k = 0; k < chains; ++k) error[k] = zero();
  Index i = 0;
  for (; i + chains * width <= n; i += chains * width) {
    RIATA_UNROLL
    for (int k = 0; k < chains; ++k) {
      const Pack d = sub(load(x + i + k * width), centre);
      const Pack left = fma(minus_step, store_rounded(codes + i + k * width, mul(d, per_step)), d);
      error[k] = fma(left, left, error[k]);
    }
  }
  double sum_of_rest = 0.0;
  for (; i < n; ++i) {
    const double d = x[i] - shift, scaled = d / step;
    codes[i] = static_cast<std::int16_t>(static_cast<int>(scaled + (scaled < 0.0 ? -0.5 : 0.5)));
    const double left = d - step * static_cast<double>(codes[i]);
    sum_of_rest += left * left;
  }
  return sum(add(error[0], error[1])) + sum_of_rest;
}

}  // namespace
}  // namespace riata::RIATA_ISA
