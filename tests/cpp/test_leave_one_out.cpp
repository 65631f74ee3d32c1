#include <doctest/doctest.h>

#include <limits>
#include <memory>
#include <random>
#include <stdexcept>
#include <vector>

#include "check_design.hpp"
#include "riata/design/dense.hpp"
#include "riata/error.hpp"
#include "riata/univariate/leave_one_out.hpp"

using namespace riata;

namespace {

Mat numbers(Index rows, Index cols, unsigned seed) {
  std::mt19937 rng(seed);
  std::normal_distribution<double> normal;
  return Mat::NullaryExpr(rows, cols, [&] { return normal(rng); });
}

Vec equal(Index n) {
  return Vec::Constant(n, 1.0 / static_cast<double>(n));
}

std::shared_ptr<const Design> view(const Mat& X) {
  return dense_design(X.data(), X.rows(), X.cols(), 1, X.rows());
}

/// What the straight line through all rows but one says of that one.
double without(const Vec& x, const Vec& y, Index row) {
  double n = 0.0, sx = 0.0, sy = 0.0, xx = 0.0, xy = 0.0;
  for (Index i = 0; i < x.size(); ++i) {
    if (i == row) continue;
    n += 1.0, sx += x[i], sy += y[i], xx += x[i] * x[i], xy += x[i] * y[i];
  }
  const double slope = (xy - sx * sy / n) / (xx - sx * sx / n);
  return sy / n + slope * (x[row] - sx / n);
}

}  // namespace

TEST_CASE("leave-one-out predictions of squares are those of fits without the row") {
  const Mat X = numbers(30, 700, 1);  // more columns than a block
  const Vec y = numbers(30, 1, 2);
  for (const int threads : {1, 3}) {
    const auto design = leave_one_out_design(view(X), {"gaussian", y, equal(30)}, threads);
    Mat Z(30, 700);
    std::vector<Index> all(700);
    for (std::size_t j = 0; j < all.size(); ++j) all[j] = static_cast<Index>(j);
    design->gather(all, Z, threads);
    for (const Index j : {Index{0}, Index{511}, Index{512}, Index{699}}) {
      for (Index i = 0; i < 30; ++i) CHECK(Z(i, j) == doctest::Approx(without(X.col(j), y, i)).epsilon(1e-10));
    }
  }
}

TEST_CASE("the storage of leave-one-out predictions agrees with its dense copy") {
  const Mat X = numbers(40, 23, 3);
  Vec y = (numbers(40, 1, 4).array() > 0.0).select(Vec::Ones(40), Vec::Zero(40));
  Vec omega = equal(40);
  omega[7] = 0.0;
  omega /= omega.sum();
  const auto design = leave_one_out_design(view(X), {"binomial", y, omega, numbers(40, 1, 5)}, 1);
  std::vector<Index> columns{0, 5, 6, 7, 22};
  Mat Z(40, 5);
  design->gather(columns, Z, 1);
  // A row of weight zero is predicted by the model of the others.
  CHECK(Z(7, 1) == doctest::Approx(design->fits().intercept[5] + design->fits().slope[5] * X(7, 5)).epsilon(1e-12));
  const Mat R = numbers(40, 3, 6), B = numbers(5, 2, 7);
  Mat products(5, 3), sums(40, 2);
  design->correlate(columns, R, products, 1);
  design->multiply(columns, B, sums, 1);
  CHECK((products - Z.transpose() * R).cwiseAbs().maxCoeff() < 1e-12);
  CHECK((sums - Z * B).cwiseAbs().maxCoeff() < 1e-12);
  Mat mean(5, 1), variance(5, 1);
  design->moments(columns, omega, mean, variance, 1);
  const Vec means = Z.transpose() * omega;
  CHECK((mean.col(0) - means).cwiseAbs().maxCoeff() < 1e-12);
  const Mat centred = Z.rowwise() - means.transpose();
  CHECK((variance.col(0) - centred.cwiseAbs2().transpose() * omega).cwiseAbs().maxCoeff() < 1e-12);
}

TEST_CASE("leave-one-out designs refuse what they cannot fit") {
  Mat X = numbers(10, 4, 8);
  const Vec y = numbers(10, 1, 9), weights = equal(10);
  CHECK_THROWS_AS(leave_one_out_design(nullptr, {"gaussian", y, weights}, 1), std::invalid_argument);
  CHECK_THROWS_AS(leave_one_out_design(view(X), {"multinomial", y, weights}, 1), std::invalid_argument);
  CHECK_THROWS_AS(leave_one_out_design(view(X), {"gaussian", y.head(9), weights}, 1), std::invalid_argument);
  CHECK_THROWS_AS(leave_one_out_design(view(X), {"gaussian", y, Vec::Zero(10)}, 1), std::invalid_argument);
  CHECK_THROWS_AS(leave_one_out_design(view(X), {"gaussian", y, weights, Vec::Zero(3)}, 1), std::invalid_argument);
  CHECK_THROWS_AS(leave_one_out_design(view(X), {"gaussian", y, weights, {}, {}, true, 0}, 1), std::invalid_argument);
  X(3, 2) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(leave_one_out_design(view(X), {"gaussian", y, weights}, 1), NonFiniteError);
}

TEST_CASE("a column that does not vary has no slope") {
  Mat X = numbers(10, 2, 10);
  X.col(1).setConstant(3.7);
  const Vec y = numbers(10, 1, 11);
  const auto design = leave_one_out_design(view(X), {"gaussian", y, equal(10)}, 1);
  CHECK(design->fits().slope[1] == 0.0);
  CHECK(design->fits().intercept[1] == doctest::Approx(y.mean()));
}
