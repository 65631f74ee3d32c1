#pragma once

// Products of lines with right-hand sides, and the sweeps that add lines up. Part of kernels_impl.hpp.

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

}  // namespace riata::RIATA_ISA
