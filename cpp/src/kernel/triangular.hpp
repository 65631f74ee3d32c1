#pragma once

// Solves with the rows of a triangle, and the rotations that take a row out of it. Part of kernels_impl.hpp.

#include "products.hpp"

namespace riata::RIATA_ISA {

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

/// The same for small_rows rows and `width` right-hand sides, a place of a pack each, with the same bits.
RIATA_INLINE void solve_corners(const double* const* L, Index first, double* x, Index ldx) {
  Pack part[small_rows / width][width];
  RIATA_UNROLL
  for (int b = 0; b < small_rows / width; ++b) {
    RIATA_UNROLL
    for (int q = 0; q < width; ++q) part[b][q] = load(x + b * width + q * ldx);
    transpose(part[b]);
  }
  RIATA_UNROLL
  for (int i = 0; i < small_rows; ++i) {
    const double* row = L[first + i] + first;
    Pack s = part[i / width][i % width];
    RIATA_UNROLL
    for (int k = 0; k < i; ++k) s = sub(s, mul(set1(row[k]), part[k / width][k % width]));
    part[i / width][i % width] = div(s, set1(row[i]));
  }
  RIATA_UNROLL
  for (int b = 0; b < small_rows / width; ++b) {
    transpose(part[b]);
    RIATA_UNROLL
    for (int q = 0; q < width; ++q) store(x + b * width + q * ldx, part[b][q]);
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
    Index q = 0;
    if (rows == small_rows) {
      for (; q + width <= m; q += width) solve_corners(L, first, y + q * ldx, ldx);
    }
    for (; q < m; ++q) solve_corner(L, first, rows, y + q * ldx);
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

}  // namespace riata::RIATA_ISA
