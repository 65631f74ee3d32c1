#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "check_design.hpp"
#include "riata/design/csc.hpp"

namespace {

using riata::Index;
using riata::Mat;

template <class I, class T>
struct Csc {
  std::vector<I> indptr = {0};
  std::vector<I> indices;
  std::vector<T> values;
  Mat dense;

  std::unique_ptr<riata::Design> design() const {
    return riata::csc_design(dense.rows(), dense.cols(), static_cast<Index>(indices.size()), indptr.data(),
                             indices.data(), values.data());
  }
  void add(Index i, double value) {
    indices.push_back(static_cast<I>(i));
    values.push_back(static_cast<T>(value));
    dense(i, static_cast<Index>(indptr.size()) - 1) += static_cast<double>(static_cast<T>(value));
  }
  void end_column() { indptr.push_back(static_cast<I>(indices.size())); }
};

/// Columns in turn: sparse, empty, full, constant; entries shuffled or duplicated on request.
template <class I, class T>
Csc<I, T> example(Index rows, Index cols, bool shuffled, bool duplicated) {
  std::mt19937_64 rng(5);
  std::normal_distribution<double> normal;
  std::bernoulli_distribution kept(0.2);
  Csc<I, T> x;
  x.dense = Mat::Zero(rows, cols);
  for (Index j = 0; j < cols; ++j) {
    for (Index k = 0; k < rows; ++k) {
      const Index i = shuffled ? rows - 1 - k : k;
      if (j % 4 == 0 && kept(rng)) x.add(i, normal(rng));
      if (j % 4 == 2) x.add(i, 3.0 + normal(rng));
      if (j % 4 == 3) x.add(i, 2.5);
    }
    if (duplicated && j % 3 == 0) {
      x.add(0, 1.25);
      x.add(rows / 2, -0.75);
      x.add(0, 0.5);
    }
    x.end_column();
  }
  return x;
}

template <class I, class T>
std::unique_ptr<riata::Design> tiny(const std::vector<I>& indptr, const std::vector<I>& indices,
                                    const std::vector<T>& values) {
  return riata::csc_design(3, static_cast<Index>(indptr.size()) - 1, static_cast<Index>(indices.size()), indptr.data(),
                           indices.data(), values.data());
}

}  // namespace

TEST_CASE_TEMPLATE("csc agrees with its dense copy", I, std::int32_t, std::int64_t) {
  for (const Index rows : {1, 6, 37})
    for (const bool shuffled : {false, true})
      for (const bool duplicated : {false, true}) {
        CAPTURE(rows);
        CAPTURE(shuffled);
        CAPTURE(duplicated);
        const auto x = example<I, double>(rows, 14, shuffled, duplicated);
        riata::check::operations(*x.design(), x.dense);
        riata::check::pool(*x.design(), x.dense);
        const auto narrow = example<I, float>(rows, 14, shuffled, duplicated);
        riata::check::operations(*narrow.design(), narrow.dense);
        riata::check::pool(*narrow.design(), narrow.dense);
      }
}

TEST_CASE("csc describes itself") {
  const auto x = example<std::int32_t, float>(10, 4, false, false);
  const auto design = x.design();
  CHECK(design->kind() == "csc");
  CHECK(design->bytes() == static_cast<double>(8 * x.indices.size() + 4 * 5));
  CHECK(design->contiguous(0) == nullptr);
}

TEST_CASE("csc variances survive a large offset, also where a fold leaves the zeros out") {
  const Index n = 50;
  Csc<std::int32_t, double> x;
  x.dense = Mat::Zero(n, 3);
  for (Index i = 0; i < n; ++i) x.add(i, 1e8 + (i % 2 == 0 ? 1.0 : -1.0));
  x.end_column();
  for (Index i = 0; i < n - 10; ++i) x.add(i, 1e8 + (i % 2 == 0 ? 1.0 : -1.0));
  x.end_column();
  for (Index i = 0; i < n; ++i) x.add(i, 1e8);
  x.end_column();
  Mat w = Mat::Constant(n, 2, 1.0 / static_cast<double>(n));
  w.col(1).setConstant(1.0 / 40).tail(10).setZero();
  const Mat m = riata::check::moments(*x.design(), riata::check::all_columns(*x.design()), w);
  CHECK(m(0, 2) == doctest::Approx(1.0).epsilon(1e-9));
  CHECK(m(0, 3) == doctest::Approx(1.0).epsilon(1e-9));
  CHECK(m(1, 3) == doctest::Approx(1.0).epsilon(1e-9));
  CHECK(m(1, 2) == doctest::Approx(0.8 * 0.2 * 1e16).epsilon(1e-9));
  CHECK(m(2, 2) <= 1e-14);
}

TEST_CASE("csc flags columns that are not finite, whatever their weight") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  const std::vector<std::int32_t> indptr = {0, 1, 2, 3}, indices = {0, 1, 2};
  const std::vector<double> values = {nan, inf, 1.0};
  const auto x = tiny(indptr, indices, values);
  Mat w = Mat::Zero(3, 1);
  w(2, 0) = 1.0;
  const Mat m = riata::check::moments(*x, riata::check::all_columns(*x), w);
  CHECK(std::isnan(m(0, 1)));
  CHECK(std::isnan(m(1, 1)));
  CHECK(m(2, 1) == 0.0);
}

TEST_CASE("malformed csc arrays are refused by name, value and column") {
  using V = std::vector<double>;
  using P = std::vector<std::int32_t>;
  const auto make = [](const P& indptr, const P& indices) {
    return tiny<std::int32_t, double>(indptr, indices, V(indices.size(), 1.0));
  };
  CHECK_NOTHROW(make({0, 2, 2}, {0, 2}));
  CHECK_THROWS_WITH_AS(make({1, 2, 2}, {0, 2}), "indptr must start at 0, got 1", std::invalid_argument);
  CHECK_THROWS_WITH_AS(make({0, 2, 1}, {0, 2}), "indptr must not decrease, got 2 then 1 for column 1",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(make({0, 1, 3}, {0, 2}), "indptr must end at the number of stored entries, 2, got 3",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(make({0, 9, 2}, {0, 2}), "indptr must not decrease, got 9 then 2 for column 1",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(make({0, 1, 2}, {0, 3}), "indices must lie in [0, 3), got 3 in column 1", std::invalid_argument);
  CHECK_THROWS_WITH_AS(make({0, 1, 2}, {-1, 2}), "indices must lie in [0, 3), got -1 in column 0",
                       std::invalid_argument);
}
