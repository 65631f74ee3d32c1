#pragma once

#include <span>
#include <vector>

#include "riata/types.hpp"

/// The few directions in which solutions of a ridge with squares lie, for all lambdas at once.
namespace riata {

/// A Krylov space of P S K S P, S the roots of the weights and P the projection off S Z, Z intercept and free columns:
/// with an orthonormal basis v_1, v_2, ... of it, that begins at P S^-1 of the null residual, the solution at lambda is
/// a = S V t with (T + lambda) t = |P S^-1 u| e_1, T tridiagonal, up to a residual that is known (Lanczos; Golub & Van
/// Loan, Matrix Computations, 10.1 and 11.3.3; Frommer & Maass 1999 for shifted systems). Every vector is made
/// orthogonal to all before. K itself is not needed, but its products with S v, one after the other.
class RidgeBasis {
 public:
  /// `z`: intercept and free columns; `pull` the null residual. At most so many vectors are taken; of each, numbers of
  /// `columns` are kept.
  RidgeBasis(const Vec& weights, const Mat& z, const Vec& pull, Index most, Index columns);

  /// S v of the last vector: K times it is wanted next.
  Vec side() const { return sides_.col(size_); }
  /// Takes K side(); what belongs to the columns of X is written into column_images() before.
  void add(const Vec& image);
  Index size() const { return size_; }
  /// Whether no further vector can be had.
  bool complete() const { return size_ == sides_.cols() || (size_ > 0 && !(beside_.back() > 0.0)); }

  /// What the solutions leave of the gap: half the square of their residual.
  double rest(double lambda) const;
  /// Whether none of a'K a is a small difference of what its parts are.
  bool accurate(std::span<const double> lambdas) const;
  /// The solutions are sides() t: one column for each lambda.
  Mat solutions(std::span<const double> lambdas) const;

  /// S V, K S V, and V^-1 Xs'S V where that is kept (else it has no rows).
  auto sides() const { return sides_.leftCols(size_); }
  auto images() const { return images_.leftCols(size_); }
  auto column_images() const { return columns_.leftCols(size_); }
  Index columns_kept() const { return columns_.rows(); }
  /// Those of side(), of columns first .. first + size - 1.
  auto next_column_image(Index first, Index size) { return columns_.col(size_).segment(first, size); }

 private:
  Vec solution(double lambda) const;

  Vec root_;
  Mat free_;  // orthonormal, of S Z
  Mat vectors_, sides_, images_, columns_;
  double length_ = 0.0;                    // of P S^-1 u
  double largest_ = 0.0;                   // length of an image of a vector
  std::vector<double> diagonal_, beside_;  // of T; the last one leads out of it
  Index size_ = 0;
};

}  // namespace riata
