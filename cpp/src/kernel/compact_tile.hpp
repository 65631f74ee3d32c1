#pragma once

// Products of 16-bit integers; see compact.hpp. Compiled once per instruction set like simd.hpp, in a namespace of that
// name.

#include "compact.hpp"
#include "simd.hpp"

namespace riata::RIATA_ISA {
namespace {

// A pack of 16-bit codes, sums of their products in 32-bit lanes, and the total of those in double.
#if RIATA_ISA_LEVEL == 3

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

// The two loops below are written for the compiler to turn into vectors.

double compact_largest(const double* x, Index n, double shift) {
  constexpr int chains = 8;
  double largest[chains] = {};
  const auto size = [shift](double value) {
    const double d = value - shift;
    return d < 0.0 ? -d : d;
  };
  Index i = 0;
  for (; i + chains <= n; i += chains) {
    RIATA_UNROLL
    for (int k = 0; k < chains; ++k) {
      const double s = size(x[i + k]);
      largest[k] = s > largest[k] ? s : largest[k];
    }
  }
  for (; i < n; ++i) largest[0] = size(x[i]) > largest[0] ? size(x[i]) : largest[0];
  for (int k = 1; k < chains; ++k) largest[0] = largest[k] > largest[0] ? largest[k] : largest[0];
  return largest[0];
}

double compact_encode(const double* x, Index n, double shift, double step, std::int16_t* codes) {
  const double per_step = 1.0 / step;
  constexpr int chains = 8;
  double error[chains] = {};
  const auto one = [&](Index i, int k) {
    const double d = x[i] - shift, scaled = d * per_step;
    const auto code = static_cast<std::int32_t>(scaled + (scaled < 0.0 ? -0.5 : 0.5));
    const double left = d - step * static_cast<double>(code);
    codes[i] = static_cast<std::int16_t>(code);
    error[k] += left * left;
  };
  Index i = 0;
  for (; i + chains <= n; i += chains) {
    RIATA_UNROLL
    for (int k = 0; k < chains; ++k) one(i + k, k);
  }
  for (; i < n; ++i) one(i, 0);
  for (int k = 1; k < chains; ++k) error[0] += error[k];
  return error[0];
}

constexpr CompactKernels compact_table = {compact_largest, compact_encode, compact_correlate};

}  // namespace
}  // namespace riata::RIATA_ISA
