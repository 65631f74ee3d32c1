#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "path/path_problem.hpp"
#include "path/rounded_products.hpp"

namespace riata {

/// All reading of X on the way down a path: once every column, for what has to be known beforehand; then, again and
/// again, the columns that certificates ask for. Columns are read in pieces that stay in cache from one use to the
/// next.
class ColumnReader {
 public:
  /// `copy_for`: lambdas for which a copy of at most `most_bytes` may be made (0: none is wanted). `numbers` are those
  /// by which errors name the columns (empty: their own).
  ColumnReader(const Design& X, std::span<const Index> numbers, Index copy_for, double most_bytes, int threads,
               Counters& counters)
      : X_(X), numbers_(numbers), rounded_(X, copy_for, most_bytes), threads_(threads), counters_(counters) {}

  /// Means and variances of every column for each weight vector; meanwhile products with the null residuals (n x
  /// problems and their outputs, or no columns where those are not known yet) and the copy for later products.
  /// With `digest`, also what tells X from another one: of its products with a fixed vector.
  /// Throws NonFiniteError for NaN or infinity in X, std::invalid_argument for squares that are not finite.
  void first_pass(const Mat& weights, const Mat& null_u, std::vector<Vec>& means, std::vector<Vec>& variances,
                  std::uint64_t* digest = nullptr);
  /// Bytes of the copy.
  double memory() const { return rounded_.memory(); }
  /// See RoundedProducts::errors().
  const Vec& copy_errors() const { return rounded_.errors(); }

  /// Gives every pending problem the products that it needs.
  void serve(std::span<const std::unique_ptr<PathProblem>> problems);

 private:
  /// What one problem reads: right-hand sides and columns.
  struct Reading {
    PathProblem* problem;
    std::optional<RoundedProducts::Sides> rounded;  // to be used in the place of the problem's sides
    std::vector<Index> columns;
    const Mat& sides() const { return rounded ? rounded->used : problem->sides(); }
  };
  Index piece_columns(double side_bytes) const;
  void serve_null(std::span<const std::unique_ptr<PathProblem>> problems);
  void read(const std::vector<Reading>& readings);
  Index read_piece(const std::vector<Reading>& readings, Index piece, Index first, Index last) const;

  const Design& X_;
  std::span<const Index> numbers_;
  RoundedProducts rounded_;
  int threads_;
  Counters& counters_;
  Mat null_products_;  // X'u of the null fits, until they are certified
};

}  // namespace riata
