#pragma once

// Forward messages over clusters (Scheet & Stephens 2006), of unordered pairs of them or, where haplotypes are known,
// of one: in the namespace of an instruction set.

#include "knockoff/haplotype_kernels.hpp"
#include "knockoff/haplotype_lanes.hpp"

namespace riata::RIATA_ISA {
namespace {

constexpr int kLanes = Lanes::count;

/// Samples of two haplotypes, of which the genotype is the sum.
struct Pair {
  static constexpr bool phased = false;
  static constexpr std::uint32_t haplotypes = 2;
  static constexpr std::uint32_t code_of[3] = {3, 2, 0};  // by copies of the allele
  static constexpr Index pairs(Index K) { return K * (K + 1) / 2; }
};
/// Samples that are one haplotype each.
struct Single {
  static constexpr bool phased = true;
  static constexpr std::uint32_t haplotypes = 1;
  static constexpr std::uint32_t code_of[2] = {3, 0};
  static constexpr Index pairs(Index) { return 0; }
};

// Numbers that stand for a genotype, by PLINK's codes: two copies of the allele, no call, one copy, none. With
// s = s0 + s1 theta and t = t0 + t1 theta, P(G | theta_a, theta_c) = s_a t_c + t_a s_c; and over partners c, theta_a
// x_c and (1 - theta_a) y_c are its parts in which a has the allele, and in which it has the other.
constexpr float kS0[4] = {0.0f, 1.0f, 0.0f, 1.0f}, kS1[4] = {1.0f, 0.0f, 1.0f, -1.0f};
constexpr float kT0[4] = {0.0f, 0.5f, 1.0f, 0.5f}, kT1[4] = {0.5f, 0.0f, -1.0f, -0.5f};
constexpr float kX0[4] = {0.0f, 1.0f, 1.0f, 0.0f}, kX1[4] = {1.0f, 0.0f, -1.0f, 0.0f};
constexpr float kY0[4] = {0.0f, 1.0f, 0.0f, 1.0f}, kY1[4] = {0.0f, 0.0f, 1.0f, -1.0f};
constexpr float kCalled[4] = {1.0f, 0.0f, 1.0f, 1.0f};

/// out[a] = c0 + c1 theta_a.
RIATA_INLINE void line(Codes codes, const float* c0, const float* c1, const float* theta, Index K, float* out) {
  const Lanes intercept = look_up(codes, c0), slope = look_up(codes, c1);
  for (Index a = 0; a < K; ++a) store(out + a * kLanes, fma(slope, Lanes::of(theta[a]), intercept));
}

/// A message of `kLanes` samples within memory: f over pairs a >= c, sums over one cluster (of a haplotype by itself,
/// f), and the inverse of the sum over ordered pairs, by which f and the sums are to be multiplied.
struct Message {
  float *pairs, *sums, *inverse;
};

template <class Model>
RIATA_INLINE Message message_at(float* memory, Index K) {
  const Index pairs = Model::pairs(K);
  return {memory, memory + pairs * kLanes, memory + (pairs + K) * kLanes};
}
template <class Model>
RIATA_INLINE Index message_floats(Index K) {
  return (Model::pairs(K) + K + 1) * kLanes;
}

template <class Model>
RIATA_INLINE void clear(Message m, Index K) {
  const Index floats = message_floats<Model>(K);
  for (Index k = 0; k < floats; k += kLanes) store(m.pairs + k, Lanes::of(0.0f));
}

template <class Model>
RIATA_INLINE void copy(Message from, Message to, Index K) {
  const Index floats = message_floats<Model>(K);
  for (Index k = 0; k < floats; k += kLanes) store(to.pairs + k, Lanes::load(from.pairs + k));
}

/// The message at a variant from the one before it; what there is before its genotype is seen goes to `predicted`, in
/// the order of pairs, when `keep`. `scratch` has 3K packs. Returns the sum over ordered pairs: the probability of the
/// genotype given those before.
template <bool keep>
RIATA_INLINE Lanes forward(Pair, const float* row, Index K, Codes codes, Message before, Message after,
                           float* predicted, float* scratch) {
  const float b = row[0], jump = 1.0f - b;
  const float *alpha = row + 1, *theta = row + 1 + K;
  float *h = scratch, *s = h + K * kLanes, *t = s + K * kLanes;
  line(codes, kS0, kS1, theta, K, s);
  line(codes, kT0, kT1, theta, K, t);
  const Lanes inverse = Lanes::load(before.inverse);
  const Lanes stay = inverse * Lanes::of(b * b), one = inverse * Lanes::of(b * jump);
  for (Index a = 0; a < K; ++a) {
    store(h + a * kLanes, fma(Lanes::load(before.sums + a * kLanes), one, Lanes::of(0.5f * jump * jump * alpha[a])));
  }
  const float* f = before.pairs;
  float* out = after.pairs;
  for (Index a = 0; a < K; ++a) {
    const Lanes ha = Lanes::load(h + a * kLanes), sa = Lanes::load(s + a * kLanes), ta = Lanes::load(t + a * kLanes);
    const Lanes alpha_a = Lanes::of(alpha[a]);
    Lanes row_sum = Lanes::of(0.0f);
    for (Index c = 0; c < a; ++c, f += kLanes, out += kLanes) {
      Lanes p = fma(alpha_a, Lanes::load(h + c * kLanes), stay * Lanes::load(f));
      p = fma(Lanes::of(alpha[c]), ha, p);
      if constexpr (keep) store(predicted + (out - after.pairs), p);
      const Lanes e = fma(sa, Lanes::load(t + c * kLanes), ta * Lanes::load(s + c * kLanes));
      const Lanes g = e * p;
      store(out, g);
      row_sum = row_sum + g;
      store(after.sums + c * kLanes, Lanes::load(after.sums + c * kLanes) + g);
    }
    Lanes p = stay * Lanes::load(f);
    p = fma(alpha_a + alpha_a, ha, p);
    if constexpr (keep) store(predicted + (out - after.pairs), p);
    const Lanes g = (sa + sa) * ta * p;
    store(out, g);
    store(after.sums + a * kLanes, row_sum + g);
    f += kLanes;
    out += kLanes;
  }
  Lanes total = Lanes::load(after.sums);
  for (Index a = 1; a < K; ++a) total = total + Lanes::load(after.sums + a * kLanes);
  store(after.inverse, Lanes::of(1.0f) / total);
  return total;
}

}  // namespace
}  // namespace riata::RIATA_ISA
