#include <doctest/doctest.h>

#include <cmath>

#include "check_design.hpp"
#include "path/common_basis.hpp"

using namespace riata;

namespace {

void check_columns(const Mat& A, const CommonBasis& of) {
  const Index rank = of.basis.cols();
  CHECK((of.basis.transpose() * of.basis - Mat::Identity(rank, rank)).norm() < 1e-13);
  const Mat made = of.basis * of.weights;
  for (Index k = 0; k < A.cols(); ++k) CHECK((made.col(k) - A.col(k)).norm() <= 1e-13 * A.col(k).norm());
}

}  // namespace

TEST_CASE("columns that depend smoothly on a number have a small basis, each to its own rounding") {
  const Index n = 80, count = 100;
  const Vec d = check::random_matrix(n, 1, 1).cwiseAbs2(), y = check::random_matrix(n, 1, 2);
  Mat A(n, count);
  for (Index k = 0; k < count; ++k) {
    const double lambda = std::pow(10.0, 3.0 - 0.04 * static_cast<double>(k));
    A.col(k) = y.array() / (d.array() + lambda);
  }
  A.col(7) *= 1e-100;  // whose square is no zero
  A.col(8).setZero();
  const CommonBasis of(A);
  CHECK(of.basis.cols() < 40);
  check_columns(A, of);
}

TEST_CASE("columns without anything in common keep a direction each") {
  const Mat A = check::random_matrix(20, 9, 3);
  const CommonBasis of(A);
  CHECK(of.basis.cols() == 9);
  check_columns(A, of);
  CHECK(CommonBasis(Mat::Zero(5, 3)).basis.cols() == 0);
}
