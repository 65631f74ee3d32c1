#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "check_design.hpp"
#include "design/rounded_products.hpp"
#include "kernel/compact.hpp"
#include "riata/design/csc.hpp"
#include "riata/design/dense.hpp"
#include "riata/design/hstack.hpp"
#include "riata/kernel/isa.hpp"

using namespace riata;

namespace {

std::vector<Index> all_of(Index p) {
  std::vector<Index> all(static_cast<std::size_t>(p));
  for (std::size_t j = 0; j < all.size(); ++j) all[j] = static_cast<Index>(j);
  return all;
}

/// The copy of X, column by column, from products with unit vectors.
Mat decoded(const RoundedProducts& rounded, Index n, Index p) {
  Mat copy(n, p);
  for (Index i = 0; i < n; ++i) {
    Mat unit = Mat::Zero(n, 1), out(p, 1);
    unit(i, 0) = 1.0;
    rounded.correlate(all_of(p), rounded.round(unit), out);
    copy.row(i) = out.transpose();
  }
  return copy;
}

}  // namespace

TEST_CASE("a copy of parts of which only the first lies in memory as doubles") {
  constexpr Index n = 512, p = 60;
  const Mat left = check::random_matrix(n, p, 1);
  const Eigen::MatrixXf right = check::random_matrix(n, p, 2).cast<float>();
  const auto X = hstack_design(
      {dense_design(left.data(), n, p, 1, n), std::shared_ptr<const Design>(dense_design(right.data(), n, p, 1, n))});
  Mat whole(n, 2 * p);
  whole << left, right.cast<double>();
  RoundedProducts rounded(*X, 100);
  REQUIRE(rounded.copies());
  rounded.encode(all_of(2 * p), whole.colwise().mean().transpose());
  CHECK((decoded(rounded, n, 2 * p) - whole).cwiseAbs().maxCoeff() < 1e-3);
}

TEST_CASE("a copy is as far from X as it says") {
  for (const Index n : {64, 95, 530, 1200}) {
    const Index p = 40000 / n;
    CAPTURE(n);
    Mat X = check::random_matrix(n, p, static_cast<unsigned>(n));
    X.col(1).array() += 1e6;  // large mean
    X.col(2) *= 1e-200;
    X.col(3) *= 1e150;
    X.col(4).setConstant(3.0);
    X(n / 2, 5) = 1e4;  // an outlier takes the steps
    const auto design = dense_design(X.data(), n, p, 1, n);
    RoundedProducts rounded(*design, 100);
    REQUIRE(rounded.copies());
    CHECK(rounded.share() == doctest::Approx(0.25 * static_cast<double>((n + 31) / 32 * 32) / static_cast<double>(n)));
    const Vec mean = X.colwise().mean();
    rounded.encode(all_of(p), mean);
    const Mat copy = decoded(rounded, n, p);
    for (Index j = 0; j < p; ++j) {
      CAPTURE(j);
      const double error = (X.col(j) - copy.col(j)).norm(), size = (X.col(j).array() - mean[j]).matrix().norm();
      const double rounding = 1e-15 * X.col(j).norm();
      CHECK(error <= 1.0001 * rounded.errors()[j] + rounding);
      CHECK(error >= 0.9999 * rounded.errors()[j] - rounding);
      if (j != 5 && size > 0.0) CHECK(error <= 5e-4 * size + rounding);
    }
  }
}

TEST_CASE("products with rounded sides are those of the copy, the same for every instruction set") {
  for (const Index n : {65, 512, 513, 1500}) {
    const Index p = 60000 / n;
    const Mat X = check::random_matrix(n, p, 7);
    const auto design = dense_design(X.data(), n, p, 1, n);
    RoundedProducts rounded(*design, 8);
    rounded.encode(all_of(p), X.colwise().mean().transpose());
    const Mat copy = decoded(rounded, n, p);
    for (const Index m : {1, 2, 3, 4, 5, 7}) {
      CAPTURE(n);
      CAPTURE(m);
      Mat R = check::random_matrix(n, m, 8);
      R.row(2).setZero();
      if (m > 1) R.col(1).setZero();
      const Mat before = R;
      const RoundedProducts::Sides sides = rounded.round(R);
      R = sides.used;
      CHECK(R.row(2).cwiseAbs().maxCoeff() == 0.0);
      for (Index q = 0; q < m; ++q) {
        CHECK((R.col(q) - before.col(q)).cwiseAbs().maxCoeff() <= 0.51 / 4095 * before.col(q).cwiseAbs().maxCoeff());
      }
      const Mat again = rounded.round(R).used;
      CHECK((again - R).cwiseAbs().maxCoeff() <= 1e-15 * R.cwiseAbs().maxCoeff());
      std::vector<Index> some;
      for (Index j = 0; j < p; j += 1 + j % 3) some.push_back(j);
      Mat out(static_cast<Index>(some.size()), m);
      rounded.correlate(some, sides, out);
      for (std::size_t k = 0; k < some.size(); ++k) {
        for (Index q = 0; q < m; ++q) {
          const double expected = copy.col(some[k]).dot(R.col(q));
          CHECK(std::abs(out(static_cast<Index>(k), q) - expected) <=
                1e-13 * copy.col(some[k]).norm() * R.col(q).norm());
        }
      }
      for (const char* isa : {"baseline", "avx2", "avx512"}) {
        if (!has_isa(isa)) continue;
        set_isa(isa);
        Mat other(out.rows(), m);
        rounded.correlate(some, sides, other);
        CHECK(other == out);
      }
      set_isa("auto");
    }
  }
}

TEST_CASE("no sum of codes overflows") {
  // Largest codes everywhere, all of one sign: the worst case of a block.
  const Index n = 70000, p = 4;
  Mat X(n, p);
  X.col(0).setConstant(1.0);
  X.col(1).setConstant(-1.0);
  X.col(2).setConstant(1.0);
  X.col(3) = check::random_matrix(n, 1, 3);
  const auto design = dense_design(X.data(), n, p, 1, n);
  RoundedProducts rounded(*design, 8);
  REQUIRE(rounded.copies());
  rounded.encode(all_of(p), Vec::Zero(p));
  const Mat R = Mat::Constant(n, 4, 2.0);
  Mat out(p, 4);
  for (const char* isa : {"baseline", "avx2", "avx512"}) {
    if (!has_isa(isa)) continue;
    CAPTURE(isa);
    set_isa(isa);
    rounded.correlate(all_of(p), rounded.round(R), out);
    CHECK(out(0, 0) == doctest::Approx(2.0 * n).epsilon(1e-12));
    CHECK(out(1, 3) == doctest::Approx(-2.0 * n).epsilon(1e-12));
  }
  set_isa("auto");
}

TEST_CASE("a copy is made where it pays") {
  const Mat X = check::random_matrix(300, 400, 1);
  const auto design = dense_design(X.data(), 300, 400, 1, 300);
  CHECK(RoundedProducts(*design, 100).copies());
  CHECK_FALSE(RoundedProducts(*design, 1).offered());
  CHECK_FALSE(RoundedProducts(*design, 100, 1e5).offered());
  const Eigen::Matrix<std::int8_t, -1, -1> small = Eigen::Matrix<std::int8_t, -1, -1>::Ones(300, 2000);
  CHECK_FALSE(RoundedProducts(*dense_design(small.data(), 300, 2000, 1, 300), 100).copies());
  // Padding would make it larger than what it copies.
  const Mat flat = check::random_matrix(3, 20000, 1);
  CHECK_FALSE(RoundedProducts(*dense_design(flat.data(), 3, 20000, 1, 3), 100).copies());
  const Mat tiny = check::random_matrix(20, 20, 1);
  CHECK_FALSE(RoundedProducts(*dense_design(tiny.data(), 20, 20, 1, 20), 100).copies());
}

TEST_CASE("rows of columns, floats and differences that overflow are copied too") {
  const Index n = 90, p = 1000;
  const Mat X = check::random_matrix(n, p, 4);
  const Eigen::Matrix<double, -1, -1, Eigen::RowMajor> by_rows = X;
  const Eigen::MatrixXf floats = X.cast<float>();
  const Vec mean = X.colwise().mean();
  const auto plain = dense_design(X.data(), n, p, 1, n), rows = dense_design(by_rows.data(), n, p, p, 1);
  const auto single = dense_design(floats.data(), n, p, 1, n);
  RoundedProducts a(*plain, 100), b(*rows, 100), c(*single, 100);
  for (RoundedProducts* r : {&a, &b, &c}) {
    REQUIRE(r->copies());
    r->encode(all_of(p), mean);
  }
  CHECK(decoded(a, n, p) == decoded(b, n, p));
  CHECK((decoded(c, n, p) - X).colwise().norm().maxCoeff() <= 5e-4 * X.colwise().norm().maxCoeff());
  Mat huge = X;
  huge(3, 2) = 1.7e308;
  const auto overflowing = dense_design(huge.data(), n, p, 1, n);
  RoundedProducts d(*overflowing, 100);
  Vec centre = mean;
  centre[2] = -1.7e308;
  d.encode(all_of(p), centre);
  CHECK(std::isinf(d.errors()[2]));
  CHECK(d.errors()[3] == a.errors()[3]);
}
