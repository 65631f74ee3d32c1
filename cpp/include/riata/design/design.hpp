#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "riata/types.hpp"

/// What fits ask of a matrix, and what they may know of how it is stored: the seam that every storage implements.
namespace riata {

class Pool;

/// What decides how a storage is best asked: everything that callers may know of it.
struct Traits {
  Index columns_a_call = 0;       // that a reading call takes best; 0: as many as stay in cache
  bool concurrent = true;         // whether calls are safe from several threads at once
  bool in_place = false;          // every column is contiguous doubles where it is held
  bool compact_pool = false;      // make_pool() holds columns in less room than as doubles
  bool rounds = false;            // products with rounded right-hand sides cost less than exact ones
  bool copy_pays = true;          // a copy in 16-bit integers, where it is smaller, is cheaper to read again
  bool subset_pays = false;       // rows_subset() is cheaper to make and read than rows of weight zero are to multiply
  std::uint64_t fingerprint = 0;  // of how the numbers are held: with their values it decides the bits of a fit
};

/// The design X (n samples x p features) as every solver sees it: a few coarse operations, each on many columns
/// at once. X is a fixed matrix of finite numbers (missing genotypes stand at their column's mean); it is never
/// written to. Centring and scaling are not the design's business: callers carry two vectors.
///
/// `threads` is the number of OpenMP threads to use. Results are the same bits for any value of it: work is split
/// into chunks of fixed size and each output number is summed by one thread in a fixed order.
/// Calls are safe from several threads at once (no hidden mutable state), unless traits() says that they are not: then
/// one is made at a time, on the thread that entered the library.
class Design {
 public:
  virtual ~Design() = default;

  Index rows() const { return rows_; }
  Index cols() const { return cols_; }

  /// "dense", "csc", "plink", ...: for people to read. What callers go by are the traits.
  virtual std::string_view kind() const = 0;
  virtual Traits traits() const = 0;

  /// Bytes that one pass over all columns reads.
  virtual double bytes() const = 0;

  /// Multiplications in a product of `columns` average columns with `sides` vectors.
  virtual double multiplications(Index columns, Index sides) const {
    return static_cast<double>(rows_) * static_cast<double>(columns) * static_cast<double>(sides);
  }

  /// mean(k, f) = sum_i w_if x_ij and variance(k, f) = sum_i w_if (x_ij - mean(k, f))^2 for each column j = columns[k]
  /// and each weight vector f. `weights` is n x F with non-negative columns that sum to 1. Summed about a shift close
  /// to the mean, so that a large common offset does not cancel the variance. One pass over the columns for all F. A
  /// column holding NaN or infinity anywhere (weight zero or not) gives variance(k, 0) = NaN.
  virtual void moments(Columns columns, const MatIn& weights, MatOut mean, MatOut variance, int threads) const = 0;

  /// out(k, q) = sum_i x_{i, columns[k]} R(i, q): X' R on the raw columns, R is n x m.
  /// Accumulated in double: error at most 1e-14 |x_j| |R_q| for n up to 1e6.
  virtual void correlate(Columns columns, const MatIn& R, MatOut out, int threads) const = 0;

  /// Replaces R by nearby right-hand sides that correlate_rounded() multiplies exactly: no entry of a column q moves by
  /// more than max|R_q| / 32639, and zeros stay zero. Does nothing where no product is cheaper for it, and nothing to
  /// what is rounded already. R is finite.
  virtual void round_sides(MatOut /*R*/) const {}

  /// correlate() for an R that came out of round_sides(): sums of integers, which are exact, put together in double.
  virtual void correlate_rounded(Columns columns, const MatIn& R, MatOut out, int threads) const {
    correlate(columns, R, out, threads);
  }

  /// out = X_columns B, B is |columns| x m and out is n x m (overwritten).
  virtual void multiply(Columns columns, const MatIn& B, MatOut out, int threads) const = 0;

  /// out(:, k) = column columns[k] as doubles (missing values at their mean). out is n x |columns|.
  virtual void gather(Columns columns, MatOut out, int threads) const = 0;

  /// Pointer to n contiguous doubles of column j when the storage has them in memory like that, else null.
  virtual const double* contiguous(Index /*j*/) const { return nullptr; }

  /// Rows of X as a design with room of its own, in which each number is the one it is here: missing values too stand
  /// where they do. `rows` increase. By default, and so in storages of yours, doubles.
  virtual std::shared_ptr<const Design> rows_subset(std::span<const Index> rows) const;

  /// Columns brought close, none at first, for the working set of a fit: the library has its own, and a storage of
  /// yours keeps this one.
  virtual std::unique_ptr<Pool> make_pool() const;

 protected:
  Design(Index rows, Index cols) : rows_(rows), cols_(cols) {}
  void set_cols(Index cols) { cols_ = cols; }  // pools grow

 private:
  Index rows_;
  Index cols_;
};

}  // namespace riata
