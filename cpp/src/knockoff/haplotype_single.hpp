#pragma once

// Messages and expectations of haplotypes that are known, each by itself: K clusters in place of pairs of them. In the
// namespace of an instruction set.

#include "knockoff/haplotype_messages.hpp"

namespace riata::RIATA_ISA {
namespace {

// P(code | theta) = e0 + e1 theta; codes 1 and 2 are no call.
constexpr float kE0[4] = {0.0f, 1.0f, 1.0f, 1.0f}, kE1[4] = {1.0f, 0.0f, 0.0f, -1.0f};
constexpr float kHas[4] = {1.0f, 0.0f, 0.0f, 0.0f}, kLacks[4] = {0.0f, 0.0f, 0.0f, 1.0f};

/// f'_a = e_a (b f_a + (1 - b) alpha_a). Returns the sum: the probability of the code given those before.
template <bool keep>
RIATA_INLINE Lanes forward(Single, const float* row, Index K, Codes codes, Message before, Message after, float*,
                           float*) {
  const float jump = 1.0f - row[0];
  const float *alpha = row + 1, *theta = row + 1 + K;
  const Lanes e0 = look_up(codes, kE0), e1 = look_up(codes, kE1);
  const Lanes stay = Lanes::load(before.inverse) * Lanes::of(row[0]);
  Lanes total = Lanes::of(0.0f);
  for (Index a = 0; a < K; ++a) {
    const Lanes p = fma(stay, Lanes::load(before.sums + a * kLanes), Lanes::of(jump * alpha[a]));
    const Lanes f = fma(e1, Lanes::of(theta[a]), e0) * p;
    store(after.sums + a * kLanes, f);
    total = total + f;
  }
  store(after.inverse, Lanes::of(1.0f) / total);
  return total;
}

/// beta_a = b g_a + (1 - b) sum_c alpha_c g_c, g = e beta'; jumps that land in a are (1 - b) alpha_a g_a over the sum
/// of (b f_a + (1 - b) alpha_a) g_a, and visits the terms of that sum.
RIATA_INLINE void backward(Single, const float* row, Index K, Codes codes, Lanes used, Message before, const float*,
                           float* beta, float* scratch, double* sums) {
  const float jump = 1.0f - row[0];
  const float *alpha = row + 1, *theta = row + 1 + K;
  const Lanes e0 = look_up(codes, kE0), e1 = look_up(codes, kE1);
  const Lanes stay = Lanes::load(before.inverse) * Lanes::of(row[0]);
  Lanes total = Lanes::of(0.0f), U = total;
  for (Index a = 0; a < K; ++a) {
    const Index k = a * kLanes;
    const Lanes g = fma(e1, Lanes::of(theta[a]), e0) * Lanes::load(beta + k), landing = Lanes::of(jump * alpha[a]);
    const Lanes visits = fma(stay, Lanes::load(before.sums + k), landing) * g;
    store(beta + k, g);
    store(scratch + k, visits);
    total = total + visits;
    U = fma(landing, g, U);
  }
  const Lanes scale = Lanes::of(1.0f) / total, each = scale * used;
  const Lanes has = each * look_up(codes, kHas), lacks = each * look_up(codes, kLacks);
  const Lanes stayed = scale * Lanes::of(row[0]), landed = scale * U;
  for (Index a = 0; a < K; ++a) {
    const Index k = a * kLanes;
    const Lanes g = Lanes::load(beta + k), visits = Lanes::load(scratch + k);
    sums[a] += static_cast<double>(sum(g * each)) * static_cast<double>(jump * alpha[a]);
    sums[K + a] += static_cast<double>(sum(visits * has));
    sums[2 * K + a] += static_cast<double>(sum(visits * lacks));
    store(beta + k, fma(stayed, g, landed));
  }
}

}  // namespace
}  // namespace riata::RIATA_ISA
