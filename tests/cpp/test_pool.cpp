#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "check_design.hpp"
#include "design/pool.hpp"
#include "design/view_pool.hpp"
#include "riata/design/dense.hpp"

using namespace riata;

namespace {

constexpr double in_place = std::numeric_limits<double>::quiet_NaN();

Mat random_matrix(Index n, Index p) {
  return Mat::Random(n, p).array() + 3.0;
}

}  // namespace

TEST_CASE("a dense pool holds shifted columns in the order they came") {
  const Index n = 203, p = 60;
  const Mat X = random_matrix(n, p);
  const Eigen::Matrix<float, -1, -1, Eigen::RowMajor> F = X.cast<float>();
  for (const bool row_major : {false, true}) {
    const auto design = row_major ? dense_design(F.data(), n, p, p, 1) : dense_design(X.data(), n, p, 1, n);
    const Mat D = row_major ? Mat(F.cast<double>()) : X;
    const auto pool = design->make_pool();
    CHECK(pool->rows() == n);
    CHECK(pool->cols() == 0);

    std::vector<Index> held;
    std::vector<double> shifts;
    const std::vector<std::vector<Index>> batches{{7}, {3, 2, 59}, {}, {0, 1, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49}};
    for (const auto& batch : batches) {
      std::vector<double> shift;
      for (const Index j : batch) shift.push_back(j % 4 == 0 ? 0.0 : 3.0 + 0.01 * static_cast<double>(j));
      pool->append(batch, shift, 2);
      held.insert(held.end(), batch.begin(), batch.end());
      shifts.insert(shifts.end(), shift.begin(), shift.end());
    }
    const Index k = static_cast<Index>(held.size());
    REQUIRE(pool->cols() == k);
    CHECK(pool->memory() >= static_cast<std::size_t>(n * k) * sizeof(double));

    Mat W(n, k);
    for (Index c = 0; c < k; ++c) {
      W.col(c) = D.col(held[c]).array() - shifts[c];
      CHECK(pool->shift_of(c) == shifts[c]);
      REQUIRE(pool->contiguous(c) != nullptr);
      CHECK(reinterpret_cast<std::uintptr_t>(pool->contiguous(c)) % 64 == 0);
      CHECK(Eigen::Map<const Vec>(pool->contiguous(c), n) == W.col(c));
    }

    std::vector<Index> some;
    for (Index c = k; c-- > 0;) {
      if (c % 3 != 0) some.push_back(c);
    }
    const Index m = 5, s = static_cast<Index>(some.size());
    const Mat R = Mat::Random(n, m), B = Mat::Random(s, m), Ws = W(Eigen::all, some);
    Mat c(s, m), y(n, m), g(n, s);
    pool->correlate(some, R, c, 1);
    pool->multiply(some, B, y, 1);
    pool->gather(some, g, 1);
    CHECK((c - Ws.transpose() * R).cwiseAbs().maxCoeff() <= 1e-12);
    CHECK((y - Ws * B).cwiseAbs().maxCoeff() <= 1e-12);
    CHECK(g == Ws);
    for (const int threads : {2, 3}) {
      Mat c2(s, m), y2(n, m);
      pool->correlate(some, R, c2, threads);
      pool->multiply(some, B, y2, threads);
      CHECK(c2 == c);
      CHECK(y2 == y);
    }

    const Vec u = Vec::Random(n), weight = Vec::Random(n).cwiseAbs();
    Vec v = u;
    CHECK(pool->dot(4, u.data()) == doctest::Approx(W.col(4).dot(u)).epsilon(1e-12));
    pool->axpy(4, -0.5, v.data());
    CHECK((v - (u - 0.5 * W.col(4))).norm() <= 1e-13);
    v = u;
    pool->axpy_weighted(4, -0.5, weight.data(), v.data());
    CHECK((v - (u - 0.5 * weight.cwiseProduct(W.col(4)))).norm() <= 1e-13);
    v = u;
    pool->Pool::axpy_weighted(4, -0.5, weight.data(), v.data());  // what other pools inherit
    CHECK((v - (u - 0.5 * weight.cwiseProduct(W.col(4)))).norm() <= 1e-13);

    Mat weights = Mat::Constant(n, 1, 1.0 / static_cast<double>(n)), mean(k, 1), variance(k, 1);
    pool->moments(check::all_columns(*pool), weights, mean, variance, 2);
    CHECK((mean - W.transpose() * weights).cwiseAbs().maxCoeff() <= 1e-12);
  }
}

TEST_CASE("a NaN shift refers to the source's column where it lies") {
  const Index n = 50, p = 8;
  const Mat X = random_matrix(n, p);
  const auto design = dense_design(X.data(), n, p, 1, n);
  const auto pool = design->make_pool();
  pool->append(std::vector<Index>{5, 1, 2, 6}, std::vector<double>{in_place, 1.5, 0.0, in_place}, 1);
  REQUIRE(pool->cols() == 4);
  CHECK(pool->contiguous(0) == X.data() + 5 * n);
  CHECK(pool->contiguous(3) == X.data() + 6 * n);
  CHECK(pool->contiguous(2) != X.data() + 2 * n);
  CHECK(pool->shift_of(0) == 0.0);
  CHECK(pool->shift_of(1) == 1.5);
  const Vec u = Vec::Random(n);
  CHECK(pool->dot(0, u.data()) == doctest::Approx(X.col(5).dot(u)));
  CHECK(pool->dot(1, u.data()) == doctest::Approx((X.col(1).array() - 1.5).matrix().dot(u)));

  // Where the source has no such column, it is copied as it is.
  const Eigen::MatrixXf F = X.cast<float>();
  const auto single = dense_design(F.data(), n, p, 1, n);
  const auto copied = single->make_pool();
  copied->append(std::vector<Index>{5}, std::vector<double>{in_place}, 1);
  CHECK(copied->shift_of(0) == 0.0);
  CHECK(Eigen::Map<const Vec>(copied->contiguous(0), n) == F.col(5).cast<double>());
}

TEST_CASE("columns stay where they are while a pool grows, and a pool can feed a pool") {
  const Index n = 4096, p = 300;  // a power of two, and several blocks
  const Mat X = random_matrix(n, p);
  const auto design = dense_design(X.data(), n, p, 1, n);
  const auto pool = design->make_pool();
  std::vector<const double*> seen;
  for (Index j = 0; j < p; j += 10) {
    std::vector<Index> batch;
    for (Index k = j; k < j + 10; ++k) batch.push_back(k);
    pool->append(batch, std::vector<double>(10, 3.0), 1);
    seen.push_back(pool->contiguous(j));
  }
  for (Index j = 0; j < p; j += 10) CHECK(pool->contiguous(j) == seen[static_cast<std::size_t>(j / 10)]);
  for (Index j = 0; j < p; ++j) CHECK(pool->contiguous(j)[j] == X(j, j) - 3.0);

  const auto inner = pool->make_pool();
  inner->append(std::vector<Index>{299, 4}, std::vector<double>{1.0, in_place}, 1);
  CHECK(inner->contiguous(0)[7] == X(7, 299) - 3.0 - 1.0);
  CHECK(inner->contiguous(1) == pool->contiguous(4));
}

TEST_CASE("a view pool does on the source's columns what a dense copy does") {
  const Index n = 21, p = 9;
  const Eigen::Matrix<float, -1, -1, Eigen::RowMajor> X = check::random_matrix(n, p, 70).cast<float>();
  const auto source = dense_design(X.data(), n, p, p, 1);
  const auto pool = view_pool(*source);
  const std::vector<Index> columns{7, 0, 3};
  pool->append(columns, std::vector<double>(3, 1.0), 1);
  REQUIRE(pool->cols() == 3);
  CHECK(pool->shift_of(1) == 0.0);
  Mat copy(n, 3);
  for (Index k = 0; k < 3; ++k) copy.col(k) = X.col(columns[static_cast<std::size_t>(k)]).cast<double>();
  const std::vector<Index> some{2, 0};
  const Mat R = check::random_matrix(n, 2, 71), B = check::random_matrix(2, 2, 72);
  Mat out(2, 2), product(n, 2), gathered(n, 2), mean(3, 1), variance(3, 1);
  pool->correlate(some, R, out, 1);
  check::close(Mat(out.row(0)), Mat(copy.col(2).transpose() * R), 1e-12);
  check::close(Mat(out.row(1)), Mat(copy.col(0).transpose() * R), 1e-12);
  pool->multiply(some, B, product, 1);
  check::close(product, Mat(copy.col(2) * B.row(0) + copy.col(0) * B.row(1)), 1e-12);
  pool->gather(some, gathered, 1);
  CHECK(gathered.col(0) == copy.col(2));
  pool->moments(check::all_columns(*pool), Vec::Constant(n, 1.0 / static_cast<double>(n)), mean, variance, 1);
  check::close(Vec(mean.col(0)), Vec(copy.colwise().mean().transpose()), 1e-12);
  const Vec u = R.col(0);
  CHECK(pool->dot(1, u.data()) == doctest::Approx(copy.col(1).dot(u)));
  Vec v = u;
  pool->axpy(1, 0.5, v.data());
  check::close(v, Vec(u + 0.5 * copy.col(1)), 1e-14);
}
