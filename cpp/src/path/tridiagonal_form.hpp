#pragma once

#include <Eigen/Householder>

#include "riata/types.hpp"

namespace riata {

/// Q T Q' = A for a symmetric A, with T tridiagonal, by Householder's reflections (Golub & Van Loan, Matrix
/// Computations, 8.3.1). Polls once a column, so that it can be stopped.
class TridiagonalForm {
 public:
  TridiagonalForm(Mat A, const Poll& poll);

  Vec diagonal() const { return reflections_.diagonal(); }
  Vec beside() const { return reflections_.diagonal<-1>(); }
  auto q() const {
    return Eigen::householderSequence(reflections_, coefficients_).setLength(reflections_.rows() - 1).setShift(1);
  }

 private:
  Mat reflections_;  // below the diagonal of T and the numbers beside it
  Vec coefficients_;
};

/// (T + lambda)^-1 x for a symmetric T without negative eigenvalues, of which these are the diagonal and the numbers
/// beside it.
Vec solve_tridiagonal(const Vec& diagonal, const Vec& beside, double lambda, Vec x);

}  // namespace riata
