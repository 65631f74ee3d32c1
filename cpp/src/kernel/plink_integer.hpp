#pragma once

// Sums of integer right-hand sides over packed genotypes, for plink_tile.hpp: bytes instead of doubles, 64 or 32 a
// pack.

#include <cstring>

#include "plink.hpp"
#include "simd.hpp"

namespace riata::RIATA_ISA {
namespace {

constexpr Index plane_stride = 64;  // bytes between the k of one side, see kRoundedBlockBytes
constexpr Index low_planes = 4 * plane_stride;

#if RIATA_ISA_LEVEL >= 2

#if RIATA_ISA_LEVEL == 3
constexpr int sum_columns_at_1 = 4, sum_columns_at_2 = 2, sum_columns_at_4 = 1;  // columns a tile, by sides
using Bytes = __m512i;
RIATA_INLINE Bytes load_bytes(const void* p) {
  return _mm512_loadu_si512(p);
}
/// The first k bytes, zeros after them.
RIATA_INLINE Bytes load_some(const void* p, Index k) {
  return _mm512_maskz_loadu_epi8((std::uint64_t{1} << k) - 1, p);
}
RIATA_INLINE Bytes bytes_of(char value) {
  return _mm512_set1_epi8(value);
}
RIATA_INLINE Bytes no_bytes() {
  return _mm512_setzero_si512();
}
RIATA_INLINE Bytes both(Bytes a, Bytes b) {
  return _mm512_and_si512(a, b);
}
RIATA_INLINE Bytes without(Bytes a, Bytes b) {
  return _mm512_andnot_si512(b, a);
}
RIATA_INLINE Bytes minus(Bytes a, Bytes b) {
  return _mm512_sub_epi8(a, b);
}
template <int bits>
RIATA_INLINE Bytes shifted_down(Bytes a) {
  return _mm512_srli_epi16(a, bits);
}
RIATA_INLINE Bytes add_words(Bytes a, Bytes b) {
  return _mm512_add_epi32(a, b);
}
/// The sum over the words of 256 high + low.
RIATA_INLINE std::int64_t total(Bytes high, Bytes low) {
  return _mm512_reduce_add_epi32(_mm512_add_epi32(_mm512_slli_epi32(high, 8), low));
}
#else
constexpr int sum_columns_at_1 = 1, sum_columns_at_2 = 1, sum_columns_at_4 = 1;
using Bytes = __m256i;
RIATA_INLINE Bytes load_bytes(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}
/// The first k bytes, zeros after them.
RIATA_INLINE Bytes load_some(const void* p, Index k) {
  alignas(32) std::uint8_t padded[32] = {};
  std::memcpy(padded, p, static_cast<std::size_t>(k));
  return load_bytes(padded);
}
RIATA_INLINE Bytes bytes_of(char value) {
  return _mm256_set1_epi8(value);
}
RIATA_INLINE Bytes no_bytes() {
  return _mm256_setzero_si256();
}
RIATA_INLINE Bytes both(Bytes a, Bytes b) {
  return _mm256_and_si256(a, b);
}
RIATA_INLINE Bytes without(Bytes a, Bytes b) {
  return _mm256_andnot_si256(b, a);
}
RIATA_INLINE Bytes minus(Bytes a, Bytes b) {
  return _mm256_sub_epi8(a, b);
}
template <int bits>
RIATA_INLINE Bytes shifted_down(Bytes a) {
  return _mm256_srli_epi16(a, bits);
}
RIATA_INLINE Bytes add_words(Bytes a, Bytes b) {
  return _mm256_add_epi32(a, b);
}
/// The sum over the words of 256 high + low.
RIATA_INLINE std::int64_t total(Bytes high, Bytes low) {
  const Bytes v = _mm256_add_epi32(_mm256_slli_epi32(high, 8), low);
  __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
  return _mm_cvtsi128_si32(s);
}
#endif

// A product of small counts and signed bytes added to a running sum, and that sum as 32-bit words. Without VNNI the
// running sums have 16 bits: a step of four planes adds 4 * 2 * 2 * 128 at most to one of them.
#if defined(__AVX512VNNI__)
constexpr Index steps_between_widenings = kRoundedRows;
RIATA_INLINE Bytes add_product(Bytes sum, Bytes counts, Bytes plane) {
  return _mm512_dpbusd_epi32(sum, counts, plane);
}
RIATA_INLINE Bytes widened(Bytes sum) {
  return sum;
}
#elif RIATA_ISA_LEVEL == 3
constexpr Index steps_between_widenings = 15;
RIATA_INLINE Bytes add_product(Bytes sum, Bytes counts, Bytes plane) {
  return _mm512_add_epi16(sum, _mm512_maddubs_epi16(counts, plane));
}
RIATA_INLINE Bytes widened(Bytes sum) {
  return _mm512_madd_epi16(sum, _mm512_set1_epi16(1));
}
#else
constexpr Index steps_between_widenings = 15;
RIATA_INLINE Bytes add_product(Bytes sum, Bytes counts, Bytes plane) {
  return _mm256_add_epi16(sum, _mm256_maddubs_epi16(counts, plane));
}
RIATA_INLINE Bytes widened(Bytes sum) {
  return _mm256_madd_epi16(sum, _mm256_set1_epi16(1));
}
#endif

constexpr Index pack_bytes = sizeof(Bytes);

/// Running sums of a tile: of t r and, with K = 2, of r where missing; high and low bytes of r.
template <int C, int M, int K>
struct RoundedSums {
  Bytes of[C][M][K][2];

  RIATA_INLINE void clear() {
    for (int c = 0; c < C; ++c)
      for (int q = 0; q < M; ++q)
        for (int k = 0; k < K; ++k) of[c][q][k][0] = of[c][q][k][1] = no_bytes();
  }
};

/// One pack of each column against the planes of its samples.
template <int C, int M, int K>
RIATA_INLINE void sum_step(const Bytes (&codes)[C], const std::int8_t* sides, RoundedSums<C, M, K>& sums) {
  const Bytes low_bits = bytes_of(0x55), low_pair = bytes_of(0x03);
  Bytes fields[C][K];  // two bits a sample
  RIATA_UNROLL
  for (int c = 0; c < C; ++c) {
    const Bytes high = shifted_down<1>(codes[c]);
    fields[c][0] = minus(codes[c], both(high, low_bits));
    if constexpr (K == 2) fields[c][1] = both(without(codes[c], high), low_bits);
  }
  RIATA_UNROLL
  for (int k = 0; k < 4; ++k) {
    Bytes counts[C][K];
    RIATA_UNROLL
    for (int c = 0; c < C; ++c) {
      RIATA_UNROLL
      for (int l = 0; l < K; ++l) {
        counts[c][l] = both(fields[c][l], low_pair);
        fields[c][l] = shifted_down<2>(fields[c][l]);
      }
    }
    RIATA_UNROLL
    for (int q = 0; q < M; ++q) {
      const Bytes high = load_bytes(sides + q * kRoundedBlockBytes + k * plane_stride);
      const Bytes low = load_bytes(sides + q * kRoundedBlockBytes + k * plane_stride + low_planes);
      RIATA_UNROLL
      for (int c = 0; c < C; ++c) {
        RIATA_UNROLL
        for (int l = 0; l < K; ++l) {
          sums.of[c][q][l][0] = add_product(sums.of[c][q][l][0], counts[c][l], high);
          sums.of[c][q][l][1] = add_product(sums.of[c][q][l][1], counts[c][l], low);
        }
      }
    }
  }
}

/// words += sums, which start again from zero.
template <int C, int M, int K>
RIATA_INLINE void widen(RoundedSums<C, M, K>& sums, RoundedSums<C, M, K>& words) {
  for (int c = 0; c < C; ++c)
    for (int q = 0; q < M; ++q)
      for (int k = 0; k < K; ++k)
        for (int half = 0; half < 2; ++half) {
          Bytes& sum = words.of[c][q][k][half];
          sum = add_words(sum, widened(sums.of[c][q][k][half]));
        }
  sums.clear();
}

/// `sides` at the first of M of the m right-hand sides, `out` at its sums with the first column. Meanwhile the columns
/// `next` are asked for.
template <int C, int M, int K>
void sum_tile(const std::uint8_t* const* cols, const std::uint8_t* const* next, Index bytes, const std::int8_t* sides,
              Index m, std::int64_t* out) {
  const auto planes = [=](Index at) {
    return sides + at / plane_stride * (m * kRoundedBlockBytes) + at % plane_stride;
  };
  RoundedSums<C, M, K> sums, words;
  sums.clear();
  words.clear();
  Bytes codes[C];
  Index at = 0;
  while (at + pack_bytes <= bytes) {
    for (Index step = 0; step < steps_between_widenings && at + pack_bytes <= bytes; ++step, at += pack_bytes) {
      for (int c = 0; c < C; ++c) {
        codes[c] = load_bytes(cols[c] + at);
        prefetch(next[c] + at);
      }
      sum_step<C, M, K>(codes, planes(at), sums);
    }
    widen(sums, words);
  }
  if (at < bytes) {
    for (int c = 0; c < C; ++c) codes[c] = load_some(cols[c] + at, bytes - at);
    sum_step<C, M, K>(codes, planes(at), sums);
    widen(sums, words);
  }
  for (int c = 0; c < C; ++c)
    for (int q = 0; q < M; ++q)
      for (int k = 0; k < K; ++k) out[2 * (c * m + q) + k] += total(words.of[c][q][k][0], words.of[c][q][k][1]);
}

template <int C, int M>
RIATA_INLINE void sum_columns(const std::uint8_t* const* cols, const std::uint8_t* missing, Index ncols, Index bytes,
                              const std::int8_t* sides, Index m, std::int64_t* out) {
  Index c = 0;
  for (; c + C <= ncols; c += C) {
    bool any = false;
    for (int k = 0; k < C; ++k) any = any || missing[c + k] != 0;
    const auto* next = c + 2 * C <= ncols ? cols + c + C : cols + c;
    (any ? sum_tile<C, M, 2> : sum_tile<C, M, 1>)(cols + c, next, bytes, sides, m, out + 2 * c * m);
  }
  for (; c < ncols; ++c)
    (missing[c] != 0 ? sum_tile<1, M, 2> : sum_tile<1, M, 1>)(cols + c, cols + c, bytes, sides, m, out + 2 * c * m);
}

void sum_rounded(const std::uint8_t* const* cols, const std::uint8_t* missing, Index ncols, Index bytes,
                 const std::int8_t* sides, Index m, std::int64_t* sums) {
  Index q = 0;
  const auto at = [&] { return sides + q * kRoundedBlockBytes; };
  for (; q + 4 <= m; q += 4) sum_columns<sum_columns_at_4, 4>(cols, missing, ncols, bytes, at(), m, sums + 2 * q);
  for (; q + 2 <= m; q += 2) sum_columns<sum_columns_at_2, 2>(cols, missing, ncols, bytes, at(), m, sums + 2 * q);
  if (q < m) sum_columns<sum_columns_at_1, 1>(cols, missing, ncols, bytes, at(), m, sums + 2 * q);
}

#else

void sum_rounded(const std::uint8_t* const* cols, const std::uint8_t* missing, Index ncols, Index bytes,
                 const std::int8_t* sides, Index m, std::int64_t* sums) {
  for (Index c = 0; c < ncols; ++c)
    for (Index q = 0; q < m; ++q) {
      std::int64_t* out = sums + 2 * (c * m + q);
      for (Index b = 0; b < bytes; ++b) {
        const std::int8_t* planes = sides + (b / plane_stride * m + q) * kRoundedBlockBytes + b % plane_stride;
        for (int k = 0; k < 4; ++k) {
          const int code = cols[c][b] >> (2 * k) & 3;
          const int r = 256 * planes[k * plane_stride] + planes[k * plane_stride + low_planes];
          out[0] += ((code & 1) + (code >> 1)) * r;
          if (missing[c] != 0 && code == 1) out[1] += r;
        }
      }
    }
}

#endif

}  // namespace
}  // namespace riata::RIATA_ISA
