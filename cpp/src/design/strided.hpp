#pragma once

#include <algorithm>
#include <array>
#include <cstdlib>
#include <span>
#include <vector>

#include "column_moments.hpp"
#include "io/digest.hpp"
#include "kernel/kernels.hpp"
#include "parallel.hpp"
#include "riata/design/design.hpp"
#include "typed_kernels.hpp"

namespace riata {

/// A dense matrix whose columns are not contiguous: row-major, sliced, reversed. Worked on by stripes of columns and,
/// within one, panels of rows; a run of neighbouring columns of a row-major matrix is used where it lies, anything
/// else is brought into a small tile first. Both give the same bits.
template <class T>
class StridedDesign final : public Design {
 public:
  StridedDesign(const T* data, Index rows, Index cols, Index row_stride, Index col_stride)
      : Design(rows, cols), data_(data), row_stride_(row_stride), col_stride_(col_stride) {}

  std::string_view kind() const override { return "dense"; }
  Traits traits() const override { return {.fingerprint = Digest::of("dense", {sizeof(T), false})}; }
  double bytes() const override { return static_cast<double>(rows()) * static_cast<double>(cols()) * sizeof(T); }

  void correlate(Columns columns, const MatIn& R, MatOut out, int threads) const override {
    const Index width = stripe_width(static_cast<Index>(columns.size()), threads);
    for_stripes(columns, width, threads, [&](Index first, Columns mine) {
      Mat part(static_cast<Index>(mine.size()), std::min(R.cols(), rhs));
      auto sums = out.middleRows(first, part.rows());
      sums.setZero();
      for (Index i = 0; i < rows(); i += panel) {
        const Index held = std::min(panel, rows() - i);
        for (Index q = 0; q < R.cols(); q += rhs) {
          const Index m = std::min(rhs, R.cols() - q);
          part.setZero();
          add_panel(mine, i, held, R.data() + i + q * R.outerStride(), R.outerStride(), m, part.data(), part.rows());
          sums.middleCols(q, m) += part.leftCols(m);
        }
      }
    });
  }

  void multiply(Columns columns, const MatIn& B, MatOut out, int threads) const override {
    const TypedKernels<T> typed(kernels());
    const Index count = static_cast<Index>(columns.size());
    const bool direct = is_run(columns);
    parallel_for((rows() + panel - 1) / panel, threads, [&](Index chunk) {
      const Index first = chunk * panel, held = std::min(panel, rows() - first);
      auto mine = out.middleRows(first, held);
      if (direct && count > 0) {
        const auto row = row_pointers(first, held, columns[0]);
        typed.correlate(row.data(), held, count, B.data(), B.outerStride(), B.cols(), mine.data(), out.outerStride());
        return;
      }
      mine.setZero();
      std::vector<double> tile(tile_rows * kernel_block);
      Mat part(tile_rows, B.cols());
      for (Index i = 0; i < held; i += tile_rows) {
        const Index lines = std::min(tile_rows, held - i);
        for (Index k = 0; k < count; k += kernel_block) {
          const Index length = std::min(kernel_block, count - k);
          load_tile(columns.subspan(k, length), first + i, lines, tile.data(), kernel_block);
          kernels().correlate_f64(tile_lines<kernel_block>(tile.data()).data(), lines, length, B.data() + k,
                                  B.outerStride(), B.cols(), part.data(), tile_rows);
          mine.middleRows(i, lines) += part.topRows(lines);
        }
      }
    });
  }

  void gather(Columns columns, MatOut out, int threads) const override {
    constexpr Index block = 64;  // rows, so that the cache lines of neighbouring columns are used while at hand
    parallel_for((rows() + block - 1) / block, threads, [&](Index chunk) {
      const Index first = chunk * block, last = std::min(first + block, rows());
      for (std::size_t k = 0; k < columns.size(); ++k) {
        double* const to = out.data() + static_cast<Index>(k) * out.outerStride();
        for (Index i = first; i < last; ++i) to[i] = at(i, columns[k]);
      }
    });
  }

  void moments(Columns columns, const MatIn& weights, MatOut mean, MatOut variance, int threads) const override {
    if (weights.cols() == 1) return weighted_moments(columns, weights, mean, variance, threads);
    const Kernels& table = kernels();
    for_stripes(columns, tile_cols, threads, [&](Index first, Columns mine) {
      const Index count = static_cast<Index>(mine.size()), folds = weights.cols();
      std::array<double, tile_cols> shift;
      for (Index k = 0; k < count; ++k) shift[k] = rough_mean(rows(), column(mine[k]));
      std::vector<double> z(tile_rows * tile_cols), square(tile_rows * tile_cols);
      auto means = mean.middleRows(first, count), variances = variance.middleRows(first, count);
      means.setZero();
      variances.setZero();
      Mat sums(count, folds), squares(count, folds);
      for (Index i = 0; i < rows(); i += panel) {
        sums.setZero();
        squares.setZero();
        for (Index r = i; r < std::min(i + panel, rows()); r += tile_rows) {
          const Index lines = std::min(tile_rows, rows() - r);
          load_tile(mine, r, lines, z.data(), tile_cols);
          for (Index l = 0; l < lines; ++l) {
            for (Index k = 0; k < count; ++k) {
              double& x = z[l * tile_cols + k];
              x -= shift[k];
              square[l * tile_cols + k] = x * x;
            }
          }
          table.multiply_f64(tile_lines<tile_cols>(z.data()).data(), lines, count, weights.data() + r,
                             weights.outerStride(), folds, sums.data(), count);
          table.multiply_f64(tile_lines<tile_cols>(square.data()).data(), lines, count, weights.data() + r,
                             weights.outerStride(), folds, squares.data(), count);
        }
        means += sums;
        variances += squares;
      }
      for (Index k = 0; k < count; ++k) {
        finish_moments(weights, shift[k], column(mine[k]), mean.row(first + k), variance.row(first + k));
      }
    });
  }

 private:
  static constexpr Index panel = 256;  // rows summed together before they are added to a result
  static constexpr Index tile_rows = 16, tile_cols = 128;
  static constexpr Index rhs = 8;  // right-hand sides at a time, so that the sums of a stripe stay in cache
  static_assert(panel % tile_rows == 0);

  const T* pointer(Index i, Index j) const { return data_ + i * row_stride_ + j * col_stride_; }
  double at(Index i, Index j) const { return static_cast<double>(*pointer(i, j)); }
  auto column(Index j) const {
    return [this, j](Index i) { return at(i, j); };
  }

  /// moments for one weight vector.
  void weighted_moments(Columns columns, const MatIn& weights, MatOut mean, MatOut variance, int threads) const {
    for_stripes(columns, stripe_width(static_cast<Index>(columns.size()), threads), threads,
                [&](Index first, Columns mine) {
                  const Index count = static_cast<Index>(mine.size());
                  Vec shift(count), sums(count), squares(count);
                  for (Index k = 0; k < count; ++k) shift[k] = rough_mean(rows(), column(mine[k]));
                  auto means = mean.middleRows(first, count), variances = variance.middleRows(first, count);
                  means.setZero();
                  variances.setZero();
                  for (Index i = 0; i < rows(); i += panel) {
                    sums.setZero();
                    squares.setZero();
                    add_moments(mine, i, std::min(panel, rows() - i), shift.data(), weights.data() + i, sums.data(),
                                squares.data());
                    means += sums;
                    variances += squares;
                  }
                  for (Index k = 0; k < count; ++k)
                    finish_moments(weights, shift[k], column(mine[k]), means.row(k), variances.row(k));
                });
  }

  /// Wide enough to read memory well, narrow enough for the sums to stay in cache and for every thread to have some.
  Index stripe_width(Index count, int threads) const {
    constexpr Index widest = sizeof(T) == 1 ? 2048 : 4096 / static_cast<Index>(sizeof(T));
    const Index share = threads <= 1 ? widest : count / (4 * threads);
    return std::clamp(share / tile_cols * tile_cols, tile_cols, widest);
  }

  /// fn(first, part of columns) over stripes.
  template <class Fn>
  void for_stripes(Columns columns, Index width, int threads, const Fn& fn) const {
    const Index count = static_cast<Index>(columns.size());
    parallel_for((count + width - 1) / width, threads,
                 [&](Index s) { fn(s * width, columns.subspan(s * width, std::min(width, count - s * width))); });
  }

  /// Whether the columns are neighbours in memory.
  bool is_run(Columns columns) const {
    if (col_stride_ != 1) return false;
    for (std::size_t k = 1; k < columns.size(); ++k) {
      if (columns[k] != columns[k - 1] + 1) return false;
    }
    return true;
  }

  /// tile[r * ld + k] = x(first + r, columns[k]).
  void load_tile(Columns columns, Index first, Index count, double* tile, Index ld) const {
    const Index width = static_cast<Index>(columns.size());
    if (std::abs(row_stride_) < std::abs(col_stride_)) {
      for (Index k = 0; k < width; ++k) {
        for (Index r = 0; r < count; ++r) tile[r * ld + k] = at(first + r, columns[k]);
      }
    } else {
      for (Index r = 0; r < count; ++r) {
        for (Index k = 0; k < width; ++k) tile[r * ld + k] = at(first + r, columns[k]);
      }
    }
  }

  template <Index ld>
  static std::array<const double*, tile_rows> tile_lines(const double* tile) {
    std::array<const double*, tile_rows> lines;
    for (Index r = 0; r < tile_rows; ++r) lines[r] = tile + r * ld;
    return lines;
  }

  /// out[k + q ldo] += sum_{r < count} x(first + r, columns[k]) R[r + q ldr].
  void add_panel(Columns columns, Index first, Index count, const double* R, Index ldr, Index m, double* out,
                 Index ldo) const {
    const Index width = static_cast<Index>(columns.size());
    if (is_run(columns)) {
      const auto row = row_pointers(first, count, columns[0]);
      TypedKernels<T>(kernels()).multiply(row.data(), count, width, R, ldr, m, out, ldo);
      return;
    }
    for_tiles(columns, first, count, [&](const double* const* lines, Index held, Index cols, Index r, Index k) {
      kernels().multiply_f64(lines, held, cols, R + r, ldr, m, out + k, ldo);
    });
  }

  /// Adds the weighted sums about `shift` of rows [first, first + count), see Kernels::moments_across_f64.
  void add_moments(Columns columns, Index first, Index count, const double* shift, const double* w, double* sums,
                   double* squares) const {
    if (is_run(columns)) {
      const auto row = row_pointers(first, count, columns[0]);
      TypedKernels<T>(kernels()).moments_across(row.data(), count, static_cast<Index>(columns.size()), shift, w, sums,
                                                squares);
      return;
    }
    for_tiles(columns, first, count, [&](const double* const* lines, Index held, Index cols, Index r, Index k) {
      kernels().moments_across_f64(lines, held, cols, shift + k, w + r, sums + k, squares + k);
    });
  }

  /// Where rows [first, first + count) have their elements of column j; count <= panel.
  std::array<const T*, panel> row_pointers(Index first, Index count, Index j) const {
    std::array<const T*, panel> row;
    for (Index r = 0; r < count; ++r) row[r] = pointer(first + r, j);
    return row;
  }

  /// fn(lines, rows, columns, row, column) over tiles of the rows [first, first + count) copied to doubles, of which
  /// each starts at (first + row, columns[column]).
  template <class Fn>
  void for_tiles(Columns columns, Index first, Index count, const Fn& fn) const {
    alignas(64) std::array<double, tile_rows * tile_cols> tile;
    const auto lines = tile_lines<tile_cols>(tile.data());
    const Index width = static_cast<Index>(columns.size());
    for (Index k = 0; k < width; k += tile_cols) {
      const Columns mine = columns.subspan(k, std::min(tile_cols, width - k));
      for (Index r = 0; r < count; r += tile_rows) {
        const Index held = std::min(tile_rows, count - r);
        load_tile(mine, first + r, held, tile.data(), tile_cols);
        fn(lines.data(), held, static_cast<Index>(mine.size()), r, k);
      }
    }
  }

  const T* data_;
  Index row_stride_, col_stride_;
};

}  // namespace riata
