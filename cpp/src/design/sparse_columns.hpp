#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "parallel.hpp"
#include "riata/design/design.hpp"

/// The coarse operations on sparse columns, shared by the CSC design and its working set. A storage is a function
/// column(j) that returns a SparseColumn.
namespace riata {

/// Entries of one column: value[k] at row[k]; duplicate rows add up.
template <class I, class T>
struct SparseColumn {
  const I* row;
  const T* value;
  Index size;
};

/// A sparse design whose columns can be copied out clean: what its working set needs.
class SparseDesign : public Design {
 public:
  using Design::Design;
  /// Tells which columns are about to be asked for by the two calls below, one after the other.
  virtual void expect(Columns /*columns*/) const {}
  /// Entries that copy_column writes.
  virtual Index column_size(Index j) const = 0;
  /// Entries of column j with increasing rows and duplicates summed. Needs rows() < 2^31.
  virtual void copy_column(Index j, std::int32_t* row, double* value) const = 0;
};

namespace sparse {

/// Multiplications of `columns` average columns with `sides` vectors, when `cols` of them hold `entries`.
inline double multiplications(Index entries, Index cols, Index columns, Index sides) {
  const double each = static_cast<double>(entries) / static_cast<double>(std::max<Index>(cols, 1));
  return each * static_cast<double>(columns) * static_cast<double>(sides);
}

constexpr Index kChunkColumns = 64;  // columns a task
constexpr Index kLookAhead = 16;     // entries between a prefetch and its use

inline void prefetch([[maybe_unused]] const void* address) {
#if defined(__GNUC__)
  __builtin_prefetch(address);
#endif
}

/// Columns of R in panels of kLanes, each row-major and zero-padded: the entries of a row that belong together lie in
/// one cache line.
template <Index kLanes>
class Panels {
 public:
  explicit Panels(const MatIn& R)
      : rows_(R.rows()), count_((R.cols() + kLanes - 1) / kLanes), data_(rows_ * count_ * kLanes + kLanes - 1) {
    const auto address = reinterpret_cast<std::uintptr_t>(data_.data());
    const std::uintptr_t line = kLanes * sizeof(double);
    start_ = data_.data() + (line - address % line) % line / sizeof(double);
    for (Index b = 0; b < count_; ++b) {
      double* panel = start_ + b * rows_ * kLanes;
      const Index width = std::min(kLanes, R.cols() - b * kLanes);
      for (Index i = 0; i < rows_; ++i)
        for (Index l = 0; l < kLanes; ++l) panel[i * kLanes + l] = l < width ? R(i, b * kLanes + l) : 0.0;
    }
  }

  Index count() const { return count_; }
  /// Row i of panel b: kLanes numbers.
  const double* row(Index b, Index i) const { return start_ + (b * rows_ + i) * kLanes; }

 private:
  Index rows_, count_;
  Vec data_;
  double* start_;
};

/// fn(k) for k < total, in parallel chunks.
template <class F>
void each(Index total, int threads, F&& fn) {
  parallel_for((total + kChunkColumns - 1) / kChunkColumns, threads, [&](Index chunk) {
    const Index end = std::min(total, (chunk + 1) * kChunkColumns);
    for (Index k = chunk * kChunkColumns; k < end; ++k) fn(k);
  });
}

/// Even and odd entries are summed apart, here and in correlate_panels: the bits do not depend on the number of
/// right-hand sides, and two chains of additions overlap.
template <class I, class T>
double dot(const SparseColumn<I, T>& x, const double* u) {
  double even = 0, odd = 0;
  Index k = 0;
  for (; k + 2 <= x.size; k += 2) {
    if (k + kLookAhead < x.size) prefetch(u + x.row[k + kLookAhead]);
    even += static_cast<double>(x.value[k]) * u[x.row[k]];
    odd += static_cast<double>(x.value[k + 1]) * u[x.row[k + 1]];
  }
  if (k < x.size) even += static_cast<double>(x.value[k]) * u[x.row[k]];
  return even + odd;
}

template <class I, class T>
void axpy(const SparseColumn<I, T>& x, double a, double* v) {
  for (Index k = 0; k < x.size; ++k) v[x.row[k]] += a * static_cast<double>(x.value[k]);
}

template <class I, class T>
void axpy_weighted(const SparseColumn<I, T>& x, double a, const double* weight, double* v) {
  for (Index k = 0; k < x.size; ++k) v[x.row[k]] += a * weight[x.row[k]] * static_cast<double>(x.value[k]);
}

template <Index kLanes, class Column>
void correlate_panels(const Column& column, Columns columns, const MatIn& R, MatOut& out, int threads) {
  const Panels<kLanes> panels(R);
  each(static_cast<Index>(columns.size()), threads, [&](Index k) {
    const auto x = column(columns[static_cast<std::size_t>(k)]);
    for (Index b = 0; b < panels.count(); ++b) {
      double even[kLanes] = {}, odd[kLanes] = {};
      const auto add = [&](double(&sum)[kLanes], Index e) {
        if (e + kLookAhead < x.size) prefetch(panels.row(b, x.row[e + kLookAhead]));
        const double* r = panels.row(b, x.row[e]);
        const auto value = static_cast<double>(x.value[e]);
        for (Index l = 0; l < kLanes; ++l) sum[l] += value * r[l];
      };
      Index e = 0;
      for (; e + 2 <= x.size; e += 2) {
        add(even, e);
        add(odd, e + 1);
      }
      if (e < x.size) add(even, e);
      const Index width = std::min(kLanes, R.cols() - b * kLanes);
      for (Index l = 0; l < width; ++l) out(k, b * kLanes + l) = even[l] + odd[l];
    }
  });
}

template <class Column>
void correlate(const Column& column, Columns columns, const MatIn& R, MatOut out, int threads) {
  if (R.cols() == 0) return;
  if (R.cols() > 4) return correlate_panels<8>(column, columns, R, out, threads);
  if (R.cols() > 2) return correlate_panels<4>(column, columns, R, out, threads);
  if (R.cols() > 1) return correlate_panels<2>(column, columns, R, out, threads);
  each(static_cast<Index>(columns.size()), threads,
       [&](Index k) { out(k, 0) = dot(column(columns[static_cast<std::size_t>(k)]), R.data()); });
}

/// Parallel over right-hand sides: rows of different columns collide, right-hand sides never do.
template <class Column>
void multiply(const Column& column, Columns columns, const MatIn& B, MatOut out, int threads) {
  parallel_for(B.cols(), threads, [&](Index q) {
    out.col(q).setZero();
    for (Index k = 0; k < B.rows(); ++k)
      if (B(k, q) != 0) axpy(column(columns[static_cast<std::size_t>(k)]), B(k, q), out.data() + q * out.outerStride());
  });
}

template <class Column>
void gather(const Column& column, Columns columns, MatOut out, int threads) {
  each(static_cast<Index>(columns.size()), threads, [&](Index k) {
    out.col(k).setZero();
    axpy(column(columns[static_cast<std::size_t>(k)]), 1.0, out.data() + k * out.outerStride());
  });
}

/// Moments of columns without duplicates, from their entries alone: with m the mean,
/// variance = sum_nz w (x - m)^2 + (weight of the zeros) m^2. No term cancels another. Written to row `at`.
class Moments {
 public:
  explicit Moments(const MatIn& weights) : panels_(weights), positive_(weights.cols()), total_(weights.cols()) {
    for (Index f = 0; f < weights.cols(); ++f) {
      positive_[f] = static_cast<double>((weights.col(f).array() > 0).count());
      total_[f] = weights.col(f).sum();
    }
  }

  template <class I, class T>
  void of(const SparseColumn<I, T>& x, Index at, MatOut& mean, MatOut& variance) const {
    double finite = 0;
    for (Index k = 0; k < x.size; ++k) finite += static_cast<double>(x.value[k]) * 0.0;
    for (Index b = 0; b < panels_.count(); ++b) {
      double first[kLanes] = {}, weight[kLanes] = {}, rows[kLanes] = {}, second[kLanes] = {};
      for (Index k = 0; k < x.size; ++k) {
        const double* w = panels_.row(b, x.row[k]);
        const auto value = static_cast<double>(x.value[k]);
        for (Index l = 0; l < kLanes; ++l) {
          first[l] += w[l] * value;
          weight[l] += w[l];
          rows[l] += w[l] > 0 ? 1.0 : 0.0;
        }
      }
      for (Index k = 0; k < x.size; ++k) {
        const double* w = panels_.row(b, x.row[k]);
        const auto value = static_cast<double>(x.value[k]);
        for (Index l = 0; l < kLanes; ++l) second[l] += w[l] * (value - first[l]) * (value - first[l]);
      }
      const Index width = std::min(kLanes, mean.cols() - b * kLanes);
      for (Index l = 0; l < width; ++l) {
        const Index f = b * kLanes + l;
        // Where every weighted row has an entry, total - weight would be mere rounding, amplified by a large mean.
        const double zeros = rows[l] == positive_[f] ? 0.0 : std::max(total_[f] - weight[l], 0.0);
        mean(at, f) = first[l];
        variance(at, f) = second[l] + zeros * first[l] * first[l];
      }
    }
    if (std::isnan(finite)) variance(at, 0) = std::numeric_limits<double>::quiet_NaN();
  }

 private:
  static constexpr Index kLanes = 4;
  Panels<kLanes> panels_;
  Vec positive_, total_;  // rows of positive weight, sum of weights
};

}  // namespace sparse
}  // namespace riata
