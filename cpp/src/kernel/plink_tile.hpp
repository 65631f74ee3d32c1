#pragma once

// The genotype kernels, written once over a pack of doubles and compiled once per instruction set. The including file
// sets RIATA_ISA and RIATA_ISA_LEVEL as for simd.hpp. Internal linkage keeps wide instructions out of shared code.

#include "plink.hpp"
#include "plink_integer.hpp"
#include "plink_pairs.hpp"
#include "plink_samples.hpp"
#include "plink_words.hpp"
#include "simd.hpp"

namespace riata::RIATA_ISA {
namespace {

constexpr int groups = static_cast<int>(word_samples / width);

// What four doubles and a word of codes become for lookup(table, codes, g): the values of the samples
// g width .. g width + width - 1 of the word.
#if RIATA_ISA_LEVEL == 3

// Columns a tile, by right-hand sides. Tiles of 4 x 2 beat 2 x 4 by a factor of two: the loads of the right-hand
// sides, most of which straddle cache lines, are the limit.
constexpr int columns_at_1 = 4, columns_at_2 = 4, columns_at_4 = 0;

/// The four values twice: the permutation reads three bits, of which the third belongs to the next sample.
using Table = __m512d;
using Codes = __m512i;
RIATA_INLINE Table make_table(const double* four) {
  return _mm512_broadcast_f64x4(_mm256_loadu_pd(four));
}
RIATA_INLINE Codes make_codes(std::uint64_t word) {
  return _mm512_set1_epi64(static_cast<long long>(word));
}
RIATA_INLINE Pack lookup(Table table, Codes codes, int group) {
  const int s = 16 * group;
  const __m512i shifts = _mm512_set_epi64(s + 14, s + 12, s + 10, s + 8, s + 6, s + 4, s + 2, s);
  return _mm512_permutexvar_pd(_mm512_srlv_epi64(codes, shifts), table);
}

#elif RIATA_ISA_LEVEL == 2

constexpr int columns_at_1 = 2, columns_at_2 = 1, columns_at_4 = 1;

/// AVX2 cannot pick one of four doubles in one instruction, but it can pick one of four floats: the upper and the
/// lower halves of the doubles are looked up on their own and interleaved.
struct Table {
  __m256 upper, lower;
};
using Codes = __m256i;
RIATA_INLINE Table make_table(const double* four) {
  const __m128 first = _mm_castpd_ps(_mm_loadu_pd(four));
  const __m128 second = _mm_castpd_ps(_mm_loadu_pd(four + 2));
  const __m128 upper = _mm_shuffle_ps(first, second, 0xdd);
  const __m128 lower = _mm_shuffle_ps(first, second, 0x88);
  return {_mm256_set_m128(upper, upper), _mm256_set_m128(lower, lower)};
}
RIATA_INLINE Codes make_codes(std::uint64_t word) {
  return _mm256_set1_epi64x(static_cast<long long>(word));
}
RIATA_INLINE Pack lookup(const Table& table, Codes codes, int group) {
  // Both halves of lane k need the code of sample 4 group + k in their low bits; 32 bits hold 16 samples.
  const int s = 8 * (group % 4);
  const __m256i half = group < 4 ? _mm256_shuffle_epi32(codes, 0xa0) : _mm256_shuffle_epi32(codes, 0xf5);
  const __m256i index = _mm256_srlv_epi32(half, _mm256_set_epi32(s + 6, s + 6, s + 4, s + 4, s + 2, s + 2, s, s));
  return _mm256_castps_pd(
      _mm256_blend_ps(_mm256_permutevar_ps(table.lower, index), _mm256_permutevar_ps(table.upper, index), 0xaa));
}

#else

constexpr int columns_at_1 = 1, columns_at_2 = 1, columns_at_4 = 1;

using Table = const double*;
using Codes = std::uint64_t;
RIATA_INLINE Table make_table(const double* four) {
  return four;
}
RIATA_INLINE Codes make_codes(std::uint64_t word) {
  return word;
}
RIATA_INLINE Pack lookup(Table table, Codes codes, int group) {
  const double values[width] = {table[codes >> (4 * group) & 3], table[codes >> (4 * group + 2) & 3]};
  return load(values);
}

#endif

/// Two partial sums per output number hide the latency of fma.
constexpr int chains = 2;
template <int C, int M>
struct Sums {
  Pack of[C][M][chains];
};

template <int C, int M>
RIATA_INLINE void correlate_word(const std::uint64_t (&words)[C], const Table (&tables)[C], const double* const (&R)[M],
                                 Sums<C, M>& sums) {
  Codes codes[C];
  for (int c = 0; c < C; ++c) codes[c] = make_codes(words[c]);
  RIATA_UNROLL
  for (int g = 0; g < groups; ++g) {
    Pack r[M];
    RIATA_UNROLL
    for (int q = 0; q < M; ++q) r[q] = load(R[q] + g * width);
    RIATA_UNROLL
    for (int c = 0; c < C; ++c) {
      const Pack x = lookup(tables[c], codes[c], g);
      RIATA_UNROLL
      for (int q = 0; q < M; ++q) {
        Pack& s = sums.of[c][q][g % chains];
        s = fma(x, r[q], s);
      }
    }
  }
}

template <int C, int M>
void correlate_tile(const std::uint8_t* const* cols, const double* table_values, Index n, const double* R, Index ldr,
                    double* out, Index ldo) {
  const std::uint8_t* bytes[C];
  Table tables[C];
  for (int c = 0; c < C; ++c) {
    bytes[c] = cols[c];
    tables[c] = make_table(table_values + 4 * c);
  }
  const double* rows[M];
  for (int q = 0; q < M; ++q) rows[q] = R + q * ldr;
  Sums<C, M> sums;
  for (int c = 0; c < C; ++c)
    for (int q = 0; q < M; ++q)
      for (int k = 0; k < chains; ++k) sums.of[c][q][k] = zero();

  std::uint64_t words[C];
  Index i = 0;
  for (; i + word_samples <= n; i += word_samples) {
    for (int c = 0; c < C; ++c) words[c] = load_word(bytes[c] + i / 4);
    const double* r[M];
    for (int q = 0; q < M; ++q) r[q] = rows[q] + i;
    correlate_word<C, M>(words, tables, r, sums);
  }
  if (i < n) {
    double padded[M][word_samples] = {};
    const double* r[M];
    for (int q = 0; q < M; ++q) {
      for (Index k = 0; k < n - i; ++k) padded[q][k] = rows[q][i + k];
      r[q] = padded[q];
    }
    for (int c = 0; c < C; ++c) words[c] = load_tail(bytes[c] + i / 4, n - i);
    correlate_word<C, M>(words, tables, r, sums);
  }
  for (int c = 0; c < C; ++c)
    for (int q = 0; q < M; ++q) {
      out[c + q * ldo] += sum(add(sums.of[c][q][0], sums.of[c][q][1]));
    }
}

template <int C, int M>
void correlate_columns(const std::uint8_t* const* cols, const double* tables, Index ncols, Index n, const double* R,
                       Index ldr, double* out, Index ldo) {
  Index c = 0;
  for (; c + C <= ncols; c += C) correlate_tile<C, M>(cols + c, tables + 4 * c, n, R, ldr, out + c, ldo);
  for (; c < ncols; ++c) correlate_tile<1, M>(cols + c, tables + 4 * c, n, R, ldr, out + c, ldo);
}

void correlate(const std::uint8_t* const* cols, const double* tables, Index ncols, Index n, const double* R, Index ldr,
               Index m, double* out, Index ldo) {
  Index q = 0;
  if constexpr (columns_at_4 > 0)
    for (; q + 4 <= m; q += 4)
      correlate_columns<columns_at_4, 4>(cols, tables, ncols, n, R + q * ldr, ldr, out + q * ldo, ldo);
  for (; q + 2 <= m; q += 2)
    correlate_columns<columns_at_2, 2>(cols, tables, ncols, n, R + q * ldr, ldr, out + q * ldo, ldo);
  if (q < m) correlate_columns<columns_at_1, 1>(cols, tables, ncols, n, R + q * ldr, ldr, out + q * ldo, ldo);
}

/// out(i, q) += table[code(i)] b(q) for one word of samples, all right-hand sides.
RIATA_INLINE void multiply_word(std::uint64_t word, const Table& table, const double* b, Index ldb, Index m,
                                double* out, Index ldo) {
  const Codes codes = make_codes(word);
  Pack x[groups];
  for (int g = 0; g < groups; ++g) x[g] = lookup(table, codes, g);
  for (Index q = 0; q < m; ++q) {
    const Pack scale = set1(b[q * ldb]);
    double* o = out + q * ldo;
    for (int g = 0; g < groups; ++g) {
      double* to = o + g * width;
      store(to, fma(x[g], scale, load(to)));
    }
  }
}

void multiply(const std::uint8_t* const* cols, const double* tables, Index ncols, Index n, const double* B, Index ldb,
              Index m, double* out, Index ldo) {
  for (Index c = 0; c < ncols; ++c) {
    const Table table = make_table(tables + 4 * c);
    Index i = 0;
    for (; i + word_samples <= n; i += word_samples)
      multiply_word(load_word(cols[c] + i / 4), table, B + c, ldb, m, out + i, ldo);
    if (i == n) continue;
    const std::uint64_t word = load_tail(cols[c] + i / 4, n - i);
    for (Index q = 0; q < m; ++q) {
      double padded[word_samples] = {};
      double* o = out + q * ldo + i;
      for (Index k = 0; k < n - i; ++k) padded[k] = o[k];
      multiply_word(word, table, B + c + q * ldb, ldb, 1, padded, word_samples);
      for (Index k = 0; k < n - i; ++k) o[k] = padded[k];
    }
  }
}

void decode(const std::uint8_t* col, const double* table_values, Index n, double* out) {
  const Table table = make_table(table_values);
  Index i = 0;
  for (; i + word_samples <= n; i += word_samples) {
    const Codes codes = make_codes(load_word(col + i / 4));
    for (int g = 0; g < groups; ++g) store(out + i + g * width, lookup(table, codes, g));
  }
  for (; i < n; ++i) out[i] = table_values[(col[i / 4] >> (2 * (i % 4))) & 3];
}

CodeCounts count(const std::uint8_t* col, const std::uint64_t* mask, Index n) {
  std::int64_t total = 0, low = 0, high = 0, both = 0;
  const Index words = (n + word_samples - 1) / word_samples;
  for (Index k = 0; k < words; ++k) {
    const Index left = n - k * word_samples;
    const std::uint64_t word = left >= word_samples ? load_word(col + 8 * k) : load_tail(col + 8 * k, left);
    const std::uint64_t lo = word & mask[k];
    const std::uint64_t hi = (word >> 1) & mask[k];
    total += bits_set(mask[k]);
    low += bits_set(lo);
    high += bits_set(hi);
    both += bits_set(lo & hi);
  }
  return {{total - low - high + both, low - both, high - both, both}};
}

constexpr PlinkKernels plink_table = {correlate, multiply,     decode,       sum_rounded, RIATA_ISA_LEVEL >= 2,
                                      count,     take_samples, split_planes, count_pairs, fast_pairs};

}  // namespace
}  // namespace riata::RIATA_ISA
