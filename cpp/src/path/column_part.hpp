#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "certify/column_screen.hpp"
#include "design/rounded_products.hpp"
#include "riata/api.hpp"
#include "riata/design/design.hpp"

namespace riata {

/// Refuses columns first .. last - 1 that are no numbers, or whose squares are none; `numbers` as in ColumnPart.
void check_moments(const Vec& mean, const Vec& variance, Index first, Index last, std::span<const Index> numbers);

/// A range of the columns of X, and all reading of them on the way down a path: once every column, for what has to be
/// known beforehand; then, again and again, the columns that certificates ask for. Columns are read in pieces that stay
/// in cache from one use to the next. All problems share the reading.
class ColumnPart {
 public:
  /// Columns first .. last - 1. `numbers` are those by which errors name the columns of X (empty: their own);
  /// `copy_for` and `most_bytes`, of a copy of all of X, as in RoundedProducts.
  ColumnPart(const Design& X, std::span<const Index> numbers, Index first, Index last, Index copy_for,
             double most_bytes, int threads);

  Index first() const { return first_; }
  Index last() const { return last_; }

  /// Means and variances of the columns for each weight vector, into their places in these. Meanwhile products with the
  /// null residuals (n x problems and their outputs, or no columns where those are not known yet) and the copy for
  /// later products. With `digest`, also what tells X from another one, to be summed over parts: of its products with
  /// a fixed vector. Throws NonFiniteError for NaN or infinity in X, std::invalid_argument for squares that are not
  /// finite.
  void first_pass(const Mat& weights, const Mat& null_u, std::vector<Vec>& means, std::vector<Vec>& variances,
                  std::uint64_t* digest, Counters& counters);
  /// Bytes of the copy.
  double memory() const { return rounded_.memory(); }
  const RoundedProducts& rounded() const { return rounded_; }

  /// What one problem reads of this part.
  struct Reading {
    ColumnScreen* screen;
    const Mat* rhs;                         // right-hand sides as they are used,
    const RoundedProducts::Sides* rounded;  // where these are not the problem's own, else null
    const ReadingPlan* plan;
    std::vector<Index> columns;
  };
  /// Gives every problem the products that it needs.
  void read(const std::vector<Reading>& readings, Counters& counters) const;

  /// The products of the null fits, until they are certified: a row for each column of this part.
  const Mat& null_products() const { return null_products_; }
  void release_null() { null_products_.resize(0, 0); }

 private:
  Index piece_columns(double side_bytes) const;
  Index read_piece(const std::vector<Reading>& readings, Index piece, Index first, Index last) const;

  const Design& X_;
  Traits traits_;
  std::span<const Index> numbers_;
  Index first_, last_;
  RoundedProducts rounded_;
  int threads_;
  Mat null_products_;
};

}  // namespace riata
