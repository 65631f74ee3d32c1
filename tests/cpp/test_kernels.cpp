#include <doctest/doctest.h>

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "kernel/kernels.hpp"
#include "riata/kernel/isa.hpp"

using riata::Index;
using riata::Kernels;
using Mat = Eigen::MatrixXd;
using Vec = Eigen::VectorXd;
using RowMat = Eigen::Matrix<double, -1, -1, Eigen::RowMajor>;

namespace {

/// Runs a test body under each instruction set this machine has.
template <class Fn>
void for_each_isa(const Fn& fn) {
  for (const char* name : {"baseline", "avx2", "avx512"}) {
    if (!riata::has_isa(name)) continue;
    CAPTURE(name);
    riata::set_isa(name);
    fn(riata::kernels());
  }
  riata::set_isa("auto");
}

static_assert(std::is_trivially_copyable_v<Kernels> && std::is_standard_layout_v<Kernels>);
static_assert(sizeof(Kernels) % sizeof(void*) == 0, "a name and functions, nothing between them");

template <class T>
using Block = Eigen::Matrix<T, -1, -1>;

template <class T>
Block<T> random_block(Index rows, Index cols) {
  return (Mat::Random(rows, cols) * 100).cast<T>();
}

template <class T>
std::vector<const T*> columns_of(const Block<T>& X) {
  std::vector<const T*> lines;
  for (Index j = 0; j < X.cols(); ++j) lines.push_back(X.data() + j * X.rows());
  return lines;
}

/// Sizes that leave every remainder of packs, tiles and row blocks.
const std::vector<Index> lengths{0,  1,  2,  3,  4,  5,  6,   7,   8,   9,    15,  16,
                                 17, 31, 33, 63, 64, 65, 511, 512, 513, 1031, 2053};

template <class T, class Correlate>
void check_correlate(Correlate correlate) {
  for (const Index n : lengths) {
    for (const Index p : {1, 2, 3, 4, 5, 7, 35}) {
      for (const Index m : {1, 2, 3, 4, 5, 6, 7, 8, 13, 25}) {
        if (n > 100 && p * m > 60) continue;
        const Block<T> X = random_block<T>(n, p);
        const Mat R = Mat::Random(n + 3, m);  // a leading dimension of its own
        Mat out = Mat::Constant(p + 1, m, 7.0);
        const auto lines = columns_of<T>(X);
        correlate(lines.data(), p, n, R.data(), n + 3, m, out.data(), p + 1);
        const Mat D = X.template cast<double>();
        const Mat expected = D.transpose() * R.topRows(n);
        const Mat bound = 1e-14 * D.colwise().norm().transpose() * R.topRows(n).colwise().norm();
        CHECK(((out.topRows(p) - expected).cwiseAbs().array() <= bound.array()).all());
        CHECK((out.row(p).array() == 7.0).all());

        // One column and one right-hand side at a time gives the same bits.
        Mat single(p, m);
        for (Index j = 0; j < p; ++j) {
          for (Index q = 0; q < m; ++q) {
            correlate(lines.data() + j, 1, n, R.data() + q * (n + 3), n + 3, 1, &single(j, q), 1);
          }
        }
        CHECK(single == out.topRows(p));
      }
    }
  }
}

template <class T, class Multiply>
void check_multiply(Multiply multiply) {
  for (const Index n : lengths) {
    for (const Index p : {0, 1, 2, 3, 4, 5, 7, 8, 9, 23}) {
      for (const Index m : {1, 2, 3, 4, 5, 9}) {
        if (n > 100 && p * m > 40) continue;
        const Block<T> X = random_block<T>(n, p);
        const Mat B = Mat::Random(p + 2, m);
        const Mat start = Mat::Random(n + 1, m);
        Mat out = start;
        const auto lines = columns_of<T>(X);
        multiply(lines.data(), p, n, B.data(), p + 2, m, out.data(), n + 1);
        const Mat expected = start.topRows(n) + X.template cast<double>() * B.topRows(p);
        CHECK(((out.topRows(n) - expected).cwiseAbs().array() <= 1e-12).all());
        CHECK(out.row(n) == start.row(n));

        // One line, one right-hand side, and an odd split of the rows at a time give the same bits.
        Mat single = start;
        const Index split = n / 3;
        for (Index q = 0; q < m; ++q) {
          for (Index k = 0; k < p; ++k) {
            const T* tail = lines[k] + split;
            multiply(lines.data() + k, 1, split, &B(k, q), p + 2, 1, &single(0, q), n + 1);
            multiply(&tail, 1, n - split, &B(k, q), p + 2, 1, &single(split, q), n + 1);
          }
        }
        CHECK(single == out);
      }
    }
  }
}

template <class T, class Along, class Across>
void check_moments(Along along, Across across) {
  for (const Index n : lengths) {
    for (const Index p : {0, 1, 3, 4, 9}) {
      CAPTURE(n);
      CAPTURE(p);
      const Block<T> X = random_block<T>(n, p);
      const Vec w = Vec::Random(n).cwiseAbs(), shift = Vec::Random(p), across_shift = Vec::Random(n);
      const Vec across_w = Vec::Random(p).cwiseAbs();
      const auto lines = columns_of<T>(X);
      const Mat D = X.template cast<double>();

      Mat sums = Mat::Constant(2, p + 1, 7.0);
      along(lines.data(), p, n, shift.data(), w.data(), sums.data());
      for (Index c = 0; c < p; ++c) {
        const Vec z = D.col(c).array() - shift[c];
        CHECK(std::abs(sums(0, c) - w.dot(z)) <= 1e-14 * w.norm() * z.norm());
        CHECK(std::abs(sums(1, c) - w.dot(z.cwiseAbs2())) <= 1e-14 * w.norm() * z.cwiseAbs2().norm());
        Vec single(2);
        along(lines.data() + c, 1, n, shift.data() + c, w.data(), single.data());
        CHECK(single == sums.col(c));
      }
      CHECK((sums.col(p).array() == 7.0).all());

      Mat rows = Mat::Constant(n + 1, 2, 7.0);
      across(lines.data(), p, n, across_shift.data(), across_w.data(), rows.col(0).data(), rows.col(1).data());
      const Mat Z = D.colwise() - across_shift;
      CHECK(((rows.col(0).head(n).array() - 7.0 - (Z * across_w).array()).abs() <= 1e-10).all());
      CHECK(((rows.col(1).head(n).array() - 7.0 - (Z.cwiseAbs2() * across_w).array()).abs() <= 1e-8).all());
      CHECK((rows.row(n).array() == 7.0).all());
      Mat one_by_one = Mat::Constant(n + 1, 2, 7.0);
      for (Index c = 0; c < p; ++c) {
        across(lines.data() + c, 1, n, across_shift.data(), across_w.data() + c, one_by_one.col(0).data(),
               one_by_one.col(1).data());
      }
      CHECK(one_by_one == rows);
    }
  }
}

}  // namespace

TEST_CASE("the table of an instruction set has every kernel") {
  for_each_isa([](const Kernels& kernels) {
    std::vector<const void*> entries(sizeof(Kernels) / sizeof(void*));
    std::memcpy(entries.data(), &kernels, sizeof(Kernels));
    for (std::size_t k = 0; k < entries.size(); ++k) {
      CAPTURE(k);
      CHECK(entries[k] != nullptr);
    }
  });
}

TEST_CASE("correlate sums columns against right-hand sides, whatever the grouping") {
  for_each_isa([](const Kernels& k) {
    check_correlate<double>(k.correlate_f64);
    check_correlate<float>(k.correlate_f32);
    check_correlate<std::int8_t>(k.correlate_i8);
  });
}

TEST_CASE("no right-hand sides, nothing written") {
  for_each_isa([](const Kernels& k) {
    const double x[3] = {1, 2, 3};
    const double* const line = x;
    double out = 7.0;
    k.correlate_f64(&line, 1, 3, x, 3, 0, &out, 1);
    k.multiply_f64(&line, 1, 1, x, 1, 0, &out, 1);
    CHECK(out == 7.0);
  });
}

TEST_CASE("multiply adds lines to outputs, whatever the grouping") {
  for_each_isa([](const Kernels& k) {
    check_multiply<double>(k.multiply_f64);
    check_multiply<float>(k.multiply_f32);
    check_multiply<std::int8_t>(k.multiply_i8);
  });
}

TEST_CASE("dot, axpy, axpy_weighted and center on every remainder") {
  for_each_isa([](const Kernels& k) {
    for (const Index n : lengths) {
      CAPTURE(n);
      const Vec x = Vec::Random(n), y = Vec::Random(n), w = Vec::Random(n);
      CHECK(std::abs(k.dot(x.data(), y.data(), n) - x.dot(y)) <= 1e-14 * x.norm() * y.norm());

      Vec v = Vec::Constant(n + 1, 3.0);
      k.axpy(0.5, x.data(), v.data(), n);
      CHECK((v.head(n) - (0.5 * x).array().operator+(3.0).matrix()).norm() <= 1e-14 * static_cast<double>(n + 1));
      CHECK(v(n) == 3.0);

      v = Vec::Constant(n + 1, 3.0);
      k.axpy_weighted(0.5, w.data(), x.data(), v.data(), n);
      CHECK((v.head(n).array() - 0.5 * w.array() * x.array() - 3.0).matrix().norm() <=
            1e-14 * static_cast<double>(n + 1));
      CHECK(v(n) == 3.0);

      Vec z = Vec::Constant(n + 1, 3.0), square = z;
      k.center_f64(x.data(), n, 0.25, z.data(), square.data());
      CHECK((z.head(n).array() == x.array() - 0.25).all());
      CHECK((square.head(n).array() == z.head(n).array().square()).all());
      CHECK(z(n) == 3.0);
      CHECK(square(n) == 3.0);
    }
    const std::vector<std::int8_t> bytes{-128, -1, 0, 1, 127};
    Vec z(5), square(5);
    k.center_i8(bytes.data(), 5, 0.0, z.data(), square.data());
    CHECK(z == (Vec(5) << -128, -1, 0, 1, 127).finished());
  });
}

TEST_CASE("moments along and across lines, whatever the grouping") {
  for_each_isa([](const Kernels& k) {
    check_moments<double>(k.moments_f64, k.moments_across_f64);
    check_moments<float>(k.moments_f32, k.moments_across_f32);
    check_moments<std::int8_t>(k.moments_i8, k.moments_across_i8);
  });
}

TEST_CASE("triangular solves") {
  for_each_isa([](const Kernels& k) {
    for (const Index n : {1, 2, 7, 8, 9, 16, 63, 64, 65, 71, 130, 203}) {
      CAPTURE(n);
      const Mat A = Mat::Random(n, n);
      const Mat S = A * A.transpose() + static_cast<double>(n) * Mat::Identity(n, n);
      const Mat L = S.llt().matrixL();
      RowMat packed = RowMat::Constant(n, n + 5, std::nan(""));  // above the diagonal nothing may be read
      std::vector<const double*> rows;
      for (Index i = 0; i < n; ++i) {
        packed.row(i).head(i + 1) = L.row(i).head(i + 1);
        rows.push_back(packed.row(i).data());
      }
      for (const Index m : {1, 2, 5, 16, 19}) {
        const Mat b = Mat::Random(n + 2, m);
        Mat y = b;
        k.forward_solve(rows.data(), n, y.data(), n + 2, m);
        CHECK((L * y.topRows(n) - b.topRows(n)).cwiseAbs().maxCoeff() <= 1e-13);
        CHECK(y.bottomRows(2) == b.bottomRows(2));
        Mat one = b.leftCols(1);
        k.forward_solve(rows.data(), n, one.data(), n + 2, 1);
        CHECK(one == y.leftCols(1));
      }
      const Vec b = Vec::Random(n);
      Vec x = b;
      k.backward_solve(rows.data(), n, x.data());
      CHECK((L.transpose() * x - b).cwiseAbs().maxCoeff() <= 1e-13);
    }
  });
}

TEST_CASE("rotations of rows, whatever the grouping") {
  for_each_isa([](const Kernels& k) {
    for (const Index n : {0, 1, 2, 3, 7, 8, 9, 31, 40}) {
      for (const Index count : {1, 2, 3, 7, 8, 9, 17}) {
        CAPTURE(n);
        CAPTURE(count);
        const Mat start = Mat::Random(n + 2, count);  // a row of the kernel is a column here
        const Vec angle = Vec::Random(n);
        Mat turns(2, n), expected = start;
        turns.row(0) = angle.array().cos();
        turns.row(1) = angle.array().sin();
        for (Index j = 0; j < n; ++j) {
          const double c = turns(0, j), s = turns(1, j);
          expected.middleRows(j, 2) = (Eigen::Matrix2d() << c, s, -s, c).finished() * expected.middleRows(j, 2).eval();
        }
        Mat got = start, single = start;
        std::vector<double*> rows;
        for (Index r = 0; r < count; ++r) rows.push_back(got.col(r).data());
        k.rotate(rows.data(), count, n, turns.data());
        CHECK((got - expected).cwiseAbs().maxCoeff() <= 1e-14);
        CHECK(got.row(n + 1) == start.row(n + 1));
        for (Index r = 0; r < count; ++r) {
          double* const row = single.col(r).data();
          k.rotate(&row, 1, n, turns.data());
        }
        CHECK(single == got);
      }
    }
  });
}

TEST_CASE("set_isa names what is allowed") {
  CHECK_THROWS_AS(riata::set_isa("sse9"), std::invalid_argument);
  try {
    riata::set_isa("sse9");
  } catch (const std::invalid_argument& e) {
    CHECK(std::string(e.what()).find("auto, baseline") != std::string::npos);
    CHECK(std::string(e.what()).find("'sse9'") != std::string::npos);
  }
  riata::set_isa("baseline");
  CHECK(riata::kernels().name == "baseline");
  riata::set_isa("auto");
}

TEST_CASE("elementary functions are those of the standard library, to a few units in the last place") {
  std::vector<double> x{0.0, -0.0, 1.0, -1.0, 709.7, -708.0, -720.0, -744.0, -746.0, -1e9, -INFINITY, 711.0, 1e-300};
  for (int k = -4000; k <= 4000; ++k) x.push_back(0.1771 * static_cast<double>(k));
  for_each_isa([](const Kernels& kernel) {
    double y[3] = {1.0, std::nan(""), 2.0};
    kernel.exponentials(y, 3, y);
    CHECK(std::isnan(y[1]));
    CHECK(y[0] == doctest::Approx(std::exp(1.0)));
  });
  std::vector<double> z{0.0, 1.0, 1e-300, 5e-324, 1e-17};
  for (int k = 0; k <= 5000; ++k) z.push_back(static_cast<double>(k) / 5000.0);
  for (int k = 1; k <= 300; ++k) z.push_back(std::pow(0.9, k));
  for_each_isa([&](const Kernels& kernel) {
    for (const std::size_t skip : {0u, 1u, 3u}) {
      const Index n = static_cast<Index>(x.size() - skip), m = static_cast<Index>(z.size() - skip);
      std::vector<double> e(x.size()), l(z.size());
      kernel.exponentials(x.data() + skip, n, e.data());
      for (Index i = 0; i < n; ++i) {
        const double at = x[static_cast<std::size_t>(i) + skip], expected = std::exp(at);
        CAPTURE(at);
        const double got = e[static_cast<std::size_t>(i)];
        if (std::isinf(expected)) {
          CHECK(got == expected);
        } else {
          CHECK(std::abs(got - expected) <= 5e-16 * expected + 5e-324);
        }
      }
      kernel.logs_one_plus(z.data() + skip, m, l.data());
      for (Index i = 0; i < m; ++i) {
        const double at = z[static_cast<std::size_t>(i) + skip], expected = std::log1p(at);
        CAPTURE(at);
        CHECK(std::abs(l[static_cast<std::size_t>(i)] - expected) <= 7e-16 * expected + 5e-324);
      }
    }
  });
}
