#pragma once

// Knockoffs of one chain of clusters (Sesia, Sabatti & Candes 2019; of groups of consecutive variants: Sesia,
// Katsevich, Bates, Candes & Sabatti 2020): in the namespace of an instruction set.

#include "knockoff/haplotype_kernels.hpp"
#include "knockoff/haplotype_lanes.hpp"

namespace riata::RIATA_ISA {
namespace {

/// Q(to | from) at a row: b [to = from] + (1 - b) alpha_to, as numbers to be added up over `to`.
template <class L>
struct Step {
  using Real = typename L::Real;
  L stay;
  Real jump;
  const Real* alpha;

  RIATA_INLINE Step(const Real* row) : stay(L::of(row[0])), jump(Real{1} - row[0]), alpha(row + 1) {}
  RIATA_INLINE L landing(Index x) const { return L::of(jump * alpha[x]); }
};

/// Weights v(x) Q(to | x) over x, where `to` differs between samples.
template <class L>
RIATA_INLINE void weigh(const typename L::Real* v, const typename L::Real* row, L to, Index K,
                        typename L::Real* weights) {
  const Step<L> step(row);
  L landing = L::of(0);
  for (Index x = 0; x < K; ++x) {
    landing = landing + where_equal(to, L::of(static_cast<typename L::Real>(x)), step.landing(x));
  }
  for (Index x = 0; x < K; ++x) {
    const L same = where_equal(to, L::of(static_cast<typename L::Real>(x)), step.stay);
    store(weights + x * L::count, L::load(v + x * L::count) * (landing + same));
  }
}

/// Draws knockoffs of the clusters `path`, (variants, lanes), of groups that end before `ends`. `draw(j, weights)`
/// draws that of variant j by its weights, (K, lanes). `work` has chain_work().
///
/// Per group l .. r: v_l(x) = Q_l(x | z_(l-1)) Q_l(x | z~_(l-1)) / N(x), v_j = Q_j' v_(j-1); z~_r ~ v_r(x) Q(z_(r+1) |
/// x), then backwards z~_j ~ v_j(x) Q(z~_(j+1) | x); N(k) = sum_x v_r(x) Q_(r+1)(k | x) for the next group.
template <class L, class Draw>
RIATA_INLINE void knock_off_chain(ChainRows<typename L::Real> chain, const Index* ends, Index groups,
                                  const typename L::Real* path, typename L::Real* knockoff, typename L::Real* work,
                                  const Draw& draw) {
  using Real = typename L::Real;
  const Index K = chain.clusters, W = L::count, size = K * W, width = 2 * K + 1;
  Real *N = work, *weights = N + size, *v = weights + size;
  Index first = 0;
  for (Index group = 0; group < groups; first = ends[group], ++group) {
    const Index last = ends[group] - 1;
    const Step<L> start(chain.rows + first * width);
    L total = L::of(0);
    if (first == 0) {
      for (Index x = 0; x < K; ++x) {
        store(v + x * W, start.landing(x));
        total = total + start.landing(x);
      }
    } else {
      const L z = L::load(path + (first - 1) * W), other = L::load(knockoff + (first - 1) * W);
      for (Index x = 0; x < K; ++x) {
        const L here = L::of(static_cast<Real>(x)), landing = start.landing(x);
        const L one = landing + where_equal(z, here, start.stay), two = landing + where_equal(other, here, start.stay);
        const L value = one * two / L::load(N + x * W);
        store(v + x * W, value);
        total = total + value;
      }
    }
    for (Index j = first + 1; j <= last; ++j) {
      const Step<L> step(chain.rows + j * width);
      const L inverse = L::of(1) / total, stay = step.stay * inverse;
      const Real* before = v + (j - 1 - first) * size;
      Real* const now = v + (j - first) * size;
      total = L::of(0);
      for (Index x = 0; x < K; ++x) {
        const L value = fma(stay, L::load(before + x * W), step.landing(x));
        store(now + x * W, value);
        total = total + value;
      }
    }
    const Real* at = v + (last - first) * size;
    if (last + 1 < chain.variants) {
      const Real* row = chain.rows + (last + 1) * width;
      const Step<L> step(row);
      const L stay = step.stay / total;
      for (Index x = 0; x < K; ++x) store(N + x * W, fma(stay, L::load(at + x * W), step.landing(x)));
      weigh<L>(at, row, L::load(path + (last + 1) * W), K, weights);
      store(knockoff + last * W, draw(last, weights));
    } else {
      store(knockoff + last * W, draw(last, at));
    }
    for (Index j = last - 1; j >= first; --j) {
      weigh<L>(v + (j - first) * size, chain.rows + (j + 1) * width, L::load(knockoff + (j + 1) * W), K, weights);
      store(knockoff + j * W, draw(j, weights));
    }
  }
}

/// The number of the item that each sample draws by its weights, (K, lanes), with u in [0, 1).
RIATA_INLINE Lanes pick(const float* weights, Index K, Lanes u) {
  Lanes total = Lanes::load(weights);
  for (Index x = 1; x < K; ++x) total = total + Lanes::load(weights + x * Lanes::count);
  const Lanes bound = u * total;
  Lanes passed = Lanes::load(weights), number = where_at_most(passed, bound, Lanes::of(1.0f));
  for (Index x = 1; x + 1 < K; ++x) {
    passed = passed + Lanes::load(weights + x * Lanes::count);
    number = number + where_at_most(passed, bound, Lanes::of(1.0f));
  }
  return number;
}

inline void law(ChainRows<double> chain, const Index* ends, Index groups, const double* path, const double* knockoff,
                double* work, double* out) {
  const Index K = chain.clusters, p = chain.variants;
  double* const drawn = work;
  knock_off_chain<OneLane>(chain, ends, groups, path, drawn, work + p, [&](Index j, const double* weights) {
    double total = 0.0;
    for (Index x = 0; x < K; ++x) total += weights[x];
    for (Index x = 0; x < K; ++x) out[j * K + x] = weights[x] / total;
    return OneLane::of(knockoff[j]);
  });
}

}  // namespace
}  // namespace riata::RIATA_ISA
