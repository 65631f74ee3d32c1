#pragma once

// The expectations of one step of EM, for a batch of samples: in the namespace of an instruction set.

#include <cmath>

#include "knockoff/haplotype_messages.hpp"
#include "knockoff/haplotype_single.hpp"

namespace riata::RIATA_ISA {
namespace {

/// Logarithms of many probabilities, taken of their products.
struct LogProduct {
  double product[kLanes];
  double sum = 0.0;
  int factors = 0;

  LogProduct() { clear(); }
  void clear() {
    for (int l = 0; l < kLanes; ++l) product[l] = 1.0;
    factors = 0;
  }
  void multiply(Lanes p, int used) {
    float each[kLanes];
    store(each, p);
    for (int l = 0; l < kLanes; ++l) product[l] *= static_cast<double>(each[l]);
    if (++factors == 16) take(used);  // a factor is 1e-12 at least
  }
  void take(int used) {
    for (int l = 0; l < used; ++l) sum += std::log(product[l]);
    clear();
  }
};

/// One variant backwards: `beta` of the variant becomes that of the one before; expectations are added to `sums`.
RIATA_INLINE void backward(Pair, const float* row, Index K, Codes codes, Lanes used, Message before,
                           const float* predicted, float* beta, float* scratch, double* sums) {
  const float b = row[0], jump = 1.0f - b;
  const float *alpha = row + 1, *theta = row + 1 + K;
  float *s = scratch, *t = s + K * kLanes, *x = t + K * kLanes, *y = x + K * kLanes;
  float *copies = y + K * kLanes, *others = copies + K * kLanes, *u = others + K * kLanes, *v = u + K * kLanes;
  line(codes, kS0, kS1, theta, K, s);
  line(codes, kT0, kT1, theta, K, t);
  line(codes, kX0, kX1, theta, K, x);
  line(codes, kY0, kY1, theta, K, y);
  const auto add = [](float* to, Lanes a, Lanes c) { store(to, fma(a, c, Lanes::load(to))); };
  const float* p = predicted;
  float* g_at = beta;  // e beta takes the place of beta
  for (Index a = 0; a < K; ++a) {
    const Lanes sa = Lanes::load(s + a * kLanes), ta = Lanes::load(t + a * kLanes);
    const Lanes xa = Lanes::load(x + a * kLanes), ya = Lanes::load(y + a * kLanes);
    const Lanes alpha_a = Lanes::of(alpha[a]), ra = Lanes::load(before.sums + a * kLanes);
    Lanes na = Lanes::of(0.0f), oa = na, ua = na, va = na;
    for (Index c = 0; c < a; ++c, p += kLanes, g_at += kLanes) {
      const Index k = c * kLanes;
      const Lanes back = Lanes::load(g_at), w = Lanes::load(p) * back;
      na = fma(Lanes::load(x + k), w, na);
      oa = fma(Lanes::load(y + k), w, oa);
      add(copies + k, xa, w);
      add(others + k, ya, w);
      const Lanes g = fma(sa, Lanes::load(t + k), ta * Lanes::load(s + k)) * back;
      store(g_at, g);
      ua = fma(Lanes::of(alpha[c]), g, ua);
      va = fma(Lanes::load(before.sums + k), g, va);
      add(u + k, alpha_a, g);
      add(v + k, ra, g);
    }
    const Index k = a * kLanes;
    const Lanes back = Lanes::load(g_at), w = Lanes::load(p) * back, g = (sa + sa) * ta * back;
    store(g_at, g);
    store(copies + k, fma(xa, w, na));
    store(others + k, fma(ya, w, oa));
    store(u + k, fma(alpha_a, g, ua));
    store(v + k, fma(ra, g, va));
    p += kLanes;
    g_at += kLanes;
  }
  Lanes total = Lanes::of(0.0f), U = total;
  for (Index a = 0; a < K; ++a) {
    const Lanes have = Lanes::load(copies + a * kLanes) * Lanes::of(theta[a]);
    const Lanes lack = Lanes::load(others + a * kLanes) * Lanes::of(1.0f - theta[a]);
    store(copies + a * kLanes, have);
    store(others + a * kLanes, lack);
    total = total + (have + lack);
    U = fma(Lanes::of(alpha[a]), Lanes::load(u + a * kLanes), U);
  }
  const Lanes scale = Lanes::of(1.0f) / total, each = scale * used, called = each * look_up(codes, kCalled);
  const Lanes stayed = Lanes::load(before.inverse) * Lanes::of(b), jumped = Lanes::of(jump);
  for (Index a = 0; a < K; ++a) {
    const Index k = a * kLanes;
    const Lanes landed = fma(stayed, Lanes::load(v + k), jumped * Lanes::load(u + k)) * Lanes::of(jump * alpha[a]);
    sums[a] += static_cast<double>(sum(landed * each));
    sums[K + a] += static_cast<double>(sum(Lanes::load(copies + k) * called));
    sums[2 * K + a] += static_cast<double>(sum(Lanes::load(others + k) * called));
  }
  const Lanes both = scale * Lanes::of(b * b), one = scale * Lanes::of(b * jump);
  const Lanes none = scale * U * Lanes::of(0.5f * jump * jump);
  for (Index a = 0; a < K; ++a) store(u + a * kLanes, fma(one, Lanes::load(u + a * kLanes), none));
  float* out = beta;
  for (Index a = 0; a < K; ++a) {
    const Lanes ha = Lanes::load(u + a * kLanes);
    for (Index c = 0; c <= a; ++c, out += kLanes) {
      store(out, fma(both, Lanes::load(out), ha + Lanes::load(u + c * kLanes)));
    }
  }
}

/// `kLanes` samples of a batch, from `first` on.
template <class Model>
inline double expect_lanes(ChainRows<float> chain, const std::uint32_t* words, int first, int used, float* work,
                           double* sums) {
  const Index K = chain.clusters, p = chain.variants, size = message_floats<Model>(K), width = 2 * K + 1;
  const Index blocks = (p + kHaplotypeBlock - 1) / kHaplotypeBlock;
  float* const starts = work;                 // the message before each block
  float* const now = starts + blocks * size;  // two in turn
  float* const beta = now + 2 * size;
  float* const kept = beta + size;  // of a block: what was predicted, then sums and inverse before
  float* const scratch = kept + kHaplotypeBlock * size;
  float in_use[kLanes];
  for (int l = 0; l < kLanes; ++l) in_use[l] = l < used ? 1.0f : 0.0f;
  const Lanes counted = Lanes::load(in_use);

  LogProduct likelihood;
  Message before = message_at<Model>(now, K), after = message_at<Model>(now + size, K);
  clear<Model>(before, K);
  const auto swap = [&] {
    const Message m = before;
    before = after;
    after = m;
  };
  for (Index j = 0; j < p; ++j) {
    if (j % kHaplotypeBlock == 0) copy<Model>(before, message_at<Model>(starts + j / kHaplotypeBlock * size, K), K);
    const Codes codes = codes_of(words[j], first);
    likelihood.multiply(forward<false>(Model{}, chain.rows + j * width, K, codes, before, after, nullptr, scratch),
                        used);
    swap();
  }
  likelihood.take(used);

  for (Index k = 0; k < size; k += kLanes) store(beta + k, Lanes::of(1.0f));
  for (Index block = blocks - 1; block >= 0; --block) {
    const Index start = block * kHaplotypeBlock;
    const Index stop = start + kHaplotypeBlock < p ? start + kHaplotypeBlock : p;
    copy<Model>(message_at<Model>(starts + block * size, K), before, K);
    for (Index j = start; j < stop; ++j) {
      const Message place = message_at<Model>(kept + (j - start) * size, K);
      for (Index k = 0; k <= K; ++k) {
        store(place.sums + k * kLanes, Lanes::load(before.sums + k * kLanes));
      }
      const Codes codes = codes_of(words[j], first);
      forward<true>(Model{}, chain.rows + j * width, K, codes, before, after, place.pairs, scratch);
      swap();
    }
    for (Index j = stop - 1; j >= start; --j) {
      const Message place = message_at<Model>(kept + (j - start) * size, K);
      const Codes codes = codes_of(words[j], first);
      backward(Model{}, chain.rows + j * width, K, codes, counted, place, place.pairs, beta, scratch, sums + 3 * K * j);
    }
  }
  return likelihood.sum;
}

template <class Model>
inline double expect(ChainRows<float> chain, const std::uint32_t* codes, int used, float* work, double* sums) {
  double likelihood = 0.0;
  for (int first = 0; first < used; first += kLanes) {
    const int mine = used - first < kLanes ? used - first : kLanes;
    likelihood += expect_lanes<Model>(chain, codes, first, mine, work, sums);
  }
  return likelihood;
}

}  // namespace
}  // namespace riata::RIATA_ISA
