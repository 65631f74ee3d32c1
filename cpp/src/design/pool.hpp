#pragma once

#include <vector>

#include "riata/design/design.hpp"

namespace riata {

/// The working set: columns of a design brought close, numbered 0, 1, 2, ... in the order they were added.
/// Itself a design (over those columns), with the two single-column operations coordinate descent needs.
/// Dense storages give packed double columns less a shift; sparse ones stay sparse (shift 0), but for columns that lie
/// far from zero; genotypes stay two bits each, with the shift in what these stand for.
class Pool : public Design {
 public:
  using Design::Design;

  /// Nobody asks: the source's have decided which pool there is.
  Traits traits() const override { return {}; }

  /// Appends columns of the source design. `shift[k]` is subtracted from column k when the storage can do it without
  /// losing sparsity; NaN asks to use the source's column in place, where it has one (Design::contiguous).
  /// `shift_of` tells what was subtracted.
  virtual void append(Columns columns, std::span<const double> shift, int threads) = 0;
  virtual double shift_of(Index k) const = 0;

  /// sum_i x_ik u_i of pool column k.
  virtual double dot(Index k, const double* u) const = 0;
  /// v += a * x_k.
  virtual void axpy(Index k, double a, double* v) const = 0;
  /// v += a * weight * x_k, element by element.
  virtual void axpy_weighted(Index k, double a, const double* weight, double* v) const;
  /// out(i, r) = sum_s h_s x_{s, rows[i]} x_{s, cols[r]} of pool columns, from whole numbers that are exact, where the
  /// storage has a faster way than correlate() for this h; else false, and out is left alone.
  virtual bool cross_products(Columns /*rows*/, Columns /*cols*/, const Vec& /*h*/, MatOut /*out*/,
                              int /*threads*/) const {
    return false;
  }
  /// Bytes held.
  virtual std::size_t memory() const = 0;
};

}  // namespace riata
