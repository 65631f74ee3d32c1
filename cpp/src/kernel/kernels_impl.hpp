#pragma once

// The kernels, written once on the packs of simd.hpp and compiled by one unit per instruction set. Nothing from the
// standard library that emits code, and no Eigen: see simd.hpp. Sums that must not depend on grouping have one
// accumulator pack per output, walked in row order whatever the tile around it.

#include "bounds_tile.hpp"
#include "compact_tile.hpp"
#include "elementary.hpp"
#include "products.hpp"
#include "triangular.hpp"

namespace riata::RIATA_ISA {

// ---- single vectors ------------------------------------------------------------------------------------------

inline double dot(const double* x, const double* y, Index n) {
  constexpr int chains = 8;
  Pack acc[chains];
  RIATA_UNROLL
  for (int k = 0; k < chains; ++k) acc[k] = zero();
  Index i = 0;
  for (; i + chains * width <= n; i += chains * width) {
    RIATA_UNROLL
    for (int k = 0; k < chains; ++k) acc[k] = fma(load(x + i + k * width), load(y + i + k * width), acc[k]);
  }
  for (; i + width <= n; i += width) acc[0] = fma(load(x + i), load(y + i), acc[0]);
  if (i < n) acc[1] = fma(load_part(x + i, n - i), load_part(y + i, n - i), acc[1]);
  return sum(add(add(add(acc[0], acc[1]), add(acc[2], acc[3])), add(add(acc[4], acc[5]), add(acc[6], acc[7]))));
}

inline void axpy(double a, const double* x, double* y, Index n) {
  const Pack pa = set1(a);
  Index i = 0;
  for (; i + 4 * width <= n; i += 4 * width) {
    RIATA_UNROLL
    for (int k = 0; k < 4; ++k) store(y + i + k * width, fma(pa, load(x + i + k * width), load(y + i + k * width)));
  }
  for (; i + width <= n; i += width) store(y + i, fma(pa, load(x + i), load(y + i)));
  if (i < n) store_part(y + i, fma(pa, load_part(x + i, n - i), load_part(y + i, n - i)), n - i);
}

inline void axpy_weighted(double a, const double* w, const double* x, double* y, Index n) {
  const Pack pa = set1(a);
  Index i = 0;
  for (; i + width <= n; i += width) store(y + i, fma(mul(pa, load(w + i)), load(x + i), load(y + i)));
  if (i < n) {
    const Index held = n - i;
    const Pack aw = mul(pa, load_part(w + i, held));
    store_part(y + i, fma(aw, load_part(x + i, held), load_part(y + i, held)), held);
  }
}

template <class T>
void center(const T* x, Index n, double shift, double* z, double* square) {
  const Pack s = set1(shift);
  Index i = 0;
  for (; i + width <= n; i += width) {
    const Pack d = sub(load(x + i), s);
    store(z + i, d);
    store(square + i, mul(d, d));
  }
  if (i < n) {
    const Pack d = sub(load_part(x + i, n - i), s);
    store_part(z + i, d, n - i);
    store_part(square + i, mul(d, d), n - i);
  }
}

// ---- moments -------------------------------------------------------------------------------------------------

/// Rows [first, first + n) of C lines: adds what kernels.hpp says to `sums`.
template <class T, int C>
void moments_tile(const T* const* lines, Index first, Index n, const double* shift, const double* w, double* sums,
                  Ahead ahead) {
  Pack acc[C][2], s[C];
  RIATA_UNROLL
  for (int c = 0; c < C; ++c) {
    acc[c][0] = acc[c][1] = zero();
    s[c] = set1(shift[c]);
  }
  const auto take = [&](int c, Pack x, Pack wi) {
    const Pack z = sub(x, s[c]), wz = mul(wi, z);
    acc[c][0] = add(acc[c][0], wz);
    acc[c][1] = fma(wz, z, acc[c][1]);
  };
  const T* x[C];
  RIATA_UNROLL
  for (int c = 0; c < C; ++c) x[c] = lines[c] + first;
  w += first;
  Index i = 0;
  for (; i + width <= n; i += width) {
    look(x, i, ahead);
    const Pack wi = load(w + i);
    RIATA_UNROLL
    for (int c = 0; c < C; ++c) take(c, load(x[c] + i), wi);
  }
  if (const Index held = n - i; held > 0) {
    const Pack wi = load_part(w + i, held);
    RIATA_UNROLL
    for (int c = 0; c < C; ++c) take(c, load_part(x[c] + i, held), wi);
  }
  double part[padded<2 * C>];
  sum_each<2 * C>(acc[0], part);
  RIATA_UNROLL
  for (int k = 0; k < 2 * C; ++k) sums[k] += part[k];
}

template <class T, int C>
void moments_lines(const T* const* lines, Index count, Index n, const double* shift, const double* w, double* sums) {
  Ahead next = count >= 2 * C ? look_from(lines, lines + C, C) : Ahead{};
  for (Index first = 0; first < n; first += block) {
    const bool stays = first + block < n;
    next.distance -= stays ? 0 : first * static_cast<Index>(sizeof(T));
    moments_tile<T, C>(lines, first, smaller(block, n - first), shift, w, sums, stays ? next_block<T> : next);
  }
}

template <class T>
void moments(const T* const* lines, Index count, Index n, const double* shift, const double* w, double* sums) {
  constexpr Index C = 4;
  for (Index k = 0; k < 2 * count; ++k) sums[k] = 0.0;
  Index c = 0;
  for (; c + C <= count; c += C) moments_lines<T, C>(lines + c, count - c, n, shift + c, w, sums + 2 * c);
  for (; c < count; ++c) moments_lines<T, 1>(lines + c, count - c, n, shift + c, w, sums + 2 * c);
}

/// Up to `rows` lines at a time, column by column: the sums stay in registers over all of them.
template <class T>
void moments_across(const T* const* lines, Index count, Index n, const double* shift, const double* w, double* sums,
                    double* squares) {
  constexpr Index rows = 8;
  for (Index r = 0; r < count; r += rows) {
    const Index held = smaller(rows, count - r);
    const auto take = [&](Index i, auto read, auto write) {
      const Pack s = read(shift + i);
      Pack sum = read(sums + i), square = read(squares + i);
      for (Index k = r; k < r + held; ++k) {
        const Pack z = sub(read(lines[k] + i), s), wz = mul(set1(w[k]), z);
        sum = add(sum, wz);
        square = fma(wz, z, square);
      }
      write(sums + i, sum);
      write(squares + i, square);
    };
    Index i = 0;
    for (; i + width <= n; i += width) {
      take(i, [](auto* p) { return load(p); }, [](double* p, Pack a) { store(p, a); });
    }
    if (const Index part = n - i; part > 0) {
      take(i, [part](auto* p) { return load_part(p, part); }, [part](double* p, Pack a) { store_part(p, a, part); });
    }
  }
}

extern const Kernels table;
constinit const Kernels table = {
    RIATA_ISA_NAME,
    dot,
    axpy,
    axpy_weighted,
    correlate<double>,
    correlate<float>,
    correlate<std::int8_t>,
    multiply<double>,
    multiply<float>,
    multiply<std::int8_t>,
    center<double>,
    center<float>,
    center<std::int8_t>,
    moments<double>,
    moments<float>,
    moments<std::int8_t>,
    moments_across<double>,
    moments_across<float>,
    moments_across<std::int8_t>,
    decide,
    compact_largest,
    compact_encode,
    compact_correlate,
    exponentials,
    logs_one_plus,
    forward_solve,
    backward_solve,
    rotate,
};

}  // namespace riata::RIATA_ISA
