#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "column_moments.hpp"
#include "kernel/kernels.hpp"
#include "parallel.hpp"
#include "typed_kernels.hpp"

/// The operations of a Design on columns ("lines") that are contiguous in memory, wherever each of them lies.
/// Row k of `out`, `mean` and `variance`, or column k of a gathered block, belongs to lines[k].
namespace riata {

template <class T>
using Lines = std::span<const T* const>;

/// Columns handed to a thread at a time: about 256 KB of them, whole tiles of the kernels.
inline Index lines_per_chunk(Index rows, std::size_t element) {
  const Index fit = (Index{1} << 18) / (std::max<Index>(rows, 1) * static_cast<Index>(element));
  return std::max<Index>(fit / 12, 1) * 12;
}

/// fn(first, count) over chunks of lines.
template <class T, class Fn>
void for_lines(Lines<T> lines, Index rows, int threads, const Fn& fn) {
  const Index count = static_cast<Index>(lines.size());
  if (threads <= 1) return fn(Index{0}, count);
  const Index chunk = lines_per_chunk(rows, sizeof(T));
  parallel_for((count + chunk - 1) / chunk, threads,
               [&](Index c) { fn(c * chunk, std::min(chunk, count - c * chunk)); });
}

template <class T>
void correlate_lines(Lines<T> lines, const MatIn& R, MatOut out, int threads) {
  const TypedKernels<T> k(kernels());
  for_lines<T>(lines, R.rows(), threads, [&](Index first, Index count) {
    k.correlate(lines.data() + first, count, R.rows(), R.data(), R.outerStride(), R.cols(), out.data() + first,
                out.outerStride());
  });
}

template <class T>
void multiply_lines(Lines<T> lines, const MatIn& B, MatOut out, int threads) {
  constexpr Index rows_per_chunk = 2048;
  const TypedKernels<T> k(kernels());
  const Index n = out.rows();
  const Index chunk = threads <= 1 ? std::max<Index>(n, 1) : rows_per_chunk;
  parallel_for((n + chunk - 1) / chunk, threads, [&](Index c) {
    const Index first = c * chunk, rows = std::min(chunk, n - first);
    out.middleRows(first, rows).setZero();
    std::vector<const T*> from(lines.begin(), lines.end());
    for (const T*& line : from) line += first;
    k.multiply(from.data(), static_cast<Index>(from.size()), rows, B.data(), B.outerStride(), B.cols(),
               out.data() + first, out.outerStride());
  });
}

template <class T>
void gather_lines(Lines<T> lines, MatOut out, int threads) {
  const Index n = out.rows();
  for_lines<T>(lines, n, threads, [&](Index first, Index count) {
    for (Index k = first; k < first + count; ++k) {
      std::transform(lines[k], lines[k] + n, out.data() + k * out.outerStride(),
                     [](T x) { return static_cast<double>(x); });
    }
  });
}

/// moments_lines for one weight vector.
template <class T>
void weighted_moments_lines(Lines<T> lines, const MatIn& weights, MatOut mean, MatOut variance, int threads) {
  constexpr Index batch = 32;  // columns whose shifts are found just before their sums
  const Index n = weights.rows();
  const TypedKernels<T> typed(kernels());
  for_lines<T>(lines, n, threads, [&](Index first, Index count) {
    std::array<double, batch> shift;
    std::array<double, 2 * batch> sums;
    for (Index k0 = first; k0 < first + count; k0 += batch) {
      const Index columns = std::min(batch, first + count - k0);
      const auto column = [&](Index k) { return [x = lines[k0 + k]](Index i) { return static_cast<double>(x[i]); }; };
      for (Index k = 0; k < columns; ++k) shift[k] = rough_mean(n, column(k));
      typed.moments(lines.data() + k0, columns, n, shift.data(), weights.data(), sums.data());
      for (Index k = 0; k < columns; ++k) {
        mean(k0 + k, 0) = sums[2 * k];
        variance(k0 + k, 0) = sums[2 * k + 1];
        finish_moments(weights, shift[k], column(k), mean.row(k0 + k), variance.row(k0 + k));
      }
    }
  });
}

template <class T>
void moments_lines(Lines<T> lines, const MatIn& weights, MatOut mean, MatOut variance, int threads) {
  if (weights.cols() == 1) return weighted_moments_lines<T>(lines, weights, mean, variance, threads);
  constexpr Index batch = 4;  // columns held as centred and squared blocks in the first-level cache
  const Index n = weights.rows(), folds = weights.cols();
  const Kernels& table = kernels();
  const TypedKernels<T> typed(table);
  for_lines<T>(lines, n, threads, [&](Index first, Index count) {
    alignas(64) std::array<double, 2 * batch * kernel_block> held;
    std::array<const double*, 2 * batch> blocks;
    for (Index k = 0; k < 2 * batch; ++k) blocks[k] = held.data() + k * kernel_block;
    std::array<double, batch> shift;
    Mat part(2 * batch, folds);
    for (Index k0 = first; k0 < first + count; k0 += batch) {
      const Index columns = std::min(batch, first + count - k0);
      const auto column = [&](Index k) { return [x = lines[k0 + k]](Index i) { return static_cast<double>(x[i]); }; };
      for (Index k = 0; k < columns; ++k) shift[k] = rough_mean(n, column(k));
      mean.middleRows(k0, columns).setZero();
      variance.middleRows(k0, columns).setZero();
      for (Index i = 0; i < n; i += kernel_block) {
        const Index rows = std::min(kernel_block, n - i);
        for (Index k = 0; k < columns; ++k) {
          double* const z = held.data() + 2 * k * kernel_block;
          typed.center(lines[k0 + k] + i, rows, shift[k], z, z + kernel_block);
        }
        table.correlate_f64(blocks.data(), 2 * columns, rows, weights.data() + i, weights.outerStride(), folds,
                            part.data(), part.outerStride());
        for (Index k = 0; k < columns; ++k) {
          mean.row(k0 + k) += part.row(2 * k);
          variance.row(k0 + k) += part.row(2 * k + 1);
        }
      }
      for (Index k = 0; k < columns; ++k) {
        finish_moments(weights, shift[k], column(k), mean.row(k0 + k), variance.row(k0 + k));
      }
    }
  });
}

}  // namespace riata
