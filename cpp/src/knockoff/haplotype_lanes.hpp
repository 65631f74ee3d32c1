#pragma once

// Floats of several samples in one register, for one instruction set, and the few operations that the recursions along
// a chain of clusters need. Included by one unit per instruction set, in a namespace of that name (kernel/simd.hpp).

#include "kernel/simd.hpp"

namespace riata::RIATA_ISA {

#if RIATA_ISA_LEVEL == 3

struct Lanes {
  using Real = float;
  static constexpr int count = 16;
  __m512 v;

  static RIATA_INLINE Lanes of(float a) { return {_mm512_set1_ps(a)}; }
  static RIATA_INLINE Lanes load(const float* p) { return {_mm512_loadu_ps(p)}; }
};

RIATA_INLINE void store(float* p, Lanes a) {
  _mm512_storeu_ps(p, a.v);
}
RIATA_INLINE Lanes operator+(Lanes a, Lanes b) {
  return {_mm512_add_ps(a.v, b.v)};
}
RIATA_INLINE Lanes operator*(Lanes a, Lanes b) {
  return {_mm512_mul_ps(a.v, b.v)};
}
RIATA_INLINE Lanes operator/(Lanes a, Lanes b) {
  return {_mm512_div_ps(a.v, b.v)};
}
RIATA_INLINE Lanes fma(Lanes a, Lanes b, Lanes c) {
  return {_mm512_fmadd_ps(a.v, b.v, c.v)};
}
/// `yes` where a == b, else 0.
RIATA_INLINE Lanes where_equal(Lanes a, Lanes b, Lanes yes) {
  return {_mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a.v, b.v, _CMP_EQ_OQ), yes.v)};
}
/// `yes` where a <= b, else 0.
RIATA_INLINE Lanes where_at_most(Lanes a, Lanes b, Lanes yes) {
  return {_mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a.v, b.v, _CMP_LE_OQ), yes.v)};
}
RIATA_INLINE float sum(Lanes a) {
  const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(a.v), _mm512_extractf32x8_ps(a.v, 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

/// The 2-bit codes of the samples.
struct Codes {
  __m512i v;
};

RIATA_INLINE Codes codes_of(std::uint32_t word, int) {
  const __m512i shift = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  return {_mm512_srlv_epi32(_mm512_set1_epi32(static_cast<int>(word)), shift)};
}
/// table[code] of each sample; `table` has four numbers.
RIATA_INLINE Lanes look_up(Codes codes, const float* table) {
  return {_mm512_permutevar_ps(_mm512_broadcast_f32x4(_mm_loadu_ps(table)), codes.v)};
}

#elif RIATA_ISA_LEVEL == 2

struct Lanes {
  using Real = float;
  static constexpr int count = 8;
  __m256 v;

  static RIATA_INLINE Lanes of(float a) { return {_mm256_set1_ps(a)}; }
  static RIATA_INLINE Lanes load(const float* p) { return {_mm256_loadu_ps(p)}; }
};

RIATA_INLINE void store(float* p, Lanes a) {
  _mm256_storeu_ps(p, a.v);
}
RIATA_INLINE Lanes operator+(Lanes a, Lanes b) {
  return {_mm256_add_ps(a.v, b.v)};
}
RIATA_INLINE Lanes operator*(Lanes a, Lanes b) {
  return {_mm256_mul_ps(a.v, b.v)};
}
RIATA_INLINE Lanes operator/(Lanes a, Lanes b) {
  return {_mm256_div_ps(a.v, b.v)};
}
RIATA_INLINE Lanes fma(Lanes a, Lanes b, Lanes c) {
  return {_mm256_fmadd_ps(a.v, b.v, c.v)};
}
RIATA_INLINE Lanes where_equal(Lanes a, Lanes b, Lanes yes) {
  return {_mm256_and_ps(_mm256_cmp_ps(a.v, b.v, _CMP_EQ_OQ), yes.v)};
}
RIATA_INLINE Lanes where_at_most(Lanes a, Lanes b, Lanes yes) {
  return {_mm256_and_ps(_mm256_cmp_ps(a.v, b.v, _CMP_LE_OQ), yes.v)};
}
RIATA_INLINE float sum(Lanes a) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

struct Codes {
  __m256i v;
};

RIATA_INLINE Codes codes_of(std::uint32_t word, int first) {
  const __m256i shift = _mm256_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14);
  return {_mm256_srlv_epi32(_mm256_set1_epi32(static_cast<int>(word >> (2 * first))), shift)};
}
RIATA_INLINE Lanes look_up(Codes codes, const float* table) {
  const __m128 four = _mm_loadu_ps(table);
  return {_mm256_permutevar_ps(_mm256_set_m128(four, four), codes.v)};
}

#else  // portable: four floats

struct Lanes {
  using Real = float;
  static constexpr int count = 4;
  float v[4];

  static RIATA_INLINE Lanes of(float a) { return {{a, a, a, a}}; }
  static RIATA_INLINE Lanes load(const float* p) { return {{p[0], p[1], p[2], p[3]}}; }
};

RIATA_INLINE void store(float* p, Lanes a) {
  for (int k = 0; k < 4; ++k) p[k] = a.v[k];
}
/// each(k) of every sample.
template <class Each>
RIATA_INLINE Lanes lanes_of(const Each& each) {
  return {{each(0), each(1), each(2), each(3)}};
}
RIATA_INLINE Lanes operator+(Lanes a, Lanes b) {
  return lanes_of([&](int k) { return a.v[k] + b.v[k]; });
}
RIATA_INLINE Lanes operator*(Lanes a, Lanes b) {
  return lanes_of([&](int k) { return a.v[k] * b.v[k]; });
}
RIATA_INLINE Lanes operator/(Lanes a, Lanes b) {
  return lanes_of([&](int k) { return a.v[k] / b.v[k]; });
}
RIATA_INLINE Lanes fma(Lanes a, Lanes b, Lanes c) {
  return lanes_of([&](int k) { return a.v[k] * b.v[k] + c.v[k]; });
}
RIATA_INLINE Lanes where_equal(Lanes a, Lanes b, Lanes yes) {
  return lanes_of([&](int k) { return a.v[k] == b.v[k] ? yes.v[k] : 0.0f; });
}
RIATA_INLINE Lanes where_at_most(Lanes a, Lanes b, Lanes yes) {
  return lanes_of([&](int k) { return a.v[k] <= b.v[k] ? yes.v[k] : 0.0f; });
}
RIATA_INLINE float sum(Lanes a) {
  return (a.v[0] + a.v[2]) + (a.v[1] + a.v[3]);
}

struct Codes {
  std::uint32_t v;
};

RIATA_INLINE Codes codes_of(std::uint32_t word, int first) {
  return {word >> (2 * first)};
}
RIATA_INLINE Lanes look_up(Codes codes, const float* table) {
  return lanes_of([&](int k) { return table[codes.v >> (2 * k) & 3]; });
}

#endif

/// One sample in double, for the law itself.
struct OneLane {
  using Real = double;
  static constexpr int count = 1;
  double v;

  static RIATA_INLINE OneLane of(double a) { return {a}; }
  static RIATA_INLINE OneLane load(const double* p) { return {*p}; }
};

RIATA_INLINE void store(double* p, OneLane a) {
  *p = a.v;
}
RIATA_INLINE OneLane operator+(OneLane a, OneLane b) {
  return {a.v + b.v};
}
RIATA_INLINE OneLane operator*(OneLane a, OneLane b) {
  return {a.v * b.v};
}
RIATA_INLINE OneLane operator/(OneLane a, OneLane b) {
  return {a.v / b.v};
}
RIATA_INLINE OneLane fma(OneLane a, OneLane b, OneLane c) {
  return {a.v * b.v + c.v};
}
RIATA_INLINE OneLane where_equal(OneLane a, OneLane b, OneLane yes) {
  return {a.v == b.v ? yes.v : 0.0};
}

}  // namespace riata::RIATA_ISA
