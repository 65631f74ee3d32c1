#pragma once

// Products of genotypes with genotypes, for plink_tile.hpp: population counts of bit planes.

#include "plink.hpp"
#include "plink_words.hpp"
#include "simd.hpp"

namespace riata::RIATA_ISA {
namespace {

RIATA_INLINE std::int64_t bits_set(std::uint64_t x) {
#if defined(__GNUC__)
  return __builtin_popcountll(x);
#else
  x -= (x >> 1) & 0x5555555555555555u;
  x = (x & 0x3333333333333333u) + ((x >> 2) & 0x3333333333333333u);
  x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu;
  return static_cast<std::int64_t>((x * 0x0101010101010101u) >> 56);
#endif
}

/// Bits 0, 2, 4, ... side by side in the lower half.
RIATA_INLINE std::uint64_t even_bits(std::uint64_t x) {
  x &= 0x5555555555555555u;
  x = (x | x >> 1) & 0x3333333333333333u;
  x = (x | x >> 2) & 0x0f0f0f0f0f0f0f0fu;
  x = (x | x >> 4) & 0x00ff00ff00ff00ffu;
  x = (x | x >> 8) & 0x0000ffff0000ffffu;
  return (x | x >> 16) & 0x00000000ffffffffu;
}

void split_planes(const std::uint8_t* col, const std::uint64_t* mask, Index n, std::uint64_t* planes) {
  const Index words = plane_words(n);
  const auto split = [&](Index w, std::uint64_t first, std::uint64_t second) {
    planes[w] = (even_bits(first) | even_bits(second) << 32) & mask[w];
    planes[words + w] = (even_bits(first >> 1) | even_bits(second >> 1) << 32) & mask[w];
  };
  const Index whole = n / 64;
  for (Index w = 0; w < whole; ++w) split(w, load_word(col + 16 * w), load_word(col + 16 * w + 8));
  for (Index w = whole; w < words; ++w) {
    const auto part = [&](Index first) {
      if (first >= n) return std::uint64_t{0};
      return first + word_samples <= n ? load_word(col + first / 4) : load_tail(col + first / 4, n - first);
    };
    split(w, part(64 * w), part(64 * w + word_samples));
  }
}

// Without missing codes a column counts x = 0, 1 or 2 set bits, and x - 1 is its sign or, of one bit, zero. Then
//   sum x y = sum (x - 1) (y - 1) + sum x + sum y - (bits of a plane),
// whose first sum takes two population counts where the general case takes nine.

/// Adds up the set bits of both planes; false, with anything in `sum`, where some code is missing.
bool sum_whole(const std::uint64_t* planes, Index words, std::int64_t& sum) {
  std::uint64_t missing = 0;
  sum = 0;
  for (Index w = 0; w < words; ++w) {
    missing |= planes[w] & ~planes[words + w];
    sum += bits_set(planes[w]) + bits_set(planes[words + w]);
  }
  return missing == 0;
}

/// Writes all of that but the first sum, and zero for missing codes; false where some column has such. (Differences are
/// right modulo 2^32, and so are the sums.)
bool begin_whole(const std::uint64_t* const* rows, Index nrows, const std::uint64_t* const* cols, Index ncols,
                 Index words, PairCounts* out) {
  std::int64_t sum = 0;
  for (Index i = 0; i < nrows; ++i) {
    if (!sum_whole(rows[i], words, sum)) return false;
    for (Index j = 0; j < ncols; ++j) out[i + j * nrows] = {static_cast<std::uint32_t>(sum), 0, 0, 0};
  }
  for (Index j = 0; j < ncols; ++j) {
    if (!sum_whole(cols[j], words, sum)) return false;
    const auto rest = static_cast<std::uint32_t>(sum - 64 * words);
    for (Index i = 0; i < nrows; ++i) out[i + j * nrows].tt += rest;
  }
  return true;
}

#if defined(__AVX512VPOPCNTDQ__)

constexpr bool fast_pairs = true;

struct Planes {
  __m512i low, high, missing;
};
RIATA_INLINE Planes load_planes(const std::uint64_t* planes, Index words, Index at) {
  const __m512i low = _mm512_loadu_si512(planes + at), high = _mm512_loadu_si512(planes + words + at);
  return {low, high, _mm512_andnot_si512(high, low)};
}
RIATA_INLINE __m512i common(__m512i a, __m512i b) {
  return _mm512_popcnt_epi64(_mm512_and_si512(a, b));
}

template <int I, int J>
void count_tile(const std::uint64_t* const* rows, const std::uint64_t* const* cols, Index words, PairCounts* out,
                Index ldo) {
  __m512i tt[I][J], tm[I][J], mt[I][J], mm[I][J];
  for (int i = 0; i < I; ++i)
    for (int j = 0; j < J; ++j) tt[i][j] = tm[i][j] = mt[i][j] = mm[i][j] = _mm512_setzero_si512();
  for (Index at = 0; at < words; at += 8) {
    Planes x[I], y[J];
    RIATA_UNROLL
    for (int i = 0; i < I; ++i) x[i] = load_planes(rows[i], words, at);
    RIATA_UNROLL
    for (int j = 0; j < J; ++j) y[j] = load_planes(cols[j], words, at);
    RIATA_UNROLL
    for (int i = 0; i < I; ++i) {
      RIATA_UNROLL
      for (int j = 0; j < J; ++j) {
        tt[i][j] =
            _mm512_add_epi64(tt[i][j], _mm512_add_epi64(common(x[i].low, y[j].low), common(x[i].low, y[j].high)));
        tt[i][j] =
            _mm512_add_epi64(tt[i][j], _mm512_add_epi64(common(x[i].high, y[j].low), common(x[i].high, y[j].high)));
        tm[i][j] = _mm512_add_epi64(tm[i][j],
                                    _mm512_add_epi64(common(x[i].low, y[j].missing), common(x[i].high, y[j].missing)));
        mt[i][j] = _mm512_add_epi64(mt[i][j],
                                    _mm512_add_epi64(common(x[i].missing, y[j].low), common(x[i].missing, y[j].high)));
        mm[i][j] = _mm512_add_epi64(mm[i][j], common(x[i].missing, y[j].missing));
      }
    }
  }
  for (int i = 0; i < I; ++i)
    for (int j = 0; j < J; ++j) {
      // Two counts of 32 bits in each lane, then sums of four lanes at once.
      const __m512i a = _mm512_add_epi64(tt[i][j], _mm512_slli_epi64(tm[i][j], 32));
      const __m512i b = _mm512_add_epi64(mt[i][j], _mm512_slli_epi64(mm[i][j], 32));
      const __m512i s = _mm512_add_epi64(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
      const __m256i h = _mm256_add_epi64(_mm512_castsi512_si256(s), _mm512_extracti64x4_epi64(s, 1));
      const __m128i q = _mm_add_epi64(_mm256_castsi256_si128(h), _mm256_extracti128_si256(h, 1));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i + j * ldo), q);
    }
}

/// out[i + j ldo].tt += sum (x - 1) (y - 1) for two rows and J columns without missing codes.
template <int J>
void count_whole_tile(const std::uint64_t* const* rows, const std::uint64_t* const* cols, Index words, PairCounts* out,
                      Index ldo) {
  __m512i both[2][J], apart[2][J];  // neither is 1; and these differ
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < J; ++j) both[i][j] = apart[i][j] = _mm512_setzero_si512();
  for (Index at = 0; at < words; at += 8) {
    __m512i x[2], x_one[2];  // lower bits, and where x is 1
    RIATA_UNROLL
    for (int i = 0; i < 2; ++i) {
      x[i] = _mm512_loadu_si512(rows[i] + at);
      x_one[i] = _mm512_xor_si512(x[i], _mm512_loadu_si512(rows[i] + words + at));
    }
    RIATA_UNROLL
    for (int j = 0; j < J; ++j) {
      const __m512i y = _mm512_loadu_si512(cols[j] + at);
      const __m512i y_one = _mm512_xor_si512(y, _mm512_loadu_si512(cols[j] + words + at));
      RIATA_UNROLL
      for (int i = 0; i < 2; ++i) {
        // ~(a | b); a & (b ^ c).
        const __m512i signs = _mm512_ternarylogic_epi64(x_one[i], y_one, y_one, 0x03);
        const __m512i other = _mm512_ternarylogic_epi64(signs, x[i], y, 0x60);
        both[i][j] = _mm512_add_epi64(both[i][j], _mm512_popcnt_epi64(signs));
        apart[i][j] = _mm512_add_epi64(apart[i][j], _mm512_popcnt_epi64(other));
      }
    }
  }
  for (int j = 0; j < J; ++j) {
    const __m512i a = _mm512_sub_epi64(both[0][j], _mm512_slli_epi64(apart[0][j], 1));
    const __m512i b = _mm512_sub_epi64(both[1][j], _mm512_slli_epi64(apart[1][j], 1));
    const __m512i s = _mm512_add_epi64(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
    const __m256i h = _mm256_add_epi64(_mm512_castsi512_si256(s), _mm512_extracti64x4_epi64(s, 1));
    const __m128i q = _mm_add_epi64(_mm256_castsi256_si128(h), _mm256_extracti128_si256(h, 1));
    out[j * ldo].tt += static_cast<std::uint32_t>(_mm_cvtsi128_si64(q));
    out[1 + j * ldo].tt += static_cast<std::uint32_t>(_mm_extract_epi64(q, 1));
  }
}

/// The same for one pair.
void count_whole_pair(const std::uint64_t* x, const std::uint64_t* y, Index words, PairCounts* out) {
  __m512i both = _mm512_setzero_si512(), apart = both;
  for (Index at = 0; at < words; at += 8) {
    const __m512i x_low = _mm512_loadu_si512(x + at), y_low = _mm512_loadu_si512(y + at);
    const __m512i x_one = _mm512_xor_si512(x_low, _mm512_loadu_si512(x + words + at));
    const __m512i y_one = _mm512_xor_si512(y_low, _mm512_loadu_si512(y + words + at));
    const __m512i signs = _mm512_ternarylogic_epi64(x_one, y_one, y_one, 0x03);
    both = _mm512_add_epi64(both, _mm512_popcnt_epi64(signs));
    apart = _mm512_add_epi64(apart, _mm512_popcnt_epi64(_mm512_ternarylogic_epi64(signs, x_low, y_low, 0x60)));
  }
  const __m512i a = _mm512_sub_epi64(both, _mm512_slli_epi64(apart, 1));
  out->tt += static_cast<std::uint32_t>(_mm512_reduce_add_epi64(a));
}

void count_whole(const std::uint64_t* const* rows, Index nrows, const std::uint64_t* const* cols, Index ncols,
                 Index words, PairCounts* out) {
  Index i = 0;
  for (; i + 2 <= nrows; i += 2) {
    Index j = 0;
    for (; j + 4 <= ncols; j += 4) count_whole_tile<4>(rows + i, cols + j, words, out + i + j * nrows, nrows);
    if (j + 2 <= ncols) {
      count_whole_tile<2>(rows + i, cols + j, words, out + i + j * nrows, nrows);
      j += 2;
    }
    if (j < ncols) count_whole_tile<1>(rows + i, cols + j, words, out + i + j * nrows, nrows);
  }
  if (i == nrows) return;
  for (Index j = 0; j < ncols; ++j) count_whole_pair(rows[i], cols[j], words, out + i + j * nrows);
}

void count_pairs(const std::uint64_t* const* rows, Index nrows, const std::uint64_t* const* cols, Index ncols,
                 Index words, PairCounts* out) {
  if (begin_whole(rows, nrows, cols, ncols, words, out)) return count_whole(rows, nrows, cols, ncols, words, out);
  for (Index j = 0; j < ncols; j += 2) {
    const bool two = j + 2 <= ncols;
    Index i = 0;
    for (; i + 2 <= nrows; i += 2)
      (two ? count_tile<2, 2> : count_tile<2, 1>)(rows + i, cols + j, words, out + i + j * nrows, nrows);
    if (i < nrows) (two ? count_tile<1, 2> : count_tile<1, 1>)(rows + i, cols + j, words, out + i + j * nrows, nrows);
  }
}

#else

// One word at a time keeps up with four doubles at a time, not with eight.
constexpr bool fast_pairs = RIATA_ISA_LEVEL == 2;

void count_whole(const std::uint64_t* const* rows, Index nrows, const std::uint64_t* const* cols, Index ncols,
                 Index words, PairCounts* out) {
  for (Index j = 0; j < ncols; ++j)
    for (Index i = 0; i < nrows; ++i) {
      const std::uint64_t *x = rows[i], *y = cols[j];
      std::int64_t sum = 0;
      for (Index w = 0; w < words; ++w) {
        const std::uint64_t signs = ~((x[w] ^ x[words + w]) | (y[w] ^ y[words + w]));
        sum += bits_set(signs) - 2 * bits_set(signs & (x[w] ^ y[w]));
      }
      out[i + j * nrows].tt += static_cast<std::uint32_t>(sum);
    }
}

void count_pairs(const std::uint64_t* const* rows, Index nrows, const std::uint64_t* const* cols, Index ncols,
                 Index words, PairCounts* out) {
  if (begin_whole(rows, nrows, cols, ncols, words, out)) return count_whole(rows, nrows, cols, ncols, words, out);
  for (Index j = 0; j < ncols; ++j)
    for (Index i = 0; i < nrows; ++i) {
      const std::uint64_t *x = rows[i], *y = cols[j];
      std::int64_t tt = 0, tm = 0, mt = 0, mm = 0;
      for (Index w = 0; w < words; ++w) {
        const std::uint64_t x_low = x[w], x_high = x[words + w], x_missing = x_low & ~x_high;
        const std::uint64_t y_low = y[w], y_high = y[words + w], y_missing = y_low & ~y_high;
        tt += bits_set(x_low & y_low) + bits_set(x_low & y_high) + bits_set(x_high & y_low) + bits_set(x_high & y_high);
        tm += bits_set(x_low & y_missing) + bits_set(x_high & y_missing);
        mt += bits_set(x_missing & y_low) + bits_set(x_missing & y_high);
        mm += bits_set(x_missing & y_missing);
      }
      out[i + j * nrows] = {static_cast<std::uint32_t>(tt), static_cast<std::uint32_t>(tm),
                            static_cast<std::uint32_t>(mt), static_cast<std::uint32_t>(mm)};
    }
}

#endif

}  // namespace
}  // namespace riata::RIATA_ISA
