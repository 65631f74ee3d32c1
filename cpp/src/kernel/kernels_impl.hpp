#pragma once

// The kernels, written once on the packs of simd.hpp and compiled by one unit per instruction set. Nothing from the
// standard library that emits code, and no Eigen: see simd.hpp. Sums that must not depend on grouping have one
// accumulator pack per output, walked in row order whatever the tile around it.

#include "simd.hpp"
#include "tables.hpp"

namespace riata::RIATA_ISA {

constexpr Index block = kernel_block;
constexpr Index cache_line = 64;  // bytes

RIATA_INLINE Index smaller(Index a, Index b) {
  return a < b ? a : b;
}

/// What to ask for while lines are worked on, as the hardware alone does not look past a page: the memory `distance`
/// bytes from those of them whose bit is set.
struct Ahead {
  Index distance = 0;
  unsigned which = 0;
};

template <class T, int C>
RIATA_INLINE void look(const T* const (&x)[C], Index i, Ahead ahead) {
  constexpr Index together = cache_line / static_cast<Index>(sizeof(T));
  if (together > width && i % together != 0) return;
  RIATA_UNROLL
  for (int c = 0; c < C; ++c) {
    if (ahead.which >> c & 1u) prefetch(reinterpret_cast<const char*>(x[c] + i) + ahead.distance);
  }
}

/// From `count` lines to those after them, when that is the same distance for all; else nowhere.
template <class T>
Ahead look_from(const T* const* lines, const T* const* next, Index count, unsigned which = ~0u) {
  const auto distance = [&](Index k) {
    return static_cast<Index>(reinterpret_cast<std::uintptr_t>(next[k]) - reinterpret_cast<std::uintptr_t>(lines[k]));
  };
  for (Index k = 1; k < count; ++k) {
    if (distance(k) != distance(0)) return {};
  }
  return {distance(0), which};
}

/// The next block of rows of the same lines.
template <class T>
constexpr Ahead next_block = {block * static_cast<Index>(sizeof(T)), ~0u};

// ---- correlate -----------------------------------------------------------------------------------------------

/// out[c + q ldo] += sum_{i < n} x[c][first + i] R[i + q ldr] for a tile of C lines and M right-hand sides.
template <class T, int C, int M>
void correlate_tile(const T* const* lines, Index first, Index n, const double* R, Index ldr, double* out, Index ldo,
                    Ahead ahead) {
  const T* x[C];
  RIATA_UNROLL
  for (int c = 0; c < C; ++c) x[c] = lines[c] + first;
  Pack acc[M][C];
  RIATA_UNROLL
  for (int q = 0; q < M; ++q) {
    RIATA_UNROLL
    for (int c = 0; c < C; ++c) acc[q][c] = zero();
  }
  Index i = 0;
  for (; i + width <= n; i += width) {
    look(x, i, ahead);
    Pack xi[C];
    RIATA_UNROLL
    for (int c = 0; c < C; ++c) {
      xi[c] = load(x[c] + i);
      if (M > 1) hold(xi[c]);
    }
    RIATA_UNROLL
    for (int q = 0; q < M; ++q) {
      const Pack r = load(R + q * ldr + i);
      RIATA_UNROLL
      for (int c = 0; c < C; ++c) acc[q][c] = fma(xi[c], r, acc[q][c]);
    }
  }
  if (i < n) {
    Pack xi[C];
    RIATA_UNROLL
    for (int c = 0; c < C; ++c) xi[c] = load_part(x[c] + i, n - i);
    RIATA_UNROLL
    for (int q = 0; q < M; ++q) {
      const Pack r = load_part(R + q * ldr + i, n - i);
      RIATA_UNROLL
      for (int c = 0; c < C; ++c) acc[q][c] = fma(xi[c], r, acc[q][c]);
    }
  }
  double sums[padded<M * C>];
  sum_each<M * C>(acc[0], sums);
  RIATA_UNROLL
  for (int q = 0; q < M; ++q) {
    RIATA_UNROLL
    for (int c = 0; c < C; ++c) out[c + q * ldo] += sums[q * C + c];
  }
}

template <class T>
using CorrelateTile = void (*)(const T* const*, Index, Index, const double*, Index, double*, Index, Ahead);

template <class T, int C>
RIATA_INLINE CorrelateTile<T> correlate_tile_for(Index m) {
  switch (m) {
    case 1:
      return correlate_tile<T, C, 1>;
    case 2:
      return correlate_tile<T, C, 2>;
    case 3:
      return correlate_tile<T, C, 3>;
#if RIATA_ISA_LEVEL == 3
    case 4:
      return correlate_tile<T, C, 4>;
    case 5:
      return correlate_tile<T, C, 5>;
#endif
    default:
      return correlate_tile<T, C, tile_rhs>;
  }
}

template <class T>
CorrelateTile<T> correlate_tile_for(Index lines, Index m) {
  switch (lines) {
    case 1:
      return correlate_tile_for<T, 1>(m);
    case 2:
      return correlate_tile_for<T, 2>(m);
#if RIATA_ISA_LEVEL == 3
    case 3:
      return correlate_tile_for<T, 3>(m);
#endif
    default:
      return correlate_tile_for<T, tile_lines>(m);
  }
}

template <class T>
void correlate(const T* const* lines, Index count, Index n, const double* R, Index ldr, Index m, double* out,
               Index ldo) {
  for (Index q = 0; q < m; ++q) {
    for (Index c = 0; c < count; ++c) out[c + q * ldo] = 0.0;
  }
  if (m <= 0) return;
  // Up to one tile of right-hand sides: lines stream along their length, and the rows of R in use stay in the
  // second-level cache. Beyond: a group of line blocks stays there while tiles of right-hand sides pass over it.
  const Index tiles = (m + tile_rhs - 1) / tile_rhs;
  const Index rows = tiles == 1 ? block * (64 / m) : block;
  const Index group = tiles == 1 ? count : 8 * tile_lines;
  const Index reach = tiles == 1 ? tile_lines : group;  // lines to look ahead by
  for (Index first = 0; first < n; first += rows) {
    const Index last = smaller(first + rows, n);
    for (Index g = 0; g < count; g += group) {
      const Index group_end = smaller(g + group, count);
      for (Index t = 0; t < tiles; ++t) {
        const Index q = t * m / tiles;
        const Index width_q = (t + 1) * m / tiles - q;
        for (Index c = g; c < group_end; c += tile_lines) {
          const Index held = smaller(tile_lines, group_end - c);
          const CorrelateTile<T> tile = correlate_tile_for<T>(held, width_q);
          // Each pass over a group looks for its share of the next one.
          const unsigned which = (1u << (t + 1) * held / tiles) - (1u << t * held / tiles);
          const bool more = c + reach + held <= count;
          Ahead next = more ? look_from(lines + c, lines + c + reach, held, which) : Ahead{};
          for (Index i = first; i < last; i += block) {
            const bool stays = i + block < last;  // in these lines
            next.distance -= stays ? 0 : (i - first) * static_cast<Index>(sizeof(T));
            tile(lines + c, i, smaller(block, last - i), R + i + q * ldr, ldr, out + c + q * ldo, ldo,
                 stays ? next_block<T> : next);
          }
        }
      }
    }
  }
}

// ---- multiply ------------------------------------------------------------------------------------------------

/// out[i + q ldo] += sum_{k < K} x[k][first + i] B[k + q ldb], i < n, q < M.
template <class T, int K, int M>
void multiply_tile(const T* const* lines, Index first, Index n, const double* B, Index ldb, double* out, Index ldo,
                   Ahead ahead) {
  const T* x[K];
  double b[M][K];  // a local copy, so that stores to `out` cannot be suspected of changing it
  RIATA_UNROLL
  for (int k = 0; k < K; ++k) {
    x[k] = lines[k] + first;
    RIATA_UNROLL
    for (int q = 0; q < M; ++q) b[q][k] = B[k + q * ldb];
  }
  Index i = 0;
  for (; i + sweep_packs * width <= n; i += sweep_packs * width) {
    Pack xi[K][sweep_packs];
    RIATA_UNROLL
    for (int s = 0; s < sweep_packs; ++s) {
      look(x, i + s * width, ahead);
      RIATA_UNROLL
      for (int k = 0; k < K; ++k) xi[k][s] = load(x[k] + i + s * width);
    }
    RIATA_UNROLL
    for (int q = 0; q < M; ++q) {
      Pack y[sweep_packs];
      RIATA_UNROLL
      for (int s = 0; s < sweep_packs; ++s) y[s] = load(out + q * ldo + i + s * width);
      RIATA_UNROLL
      for (int k = 0; k < K; ++k) {
        const Pack bk = set1(b[q][k]);
        RIATA_UNROLL
        for (int s = 0; s < sweep_packs; ++s) y[s] = fma(xi[k][s], bk, y[s]);
      }
      RIATA_UNROLL
      for (int s = 0; s < sweep_packs; ++s) store(out + q * ldo + i + s * width, y[s]);
    }
  }
  for (; i < n; i += width) {
    const Index held = smaller(width, n - i);
    Pack xi[K];
    RIATA_UNROLL
    for (int k = 0; k < K; ++k) xi[k] = held == width ? load(x[k] + i) : load_part(x[k] + i, held);
    RIATA_UNROLL
    for (int q = 0; q < M; ++q) {
      double* const yq = out + q * ldo + i;
      Pack y = held == width ? load(yq) : load_part(yq, held);
      RIATA_UNROLL
      for (int k = 0; k < K; ++k) y = fma(xi[k], set1(b[q][k]), y);
      held == width ? store(yq, y) : store_part(yq, y, held);
    }
  }
}

template <class T, int K>
void multiply_lines(const T* const* lines, Index first, Index n, const double* B, Index ldb, Index m, double* out,
                    Index ldo, Ahead ahead = {}) {
  for (Index q = 0; q < m; q += 4) {
    const double* const Bq = B + q * ldb;
    double* const outq = out + q * ldo;
    const Ahead part = q == 0 ? ahead : Ahead{};
    switch (smaller(m - q, 4)) {
      case 1:
        multiply_tile<T, K, 1>(lines, first, n, Bq, ldb, outq, ldo, part);
        break;
      case 2:
        multiply_tile<T, K, 2>(lines, first, n, Bq, ldb, outq, ldo, part);
        break;
      case 3:
        multiply_tile<T, K, 3>(lines, first, n, Bq, ldb, outq, ldo, part);
        break;
      default:
        multiply_tile<T, K, 4>(lines, first, n, Bq, ldb, outq, ldo, part);
    }
  }
}

template <class T>
void multiply(const T* const* lines, Index count, Index n, const double* B, Index ldb, Index m, double* out,
              Index ldo) {
  const Index rows = m <= 4 ? 4 * block : block;  // the part of `out` in use stays in cache
  constexpr int K = sweep_lines;
  for (Index i = 0; i < n; i += rows) {
    const Index held = smaller(rows, n - i);
    Index c = 0;
    for (; c + K <= count; c += K) {
      const Ahead next = c + 2 * K <= count ? look_from(lines + c, lines + c + K, K) : Ahead{};
      multiply_lines<T, K>(lines + c, i, held, B + c, ldb, m, out + i, ldo, next);
    }
    if (c + 4 <= count) {
      multiply_lines<T, 4>(lines + c, i, held, B + c, ldb, m, out + i, ldo);
      c += 4;
    }
    if (c + 2 <= count) {
      multiply_lines<T, 2>(lines + c, i, held, B + c, ldb, m, out + i, ldo);
      c += 2;
    }
    if (c < count) multiply_lines<T, 1>(lines + c, i, held, B + c, ldb, m, out + i, ldo);
  }
}

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

// ---- elementary functions ------------------------------------------------------------------------------------

/// e^x = 2^k e^r with |r| <= log(2) / 2 and a Taylor polynomial for e^r.
RIATA_INLINE Pack exponential(Pack x) {
  constexpr double magic = 6755399441055744.0;  // 1.5 * 2^52: adding it leaves the nearest integer in the lowest bits
  x = lesser(larger(x, set1(-746.0)), set1(710.0));
  const Pack k = sub(add(mul(x, set1(1.4426950408889634)), set1(magic)), set1(magic));
  // log(2) in two parts, the first with zeros at its end so that its multiples are exact.
  Pack r = fma(k, set1(-6.93147180369123816490e-01), x);
  r = fma(k, set1(-1.90821492927058770002e-10), r);
  constexpr int degree = 13;
  constexpr double inverse_factorial[degree + 1] = {1.0,
                                                    1.0,
                                                    1.0 / 2,
                                                    1.0 / 6,
                                                    1.0 / 24,
                                                    1.0 / 120,
                                                    1.0 / 720,
                                                    1.0 / 5040,
                                                    1.0 / 40320,
                                                    1.0 / 362880,
                                                    1.0 / 3628800,
                                                    1.0 / 39916800,
                                                    1.0 / 479001600,
                                                    1.0 / 6227020800};
  Pack y = set1(inverse_factorial[degree]);
  for (int i = degree; i-- > 0;) y = fma(y, r, set1(inverse_factorial[i]));
  // In two steps, so that neither leaves the range of normal numbers.
  const Pack half = sub(add(mul(k, set1(0.5)), set1(magic)), set1(magic));
  const Pack first = shift_into_exponent(add(half, set1(magic)));
  const Pack second = shift_into_exponent(add(sub(k, half), set1(magic)));
  return mul(mul(y, first), second);
}

/// log(1 + z) for 0 <= z <= 1, as 2 atanh(s) with s = z / (2 + z) <= 1/3.
RIATA_INLINE Pack log_one_plus(Pack z) {
  const Pack s = div(z, add(z, set1(2.0))), square = mul(s, s);
  constexpr int terms = 17;
  Pack sum = set1(1.0 / (2 * terms - 1));
  for (int i = terms - 1; i-- > 0;) sum = fma(sum, square, set1(1.0 / (2 * i + 1)));
  return mul(add(s, s), sum);
}

template <class Function>
RIATA_INLINE void for_each(const double* x, Index n, double* out, const Function& function) {
  Index i = 0;
  for (; i + width <= n; i += width) store(out + i, function(load(x + i)));
  if (i < n) store_part(out + i, function(load_part(x + i, n - i)), n - i);
}

inline void exponentials(const double* x, Index n, double* out) {
  for_each(x, n, out, [](Pack a) { return exponential(a); });
}

inline void logs_one_plus(const double* z, Index n, double* out) {
  for_each(z, n, out, [](Pack a) { return log_one_plus(a); });
}

// ---- triangular solves ---------------------------------------------------------------------------------------

constexpr Index small_rows = 8;

/// L Y = X for one right-hand side, on the rows and columns [first, first + n) of L, n <= small_rows.
RIATA_INLINE void solve_corner(const double* const* L, Index first, Index n, double* x) {
  for (Index i = 0; i < n; ++i) {
    const double* row = L[first + i] + first;
    double s = x[i];
    for (Index k = 0; k < i; ++k) s -= row[k] * x[k];
    x[i] = s / row[i];
  }
}

/// Solves rows [first, first + n) of L, taking `rows` rows at a time: what the solved part contributes to them is a
/// product like any other, what remains is a triangle of that size.
template <Index rows, class Corner>
RIATA_INLINE void solve_by_rows(const double* const* L, Index first, Index n, double* x, Index ldx, Index m,
                                const Corner& corner) {
  constexpr Index rhs = 16;
  double part[rows * rhs];
  const double* line[rows];
  for (Index i = 0; i < n; i += rows) {
    const Index held = smaller(rows, n - i);
    for (Index k = 0; k < held; ++k) line[k] = L[first + i + k] + first;
    for (Index q = 0; i > 0 && q < m; q += rhs) {
      const Index held_q = smaller(rhs, m - q);
      correlate<double>(line, held, i, x + q * ldx, ldx, held_q, part, rows);
      for (Index s = 0; s < held_q; ++s) {
        for (Index k = 0; k < held; ++k) x[i + k + (q + s) * ldx] -= part[k + s * rows];
      }
    }
    corner(first + i, held, x + i);
  }
}

inline void forward_solve(const double* const* L, Index n, double* x, Index ldx, Index m) {
  const auto small = [L, ldx, m](Index first, Index rows, double* y) {
    for (Index q = 0; q < m; ++q) solve_corner(L, first, rows, y + q * ldx);
  };
  const auto middle = [L, ldx, m, &small](Index first, Index rows, double* y) {
    solve_by_rows<small_rows>(L, first, rows, y, ldx, m, small);
  };
  solve_by_rows<64>(L, 0, n, x, ldx, m, middle);
}

inline void backward_solve(const double* const* L, Index n, double* x) {
  double minus[small_rows];
  for (Index last = n; last > 0;) {
    const Index held = last % small_rows == 0 ? small_rows : last % small_rows;
    const Index first = last - held;
    for (Index k = held; k-- > 0;) {
      const double* row = L[first + k] + first;
      const double value = x[first + k] / row[k];
      x[first + k] = value;
      for (Index t = 0; t < k; ++t) x[first + t] -= value * row[t];
      minus[k] = -value;
    }
    multiply<double>(L + first, held, first, minus, small_rows, 1, x, n);
    last = first;
  }
}

// ---- rotations -----------------------------------------------------------------------------------------------

/// Turns the pairs (carry, x), elementwise: x receives the first of each, carry the second.
RIATA_INLINE void turn(Pack& carry, Pack& x, const double* rotation) {
  const Pack c = set1(rotation[0]), s = set1(rotation[1]), minus = set1(-rotation[1]), next = x;
  x = fma(c, carry, mul(s, next));
  carry = fma(minus, carry, mul(c, next));
}

inline void rotate_row(double* row, Index n, const double* rotations) {
  Pack carry = set1(row[0]);
  for (Index j = 0; j < n; ++j) {
    Pack x = set1(row[j + 1]);
    turn(carry, x, rotations + 2 * j);
    row[j] = first(x);
  }
  row[n] = first(carry);
}

/// A row is one long chain: the elements of a pack belong to as many rows.
inline void rotate_rows(double* const (&row)[width], Index n, const double* rotations) {
  double ends[width];
  RIATA_UNROLL
  for (int k = 0; k < width; ++k) ends[k] = row[k][0];
  Pack carry = load(ends);
  Pack x[width];
  Index j = 0;
  for (; j + width <= n; j += width) {
    RIATA_UNROLL
    for (int k = 0; k < width; ++k) x[k] = load(row[k] + j + 1);
    transpose(x);
    RIATA_UNROLL
    for (int c = 0; c < width; ++c) turn(carry, x[c], rotations + 2 * (j + c));
    transpose(x);
    RIATA_UNROLL
    for (int k = 0; k < width; ++k) store(row[k] + j, x[k]);
  }
  if (const Index held = n - j; held > 0) {
    RIATA_UNROLL
    for (int k = 0; k < width; ++k) x[k] = load_part(row[k] + j + 1, held);
    transpose(x);
    RIATA_UNROLL
    for (int c = 0; c < width; ++c) {
      if (c < held) turn(carry, x[c], rotations + 2 * (j + c));
    }
    transpose(x);
    RIATA_UNROLL
    for (int k = 0; k < width; ++k) store_part(row[k] + j, x[k], held);
  }
  store(ends, carry);
  RIATA_UNROLL
  for (int k = 0; k < width; ++k) row[k][n] = ends[k];
}

inline void rotate(double* const* rows, Index count, Index n, const double* rotations) {
  Index r = 0;
  for (; r + 1 < count; r += width) {
    double* row[width];
    for (Index k = 0; k < width; ++k) row[k] = rows[smaller(r + k, count - 1)];  // spare places repeat the last row
    rotate_rows(row, n, rotations);
  }
  if (r < count) rotate_row(rows[r], n, rotations);
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
    exponentials,
    logs_one_plus,
    forward_solve,
    backward_solve,
    rotate,
};

}  // namespace riata::RIATA_ISA
