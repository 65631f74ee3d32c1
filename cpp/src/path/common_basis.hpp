#pragma once

#include "riata/types.hpp"

namespace riata {

/// Vectors that depend smoothly on a number, as the solutions at many lambdas, lie nearly in a space of few dimensions:
/// A = basis * weights up to rounding of each column, basis with orthonormal columns. By QR with pivots of the columns
/// at length 1 (Golub & Van Loan, Matrix Computations, 5.4.2).
struct CommonBasis {
  explicit CommonBasis(const Mat& A);
  Mat basis, weights;
};

}  // namespace riata
