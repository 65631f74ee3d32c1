#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "check_design.hpp"
#include "kernel/plink.hpp"
#include "plink_files.hpp"
#include "riata/design/dense.hpp"
#include "riata/design/hstack.hpp"
#include "riata/design/plink.hpp"
#include "riata/kernel/isa.hpp"

using riata::CountedAllele;
using riata::Index;
using riata::Mat;
using riata::PlinkDesign;
using riata::check::BedFile;
using riata::check::same_bits;

namespace {

Mat rounded(const riata::Design& X, const Mat& R) {
  Mat out = R;
  X.round_sides(out);
  return out;
}

Mat correlate_rounded(const riata::Design& X, riata::Columns columns, const Mat& R, int threads = 1) {
  Mat out = Mat::Constant(static_cast<Index>(columns.size()), R.cols(), 99.0);
  X.correlate_rounded(columns, R, out, threads);
  return out;
}

/// Sides of very different sizes, with zeros; the last one is all zero.
Mat sides(Index n, Index m, unsigned seed) {
  Mat R = riata::check::random_matrix(n, m, seed);
  for (Index q = 0; q < m; ++q)
    R.col(q) *= std::ldexp(1.0 + 0.1 * static_cast<double>(q), static_cast<int>(40 * q - 80));
  for (Index i = 0; i < n; i += 5) R.row(i).setZero();
  R.col(m - 1).setZero();
  return R;
}

/// X' R to the last bit or two.
Mat exact(const Mat& x, const Mat& R) {
  Mat out(x.cols(), R.cols());
  for (Index j = 0; j < x.cols(); ++j)
    for (Index q = 0; q < R.cols(); ++q) {
      long double sum = 0;
      for (Index i = 0; i < x.rows(); ++i) sum += static_cast<long double>(x(i, j)) * static_cast<long double>(R(i, q));
      out(j, q) = static_cast<double>(sum);
    }
  return out;
}

}  // namespace

TEST_CASE("rounding moves right-hand sides little, leaves zeros and is done once") {
  const Mat x = riata::check::example(101, 3);
  const BedFile file(riata::check::encode(x));
  const PlinkDesign design(file.path, 101, 3, CountedAllele::A1, {}, 1);
  Mat R = sides(101, 7, 3);
  R.col(1) *= 1.0 / R.col(1).cwiseAbs().maxCoeff();  // a power of two as the largest entry
  R.col(2) *= 32639.0 / R.col(2).cwiseAbs().maxCoeff();
  R.col(3) *= 32639.6 / R.col(3).cwiseAbs().maxCoeff();
  R.col(4) *= 1e-310;
  R(5, 0) = -1e-7 * R.col(0).cwiseAbs().maxCoeff();  // becomes a zero, which has no sign
  const Mat once = rounded(design, R);
  for (Index q = 0; q < R.cols(); ++q) {
    CAPTURE(q);
    const double allowed = std::max(R.col(q).cwiseAbs().maxCoeff() / 32639.0, std::ldexp(1.0, -1022));
    CHECK((once.col(q) - R.col(q)).cwiseAbs().maxCoeff() <= allowed);
    for (Index i = 0; i < R.rows(); ++i)
      if (R(i, q) == 0.0) CHECK(once(i, q) == 0.0);
  }
  CHECK(same_bits(once, rounded(design, once)));
  CHECK(once(5, 0) == 0.0);
  CHECK_FALSE(std::signbit(once(5, 0)));
}

TEST_CASE("products with rounded right-hand sides are exact, the same bits everywhere") {
  for (const Index n : {1, 3, 4, 63, 64, 65, 127, 129, 255, 256, 257, 700, 16384, 20003}) {
    CAPTURE(n);
    const Mat x = riata::check::example(n, 15);
    const BedFile file(riata::check::encode(x));
    for (const auto counted : {CountedAllele::A1, CountedAllele::A2}) {
      const Mat dense = riata::check::impute(x, counted, {});
      Mat first;
      riata::check::each_isa([&] {
        const PlinkDesign design(file.path, n, 15, counted, {}, 1);
        CHECK(design.traits().rounds == (riata::kernels().name != "baseline"));
        const auto all = riata::check::all_columns(design), some = riata::check::every_third_backwards(design);
        const Mat R = rounded(design, sides(n, 8, 5));
        const Mat got = correlate_rounded(design, all, R);
        const Mat want = exact(dense, R);
        for (Index j = 0; j < 15; ++j)
          for (Index q = 0; q < 8; ++q) {
            const double size = dense.col(j).norm() * R.col(q).norm();
            CHECK(std::abs(got(j, q) - want(j, q)) <= 1e-15 * size);
            if (j % 6 == 0) CHECK(got(j, q) == want(j, q));  // whole dosages
          }
        if (first.size() == 0) first = got;
        CHECK(same_bits(got, first));
        CHECK(same_bits(got, correlate_rounded(design, all, R, 3)));
        for (const Index m : {1, 2, 3, 5, 7}) {
          CHECK(same_bits(got.leftCols(m), correlate_rounded(design, all, R.leftCols(m))));
          const Mat picked = correlate_rounded(design, some, R.rightCols(m), 2);
          for (std::size_t k = 0; k < some.size(); ++k)
            CHECK(same_bits(picked.row(static_cast<Index>(k)), got.row(some[k]).rightCols(m)));
        }
      });
    }
  }
}

TEST_CASE("rounded products do not overflow") {
  const Index n = 70001;
  Mat x = Mat::Constant(n, 3, 2.0);
  x.col(1).setZero();
  x.col(2).setConstant(riata::check::kMissing);
  const BedFile file(riata::check::encode(x));
  riata::check::each_isa([&] {
    for (const auto counted : {CountedAllele::A1, CountedAllele::A2})
      for (const double largest : {32639.0, -32639.0, 32512.0, -32512.0, -32384.0}) {
        const PlinkDesign design(file.path, n, 3, counted, {}, 1);
        Mat R = Mat::Constant(n, 4, largest);
        R(0, 0) = 32639.0;
        R = rounded(design, R);
        const Mat got = correlate_rounded(design, riata::check::all_columns(design), R);
        const Mat want = exact(riata::check::impute(x, counted, {}), R);
        CHECK(same_bits(got, want));
      }
  });
}

TEST_CASE("rounded products see missing genotypes of samples that are left out") {
  Mat x = Mat::Constant(300, 2, 1.0);
  x(7, 0) = x(299, 1) = riata::check::kMissing;
  x(20, 0) = x(30, 1) = 2.0;
  std::vector<std::uint8_t> include(300, 1);
  include[7] = include[299] = 0;
  const BedFile file(riata::check::encode(x));
  riata::check::each_isa([&] {
    const PlinkDesign design(file.path, 300, 2, CountedAllele::A1, include, 1);
    const Mat R = rounded(design, sides(300, 3, 6));
    const Mat got = correlate_rounded(design, riata::check::all_columns(design), R);
    const Mat want = exact(riata::check::impute(x, CountedAllele::A1, include), R);
    for (Index q = 0; q < 3; ++q) riata::check::close(got.col(q), want.col(q), 1e-14 * R.col(q).norm());
  });
}

TEST_CASE("every table of this machine sums the same integers") {
  const Index n = 1000, bytes = 250, m = 7, blocks = 4;
  std::mt19937_64 rng(1);
  std::vector<std::uint8_t> data(3 * bytes), missing = {1, 0, 1};
  for (auto& byte : data) byte = static_cast<std::uint8_t>(rng());
  std::vector<std::int8_t> planes(blocks * m * riata::kRoundedBlockBytes);
  for (Index i = 0; i < n; ++i)
    for (Index q = 0; q < m; ++q) {
      std::int8_t* block = planes.data() + (i / 256 * m + q) * riata::kRoundedBlockBytes + i % 4 * 64 + i % 256 / 4;
      block[0] = static_cast<std::int8_t>(static_cast<int>(rng() % 255) - 127);
      block[256] = static_cast<std::int8_t>(rng());
    }
  const std::uint8_t* columns[] = {data.data(), data.data() + bytes, data.data() + 2 * bytes};
  std::vector<std::int64_t> want(2 * 3 * m, 0);
  riata::plink_baseline_table->sum_rounded(columns, missing.data(), 3, bytes, planes.data(), m, want.data());
  const auto same = [&](const riata::PlinkKernels* table) {
    std::vector<std::int64_t> got(want.size(), 0);
    table->sum_rounded(columns, missing.data(), 3, bytes, planes.data(), m, got.data());
    for (Index c = 0; c < 3; ++c)
      for (Index q = 0; q < m; ++q) {
        const auto at = static_cast<std::size_t>(2 * (c * m + q));
        CHECK(got[at] == want[at]);
        if (missing[static_cast<std::size_t>(c)] != 0) CHECK(got[at + 1] == want[at + 1]);
      }
  };
  if (riata::has_isa("avx2")) same(riata::plink_avx2_table);
  if (riata::has_isa("avx512")) same(riata::plink_avx512_table);
  if (riata::has_isa("avx512vnni")) same(riata::plink_vnni_table);
}

TEST_CASE("columns beside genotypes multiply rounded right-hand sides as they are") {
  const Index n = 90;
  const Mat x = riata::check::example(n, 5), covariates = riata::check::random_matrix(n, 2, 8);
  const BedFile file(riata::check::encode(x));
  const auto genotypes =
      std::make_shared<PlinkDesign>(file.path, n, 5, CountedAllele::A1, std::vector<std::uint8_t>{}, 1);
  const std::shared_ptr<const riata::Design> left = riata::dense_design(covariates.data(), n, 2, 1, n);
  const auto design = riata::hstack_design({left, genotypes});
  CHECK(design->traits().rounds == genotypes->traits().rounds);
  CHECK(!left->traits().rounds);
  const Mat R = rounded(*design, sides(n, 2, 4));
  CHECK(same_bits(R, rounded(*genotypes, R)));
  const auto all = riata::check::all_columns(*design);
  const Mat got = correlate_rounded(*design, all, R);
  CHECK(same_bits(got.topRows(2), riata::check::correlate(*left, riata::check::all_columns(*left), R)));
  CHECK(same_bits(got.bottomRows(5), correlate_rounded(*genotypes, riata::check::all_columns(*genotypes), R)));
}
