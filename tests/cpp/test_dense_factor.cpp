#include <doctest/doctest.h>

#include "check_design.hpp"
#include "solver/dense_factor.hpp"
#include "solver/sample_products.hpp"

using namespace riata;

namespace {

Mat positive_definite(Index n, unsigned seed) {
  const Mat x = check::random_matrix(n, n, seed);
  return x * x.transpose() + Mat::Identity(n, n);
}

DenseFactor factored(const Mat& a, int threads) {
  DenseFactor factor;
  factor.matrix() = a;
  factor.matrix().triangularView<Eigen::StrictlyLower>().setConstant(1e300);  // what is above is not read
  REQUIRE(factor.make(threads));
  return factor;
}

}  // namespace

TEST_CASE("a dense factor solves, over one block of columns and several") {
  for (const Index n : {1, 2, 47, 48, 49, 96, 131, 500}) {
    CAPTURE(n);
    const Mat a = positive_definite(n, static_cast<unsigned>(n));
    const Vec rhs = check::random_matrix(n, 1, 3);
    Vec x = rhs;
    factored(a, 1).solve(x);
    CHECK((a * x - rhs).norm() <= 1e-10 * rhs.norm());
  }
}

TEST_CASE("a dense factor has the same bits for any number of threads") {
  const Mat a = positive_definite(700, 5);
  const DenseFactor one = factored(a, 1), three = factored(a, 3);
  const Vec rhs = check::random_matrix(700, 1, 3);
  Vec x = rhs, z = rhs;
  one.solve(x);
  three.solve(z);
  CHECK(check::same_bits(x, z));
}

TEST_CASE("a matrix that is not positive definite has no factor") {
  for (const Index bad : {0, 60, 99}) {
    Mat a = positive_definite(100, 6);
    a(bad, bad) = -1.0;
    DenseFactor factor;
    factor.matrix() = a;
    CHECK_FALSE(factor.make(1));
    CHECK(factor.size() == 0);
  }
  DenseFactor empty;
  CHECK(empty.make(1));
}

TEST_CASE("products of samples are those of the definition, in one triangle or both, on any number of threads") {
  const Mat z = check::random_matrix(130, 517, 8), start = check::random_matrix(517, 517, 9);
  const Mat symmetric = start + start.transpose();
  for (const double sign : {1.0, -1.0}) {
    const Mat want = symmetric + sign * z.transpose() * z;
    Mat both = symmetric, upper = symmetric, threaded = symmetric;
    add_sample_products(z, sign, Triangle::kBoth, 1, both);
    add_sample_products(z, sign, Triangle::kUpper, 1, upper);
    add_sample_products(z, sign, Triangle::kBoth, 3, threaded);
    check::close(both, want, 1e-11);
    CHECK(check::same_bits(both, both.transpose()));
    CHECK(check::same_bits(both, threaded));
    const Mat above = upper.triangularView<Eigen::Upper>(), same = both.triangularView<Eigen::Upper>();
    CHECK(check::same_bits(above, same));
  }
}
