#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "check_design.hpp"
#include "kernel/kernels.hpp"
#include "riata/design/dense.hpp"
#include "riata/kernel/isa.hpp"

using namespace riata;

namespace {

/// A matrix in memory with the given layout, and the same as doubles.
template <class T>
struct Stored {
  std::vector<T> memory;
  Mat dense;
  std::unique_ptr<Design> design;
};

enum class Layout { f, f_padded, c, c_padded, f_every_second_row, c_every_second_column, f_reversed, c_reversed };
const std::vector<Layout> layouts{Layout::f,          Layout::f_padded,           Layout::c,
                                  Layout::c_padded,   Layout::f_every_second_row, Layout::c_every_second_column,
                                  Layout::f_reversed, Layout::c_reversed};

template <class T>
Stored<T> stored(const Mat& values, Layout layout) {
  const Index n = values.rows(), p = values.cols();
  Index rs = 1, cs = n, first = 0;
  switch (layout) {
    case Layout::f:
      break;
    case Layout::f_padded:
      cs = n + 3;
      break;
    case Layout::c:
      rs = p, cs = 1;
      break;
    case Layout::c_padded:
      rs = p + 5, cs = 1;
      break;
    case Layout::f_every_second_row:
      rs = 2, cs = 2 * n;
      break;
    case Layout::c_every_second_column:
      rs = 2 * p, cs = 2;
      break;
    case Layout::f_reversed:
      rs = -1, cs = -n, first = n * p - 1;
      break;
    case Layout::c_reversed:
      rs = -p, cs = -1, first = n * p - 1;
      break;
  }
  Stored<T> s;
  s.memory.assign(static_cast<std::size_t>(2 * (n + 3) * (p + 5)), T{99});
  s.dense.resize(n, p);
  for (Index j = 0; j < p; ++j) {
    for (Index i = 0; i < n; ++i) {
      T& to = s.memory[static_cast<std::size_t>(first + i * rs + j * cs)];
      to = static_cast<T>(values(i, j));
      s.dense(i, j) = static_cast<double>(to);
    }
  }
  s.design = dense_design(s.memory.data() + first, n, p, rs, cs);
  return s;
}

Mat random_weights(Index n, Index folds) {
  Mat w = Mat::Random(n, folds).cwiseAbs();
  for (Index f = 0; f < folds; ++f) {
    if (f > 0) {
      for (Index i = f; i < n; i += 4) w(i, f) = 0.0;  // rows left out
    }
    w.col(f) /= w.col(f).sum();
  }
  return w;
}

struct Outputs {
  Mat correlate, multiply, gather, mean, variance;
  bool operator==(const Outputs&) const = default;
};

Outputs run(const Design& X, Columns columns, const Mat& R, const Mat& B, const Mat& weights, int threads) {
  const Index count = static_cast<Index>(columns.size());
  Outputs o{Mat::Constant(count, R.cols(), 7), Mat::Constant(X.rows(), B.cols(), 7), Mat::Constant(X.rows(), count, 7),
            Mat::Constant(count, weights.cols(), 7), Mat::Constant(count, weights.cols(), 7)};
  X.correlate(columns, R, o.correlate, threads);
  X.multiply(columns, B, o.multiply, threads);
  X.gather(columns, o.gather, threads);
  X.moments(columns, weights, o.mean, o.variance, threads);
  return o;
}

template <class T>
void check_storage(Index n, Index p, Index m, Layout layout) {
  CAPTURE(n);
  CAPTURE(p);
  CAPTURE(m);
  CAPTURE(static_cast<int>(layout));
  const Stored<T> s = stored<T>(Mat::Random(n, p) * 100, layout);
  REQUIRE(s.design->rows() == n);
  REQUIRE(s.design->cols() == p);
  CHECK(s.design->bytes() == static_cast<double>(n * p) * sizeof(T));
  const Mat R = Mat::Random(n, m), weights = random_weights(n, 3);

  std::vector<Index> all(static_cast<std::size_t>(p)), some;
  std::iota(all.begin(), all.end(), Index{0});
  for (Index j = p; j-- > 0;) {
    if (j % 3 != 1) some.push_back(j);  // out of order, with gaps
  }
  for (const std::vector<Index>& columns : {all, some, std::vector<Index>{}}) {
    const Index count = static_cast<Index>(columns.size());
    const Mat B = Mat::Random(count, m);
    const Mat Xs = s.dense(Eigen::all, columns);
    const Outputs o = run(*s.design, columns, R, B, weights, 1);
    const Mat bound = 1e-14 * Xs.colwise().norm().transpose() * R.colwise().norm();
    CHECK(((o.correlate - Xs.transpose() * R).cwiseAbs().array() <= bound.array()).all());
    CHECK((o.multiply - Xs * B).cwiseAbs().maxCoeff() <= 1e-14 * (1.0 + Xs.norm() * B.norm()));
    CHECK(o.gather == Xs);
    for (Index f = 0; f < weights.cols(); ++f) {
      const Vec mean = Xs.transpose() * weights.col(f);
      const Vec variance =
          ((Xs.rowwise() - mean.transpose()).array().square().colwise() * weights.col(f).array()).colwise().sum();
      if (count == 0) continue;
      CHECK((o.mean.col(f) - mean).cwiseAbs().maxCoeff() <= 1e-11);
      CHECK((o.variance.col(f) - variance).cwiseAbs().maxCoeff() <= 1e-11 * (1.0 + variance.maxCoeff()));
    }
    for (int threads = 2; threads <= 3 && n * p > 70000; ++threads)
      CHECK(run(*s.design, columns, R, B, weights, threads) == o);

    // A column alone gives the bits it has among others.
    for (std::size_t k = 0; k < columns.size(); k += 41) {
      Mat one(1, m);
      s.design->correlate(Columns(&columns[k], 1), R, one, 1);
      CHECK(one == o.correlate.row(static_cast<Index>(k)));
    }
  }
}

template <class Fn>
void for_each_isa(const Fn& fn) {
  for (const char* name : {"baseline", "avx2", "avx512"}) {
    if (!has_isa(name)) continue;
    CAPTURE(name);
    set_isa(name);
    fn();
  }
  set_isa("auto");
}

}  // namespace

TEST_CASE_TEMPLATE("dense storage agrees with a dense copy", T, double, float, std::int8_t) {
  const std::vector<Layout> main_layouts{Layout::f, Layout::c};
  for_each_isa([&] {
    for (const Layout layout : kernels().name == "baseline" ? layouts : main_layouts) {
      for (const Index n : {1, 2, 5, 17, 66}) {
        check_storage<T>(n, 1, 2, layout);
        check_storage<T>(n, 11, 3, layout);
      }
      check_storage<T>(519, 150, 9, layout);
      check_storage<T>(1100, 37, 1, layout);
      check_storage<T>(30, 700, 4, layout);
    }
  });
}

TEST_CASE("contiguous columns are offered where they exist") {
  const Mat X = Mat::Random(6, 4);
  CHECK(dense_design(X.data(), 6, 4, 1, 6)->contiguous(2) == X.data() + 12);
  CHECK(dense_design(X.data(), 4, 6, 6, 1)->contiguous(2) == nullptr);
  const Eigen::MatrixXf F = X.cast<float>();
  CHECK(dense_design(F.data(), 6, 4, 1, 6)->contiguous(2) == nullptr);
}

TEST_CASE("a large common offset does not cancel the variance") {
  const Index n = 1000;
  for (const Layout layout : layouts) {
    CAPTURE(static_cast<int>(layout));
    Mat X = Mat::Random(n, 5);
    X.array().rowwise() -= X.colwise().mean().array();
    for (Index j = 0; j < 5; ++j) X.col(j) *= std::sqrt(static_cast<double>(n)) / X.col(j).norm();
    X.array() += 1e8;
    const Stored<double> s = stored<double>(X, layout);
    const Mat weights = Mat::Constant(n, 1, 1.0 / static_cast<double>(n));
    Mat mean(5, 1), variance(5, 1);
    s.design->moments(check::all_columns(*s.design), weights, mean, variance, 1);
    CHECK((mean.array() / 1e8 - 1.0).abs().maxCoeff() <= 1e-15);
    CHECK((variance.array() - 1.0).abs().maxCoeff() <= 1e-6);  // the rounding of the data themselves
  }
}

TEST_CASE("moments of rows far from the rest of their column are as exact") {
  const Index n = 400;
  for (const Layout layout : {Layout::f, Layout::c}) {
    Mat X = Mat::Random(n, 3);
    X.bottomRows(n / 2).array() += 1e9;
    X.col(2).bottomRows(n / 2).setConstant(0.1);
    const Stored<double> s = stored<double>(X, layout);
    Mat weights = Mat::Zero(n, 2);
    weights.col(0).setConstant(1.0 / static_cast<double>(n));
    weights.col(1).tail(n / 2).setConstant(2.0 / static_cast<double>(n));
    Mat mean(3, 2), variance(3, 2);
    s.design->moments(check::all_columns(*s.design), weights, mean, variance, 1);
    for (Index j = 0; j < 2; ++j) {
      const Eigen::ArrayXd z = X.col(j).tail(n / 2).array() - 1e9;
      CHECK(variance(j, 1) == doctest::Approx((z - z.mean()).square().mean()).epsilon(1e-12));
    }
    CHECK(variance(2, 1) == 0.0);
    CHECK(mean(2, 1) == 0.1);
  }
}

TEST_CASE("constant columns have variance exactly zero") {
  const Index n = 137;
  for (const Layout layout : layouts) {
    const Stored<double> s = stored<double>(Mat::Constant(n, 3, 0.1), layout);
    const Mat weights = random_weights(n, 4);
    Mat mean(3, 4), variance(3, 4);
    s.design->moments(check::all_columns(*s.design), weights, mean, variance, 2);
    CHECK((variance.array() == 0.0).all());
    CHECK((mean.array() == 0.1).all());
  }
}

TEST_CASE("moments flag columns that hold NaN or infinity, even on rows of weight zero") {
  const Index n = 700;
  const double inf = std::numeric_limits<double>::infinity();
  for (const Layout layout : {Layout::f, Layout::c, Layout::f_every_second_row}) {
    Mat X = Mat::Random(n, 7);
    X(5, 1) = std::nan("");
    X(699, 2) = inf;
    X(0, 3) = -inf;
    X(0, 4) = std::nan("");
    X(3, 5) = 1e200;  // finite: its square is not, and that is no NaN
    const Stored<double> s = stored<double>(X, layout);
    Mat weights = Mat::Zero(n, 2);
    weights.col(0).segment(100, 100).setConstant(0.01);
    weights.col(1).setConstant(1.0 / static_cast<double>(n));
    Mat mean(7, 2), variance(7, 2);
    s.design->moments(check::all_columns(*s.design), weights, mean, variance, 1);
    for (Index j = 0; j < 7; ++j) CHECK(std::isnan(variance(j, 0)) == (j >= 1 && j <= 4));
    CHECK(std::isinf(variance(5, 1)));
    CHECK(variance(5, 0) ==
          doctest::Approx((X.col(5).segment(100, 100).array() - X.col(5).segment(100, 100).mean()).square().mean()));
    X(3, 5) = 0.0;
    const Stored<float> single = stored<float>(X, layout);
    single.design->moments(check::all_columns(*single.design), weights, mean, variance, 1);
    for (Index j = 0; j < 7; ++j) CHECK(std::isnan(variance(j, 0)) == (j >= 1 && j <= 4));
  }
}

TEST_CASE("empty matrices") {
  const double none = 0.0;
  for (const auto& [n, p] : {std::pair<Index, Index>{0, 3}, {3, 0}, {0, 0}}) {
    for (const bool row_major : {false, true}) {
      const auto X = dense_design(&none, n, p, row_major ? p : 1, row_major ? 1 : n);
      std::vector<Index> all(static_cast<std::size_t>(p));
      std::iota(all.begin(), all.end(), Index{0});
      Mat out = Mat::Constant(p, 2, 7.0), y = Mat::Constant(n, 2, 7.0);
      X->correlate(all, Mat(n, 2), out, 2);
      X->multiply(all, Mat(p, 2), y, 2);
      CHECK((out.array() == 0.0).all());
      CHECK((y.array() == 0.0).all());
    }
  }
}
