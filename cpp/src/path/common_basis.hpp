#pragma once

#include "riata/types.hpp"

namespace riata {

/// How much larger the rounding of images of a basis may be than that of what is a combination of its vectors.
inline constexpr double kMostAmplified = 1e4;

/// Vectors that depend smoothly on a number, as the solutions at many lambdas, lie nearly in a space of few dimensions:
/// A = basis * weights up to rounding of each column, basis with orthonormal columns. By QR with pivots of the columns
/// at length 1 (Golub & Van Loan, Matrix Computations, 5.4.2).
struct CommonBasis {
  explicit CommonBasis(const Mat& A);
  Mat basis, weights;
};

/// An orthonormal basis of the columns of z, which may depend on each other.
Mat orthonormal_basis(const Mat& z);

}  // namespace riata
