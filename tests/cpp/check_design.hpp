#pragma once

#include <doctest/doctest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "design/pool.hpp"
#include "kernel/kernels.hpp"
#include "riata/design/design.hpp"
#include "riata/kernel/isa.hpp"

/// Every operation of a design against a dense copy of it.
namespace riata::check {

inline Mat random_matrix(Index rows, Index cols, unsigned seed) {
  std::mt19937_64 rng(seed);
  std::normal_distribution<double> normal;
  return Mat::NullaryExpr(rows, cols, [&] { return normal(rng); });
}

/// Columns that sum to 1: equal weights, a fold (some rows out), then random ones with zeros.
inline Mat random_weights(Index rows, Index cols, unsigned seed) {
  Mat w = random_matrix(rows, cols, seed).cwiseAbs();
  for (Index f = 0; f < cols; ++f) {
    if (f < 2) w.col(f).setOnes();
    if (f > 0)
      for (Index i = f % 3; i < rows; i += 3) w(i, f) = rows > 3 ? 0.0 : w(i, f);
    w.col(f) /= w.col(f).sum();
  }
  return w;
}

inline bool same_bits(const Mat& a, const Mat& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() &&
         (a.size() == 0 || std::memcmp(a.data(), b.data(), sizeof(double) * static_cast<std::size_t>(a.size())) == 0);
}

inline void close(const Mat& got, const Mat& want, double tolerance) {
  REQUIRE(got.rows() == want.rows());
  REQUIRE(got.cols() == want.cols());
  if (want.size() > 0) CHECK((got - want).cwiseAbs().maxCoeff() <= tolerance);
}

inline Mat correlate(const Design& X, Columns columns, const Mat& R, int threads = 1) {
  Mat out = Mat::Constant(static_cast<Index>(columns.size()), R.cols(), 99.0);
  X.correlate(columns, R, out, threads);
  return out;
}

inline Mat correlate_rounded(const Design& X, Columns columns, Mat R, int threads = 1) {
  X.round_sides(R);
  Mat out = Mat::Constant(static_cast<Index>(columns.size()), R.cols(), 99.0);
  X.correlate_rounded(columns, R, out, threads);
  return out;
}

inline Mat multiply(const Design& X, Columns columns, const Mat& B, int threads = 1) {
  Mat out = Mat::Constant(X.rows(), B.cols(), 99.0);
  X.multiply(columns, B, out, threads);
  return out;
}

inline Mat gather(const Design& X, Columns columns, int threads = 1) {
  Mat out = Mat::Constant(X.rows(), static_cast<Index>(columns.size()), 99.0);
  X.gather(columns, out, threads);
  return out;
}

/// Means beside variances, |columns| x 2F.
inline Mat moments(const Design& X, Columns columns, const Mat& weights, int threads = 1) {
  const Index count = static_cast<Index>(columns.size());
  Mat mean(count, weights.cols()), variance(count, weights.cols());
  X.moments(columns, weights, mean, variance, threads);
  Mat both(count, 2 * weights.cols());
  both << mean, variance;
  return both;
}

inline std::vector<Index> all_columns(const Design& X) {
  std::vector<Index> all(static_cast<std::size_t>(X.cols()));
  for (std::size_t j = 0; j < all.size(); ++j) all[j] = static_cast<Index>(j);
  return all;
}

inline std::vector<Index> every_third_backwards(const Design& X) {
  std::vector<Index> some;
  for (Index j = X.cols() - 1; j >= 0; j -= 3) some.push_back(j);
  return some;
}

/// What a storage says of itself, as far as it can be seen from outside.
inline void traits(const Design& X) {
  bool in_place = true;
  for (Index j = 0; j < X.cols(); ++j) in_place = in_place && X.contiguous(j) != nullptr;
  CHECK((X.traits().in_place == in_place || X.cols() == 0));
  CHECK(X.traits().concurrent);
}

inline void operations(const Design& X, const Mat& dense) {
  REQUIRE(X.rows() == dense.rows());
  REQUIRE(X.cols() == dense.cols());
  const double size = 1e-13 * static_cast<double>(dense.rows() + dense.cols()) * (1.0 + dense.cwiseAbs().maxCoeff());
  for (const auto& columns : {all_columns(X), every_third_backwards(X), std::vector<Index>{}}) {
    const auto picked = static_cast<Index>(columns.size());
    Mat part(dense.rows(), picked);
    for (Index k = 0; k < picked; ++k) part.col(k) = dense.col(columns[static_cast<std::size_t>(k)]);
    close(gather(X, columns), part, 0.0);
    // A residual that is exactly zero leaves nothing to multiply with.
    CHECK(correlate(X, columns, Mat(dense.rows(), 0)).size() == 0);
    CHECK(multiply(X, columns, Mat(picked, 0)).size() == 0);
    CHECK(correlate_rounded(X, columns, Mat(dense.rows(), 0)).size() == 0);
    for (const Index m : {1, 3}) {
      const Mat zero = Mat::Zero(dense.rows(), m);
      CHECK(same_bits(correlate(X, columns, zero).cwiseAbs(), Mat::Zero(picked, m)));
      CHECK(same_bits(correlate_rounded(X, columns, zero).cwiseAbs(), Mat::Zero(picked, m)));
    }
    for (const Index m : {1, 2, 3, 4, 5, 8, 9, 11}) {
      CAPTURE(m);
      const Mat R = random_matrix(dense.rows(), m, 7), B = random_matrix(picked, m, 8);
      const Mat c = correlate(X, columns, R), v = multiply(X, columns, B);
      close(c, part.transpose() * R, size);
      close(v, part * B, size);
      for (const int threads : {2, 3}) {
        CHECK(same_bits(c, correlate(X, columns, R, threads)));
        CHECK(same_bits(v, multiply(X, columns, B, threads)));
      }
      CHECK(same_bits(c.col(0), correlate(X, columns, R.col(0))));
      CHECK(same_bits(c.rightCols(1), correlate(X, columns, R.rightCols(1))));
      for (Index k = 0; k < picked; ++k) {
        const auto one = Columns(columns).subspan(static_cast<std::size_t>(k), 1);
        CHECK(same_bits(c.row(k), correlate(X, one, R)));
      }
    }
    for (const int threads : {2, 3}) CHECK(same_bits(part, gather(X, columns, threads)));
  }
  for (const Index F : {1, 2, 3, 9}) {
    CAPTURE(F);
    const Mat w = random_weights(dense.rows(), F, 9);
    Mat want(dense.cols(), 2 * F);
    for (Index j = 0; j < dense.cols(); ++j)
      for (Index f = 0; f < F; ++f) {
        want(j, f) = w.col(f).dot(dense.col(j));
        want(j, F + f) = w.col(f).dot((dense.col(j).array() - want(j, f)).square().matrix());
      }
    const auto all = all_columns(X), some = every_third_backwards(X);
    const Mat got = moments(X, all, w);
    close(got, want, size);
    for (const int threads : {2, 3}) CHECK(same_bits(got, moments(X, all, w, threads)));
    const Mat part = moments(X, some, w);
    for (std::size_t k = 0; k < some.size(); ++k) CHECK(same_bits(part.row(static_cast<Index>(k)), got.row(some[k])));
  }
}

/// The working set of X, filled in two goes, against the dense copy.
inline void pool(const Design& X, const Mat& dense) {
  const auto pool = X.make_pool();
  CHECK(pool->cols() == 0);
  const auto columns = every_third_backwards(X);
  const std::vector<double> no_shift(columns.size(), 0.0);
  const std::size_t half = columns.size() / 2;
  pool->append(Columns(columns).first(half), std::span(no_shift).first(half), 1);
  pool->append(Columns(columns).subspan(half), std::span(no_shift).subspan(half), 2);
  Mat part(dense.rows(), static_cast<Index>(columns.size()));
  for (std::size_t k = 0; k < columns.size(); ++k) part.col(static_cast<Index>(k)) = dense.col(columns[k]);
  operations(*pool, part);
  const Mat u = random_matrix(dense.rows(), 1, 3);
  for (Index k = 0; k < pool->cols(); ++k) {
    CHECK(pool->shift_of(k) == 0.0);
    CHECK(pool->dot(k, u.data()) == doctest::Approx(part.col(k).dot(u.col(0))));
    Vec v = u.col(0);
    pool->axpy(k, 0.5, v.data());
    close(v, u.col(0) + 0.5 * part.col(k), 1e-13);
  }
  CHECK(pool->memory() > 0);
}

/// fn() under each instruction set of this machine.
template <class F>
void each_isa(F&& fn) {
  for (const std::string isa : {"baseline", "avx2", "avx512", "avx512vnni"}) {
    if (!has_isa(isa)) continue;
    CAPTURE(isa);
    set_isa(isa);
    fn();
  }
  set_isa("auto");
}

}  // namespace riata::check
