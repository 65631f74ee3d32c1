#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "check_design.hpp"
#include "plink_files.hpp"
#include "riata/design/plink.hpp"
#include "riata/error.hpp"

using riata::CountedAllele;
using riata::Index;
using riata::Mat;
using riata::PlinkDesign;
using riata::check::BedFile;
using riata::check::encode;
using riata::check::example;
using riata::check::impute;

TEST_CASE("plink agrees with its decoded copy for every n % 4, allele and instruction set") {
  for (const Index n : {1, 2, 3, 4, 31, 32, 33, 70, 131})
    for (const auto counted : {CountedAllele::A1, CountedAllele::A2}) {
      CAPTURE(n);
      const Mat x = example(n, 13);
      const BedFile file(encode(x));
      const Mat dense = impute(x, counted, {});
      riata::check::each_isa([&] {
        const PlinkDesign design(file.path, n, 13, counted, {}, 2);
        riata::check::operations(design, dense);
        CHECK(riata::check::same_bits(riata::check::gather(design, riata::check::all_columns(design)), dense));
      });
    }
}

TEST_CASE("plink works across blocks of rows and chunks of columns") {
  const Index n = 9003;
  const Mat x = example(n, 40);
  const BedFile file(encode(x));
  riata::check::each_isa([&] {
    const PlinkDesign design(file.path, n, 40, CountedAllele::A1, {}, 1);
    riata::check::operations(design, impute(x, CountedAllele::A1, {}));
  });
  const Mat wide = example(5, 3000);
  const BedFile flat(encode(wide));
  const PlinkDesign design(flat.path, 5, 3000, CountedAllele::A1, {}, 3);
  const Mat dense = impute(wide, CountedAllele::A1, {}), R = riata::check::random_matrix(5, 3, 1);
  const auto all = riata::check::all_columns(design);
  const Mat c = riata::check::correlate(design, all, R);
  riata::check::close(c, dense.transpose() * R, 1e-13);
  CHECK(riata::check::same_bits(c, riata::check::correlate(design, all, R, 3)));
}

TEST_CASE("plink columns make a working set") {
  const Mat x = example(37, 13);
  const BedFile file(encode(x));
  const PlinkDesign design(file.path, 37, 13, CountedAllele::A1, {}, 1);
  riata::check::pool(design, impute(x, CountedAllele::A1, {}));
}

TEST_CASE("plink counts and imputes over the included samples") {
  for (const Index n : {3, 32, 45, 70}) {
    const Mat x = example(n, 12);
    const BedFile file(encode(x));
    std::vector<std::uint8_t> include(static_cast<std::size_t>(n));
    for (std::size_t i = 0; i < include.size(); ++i) include[i] = i % 3 != 1 ? 7 : 0;
    for (const auto counted : {CountedAllele::A1, CountedAllele::A2})
      riata::check::each_isa([&] {
        const PlinkDesign design(file.path, n, 12, counted, include, 2);
        const Mat dense = impute(x, counted, include);
        riata::check::operations(design, dense);
        for (Index j = 0; j < 12; ++j) {
          CAPTURE(j);
          riata::GenotypeCounts want;
          double missing_at = 0;
          for (Index i = 0; i < n; ++i) {
            if (std::isnan(x(i, j))) missing_at = dense(i, j);
            if (include[static_cast<std::size_t>(i)] == 0) continue;
            const double v = counted == CountedAllele::A1 ? x(i, j) : 2.0 - x(i, j);
            (std::isnan(v) ? want.missing : v == 0 ? want.zero : v == 1 ? want.one : want.two) += 1;
          }
          const auto got = design.counts(2)[static_cast<std::size_t>(j)];
          CHECK(got.zero == want.zero);
          CHECK(got.one == want.one);
          CHECK(got.two == want.two);
          CHECK(got.missing == want.missing);
          if (x.col(j).array().isNaN().any()) CHECK(design.imputed()[j] == missing_at);
        }
      });
  }
}

TEST_CASE("plink agrees with its decoded copy on some columns of several sources") {
  for (const Index n : {1, 2, 3, 4, 33, 70}) {
    CAPTURE(n);
    const Mat x = example(n, 31);
    const BedFile first(encode(x.leftCols(12))), last(encode(x.rightCols(9)));
    const auto middle = encode(x.middleCols(12, 10));
    const std::vector<riata::PlinkSource> sources = {{12, first.path}, {10, "", middle.data() + 3}, {9, last.path}};
    std::vector<std::uint8_t> include(static_cast<std::size_t>(n), 1);
    include.back() = 0;
    const std::vector<Index> picked = {30, 3, 12, 21, 22, 11, 0, 19, 4, 13};
    riata::check::each_isa([&] {
      for (const auto counted : {CountedAllele::A1, CountedAllele::A2}) {
        const Mat dense = impute(x, counted, include);
        const PlinkDesign whole(sources, n, counted, include, std::nullopt, 2);
        riata::check::operations(whole, dense);
        riata::check::pool(whole, dense);
        const PlinkDesign some(sources, n, counted, include, picked, 2);
        riata::check::operations(some, dense(Eigen::all, picked));
        riata::check::pool(some, dense(Eigen::all, picked));
        const auto of_all = whole.counts(1), of_some = some.counts(2);
        for (std::size_t k = 0; k < picked.size(); ++k) {
          const auto& want = of_all[static_cast<std::size_t>(picked[k])];
          CHECK(of_some[k].zero == want.zero);
          CHECK(of_some[k].one == want.one);
          CHECK(of_some[k].two == want.two);
          CHECK(of_some[k].missing == want.missing);
        }
      }
    });
  }
}

TEST_CASE("plink multiplies what any table says its codes stand for") {
  for (const Index n : {1, 3, 33, 9003}) {
    CAPTURE(n);
    const Index p = 14;
    const Mat x = example(n, p), B = riata::check::random_matrix(p, 3, 2);
    const Mat tables = riata::check::random_matrix(4, p, 1);
    Mat expected = Mat::Zero(n, 3);
    for (Index j = 0; j < p; ++j)
      for (Index i = 0; i < n; ++i) {
        const double copies = x(i, j);
        const Index row = std::isnan(copies) ? 1 : copies == 2.0 ? 0 : copies == 1.0 ? 2 : 3;
        expected.row(i) += tables(row, j) * B.row(j);
      }
    const BedFile file(encode(x));
    riata::check::each_isa([&] {
      for (const auto counted : {CountedAllele::A1, CountedAllele::A2}) {  // the tables are by code
        const PlinkDesign design(file.path, n, p, counted, {}, 1);
        Mat out(n, 3), again(n, 3);
        design.multiply_tables(tables, B, out, 1);
        design.multiply_tables(tables, B, again, 3);
        riata::check::close(out, expected, 1e-13);
        CHECK(riata::check::same_bits(out, again));
      }
    });
  }
}

TEST_CASE("plink finds identical columns over the included samples") {
  for (const Index n : {4, 31, 33, 70, 131}) {
    CAPTURE(n);
    Mat x = example(n, 12);
    x(0, 1) = 1.0 - x(0, 0);  // columns 0 and 1 differ where sample 0 counts, if only there
    x.col(1).tail(n - 1) = x.col(0).tail(n - 1);
    x.col(8) = x.col(2);
    x(n - 1, 11) = 1.0;
    const BedFile file(encode(x));
    std::vector<std::uint8_t> include(static_cast<std::size_t>(n), 1);
    const auto same = [&](Index a, Index b) {
      for (Index i = 0; i < n; ++i)
        if (include[static_cast<std::size_t>(i)] != 0 && x(i, a) != x(i, b) &&
            !(std::isnan(x(i, a)) && std::isnan(x(i, b))))
          return false;
      return true;
    };
    for (const bool all : {true, false}) {
      include.front() = all ? 1 : 0;
      const PlinkDesign design(file.path, n, 12, CountedAllele::A1, include, 1);
      const auto got = design.identical(2);
      for (Index j = 0; j < 12; ++j) {
        Index first = 0;
        while (!same(j, first)) ++first;
        CHECK(got[static_cast<std::size_t>(j)] == (first == j ? -1 : first));
      }
      CHECK((got[1] == 0) == !all);
    }
  }
}

TEST_CASE("plink reads ahead within its sources") {
  const Index n = 2100, p = 1300;
  const Mat x = example(n, p);
  const BedFile left(encode(x.leftCols(700))), right(encode(x.rightCols(600)));
  std::vector<Index> gaps;
  for (Index j = 0; j < p; ++j)
    if (j % 7 != 3) gaps.push_back(j);
  const PlinkDesign whole({{700, left.path}, {600, right.path}}, n, CountedAllele::A1, {}, std::nullopt, 2);
  const PlinkDesign some({{700, left.path}, {600, right.path}}, n, CountedAllele::A1, {}, gaps, 2);
  const Mat R = riata::check::random_matrix(n, 2, 5);
  const auto all = riata::check::all_columns(whole);
  const Mat want = riata::check::correlate(whole, all, R, 2);
  riata::check::close(want, impute(x, CountedAllele::A1, {}).transpose() * R, 1e-9);
  CHECK(riata::check::same_bits(want(gaps, Eigen::all),
                                riata::check::correlate(some, riata::check::all_columns(some), R, 2)));
  const std::vector<Index> backwards(all.rbegin(), all.rend());
  CHECK(riata::check::same_bits(want.colwise().reverse(), riata::check::correlate(whole, backwards, R, 2)));
}

TEST_CASE("plink sources that do not fit are refused") {
  const Mat x = example(9, 4);
  const BedFile file(encode(x));
  const auto open = [&](const std::vector<riata::PlinkSource>& sources, const std::vector<Index>& columns) {
    return PlinkDesign(sources, 9, CountedAllele::A1, {}, columns, 1).cols();
  };
  CHECK(open({{4, file.path}, {4, file.path}}, {7, 0}) == 2);
  CHECK(open({{4, file.path}}, {}) == 0);
  CHECK_THROWS_WITH_AS(open({}, {}), doctest::Contains("at least one source"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(open({{0, file.path}}, {}), "variants must be >= 1, got 0", std::invalid_argument);
  CHECK_THROWS_WITH_AS(open({{4, file.path}}, {1, 4}), "columns must lie in [0, 4), got 4", std::invalid_argument);
  CHECK_THROWS_WITH_AS(open({{4, file.path}}, {-1}), "columns must lie in [0, 4), got -1", std::invalid_argument);
}

TEST_CASE("plink variances of constant columns are zero under any weights") {
  const Mat x = example(45, 12);
  const BedFile file(encode(x));
  const PlinkDesign design(file.path, 45, 12, CountedAllele::A1, {}, 1);
  const Mat m =
      riata::check::moments(design, riata::check::all_columns(design), riata::check::random_weights(45, 6, 2));
  for (const Index j : {3, 4, 5, 9, 10, 11})
    for (Index f = 6; f < 12; ++f) CHECK(m(j, f) <= 1e-30);
}

TEST_CASE("plink correlations are exact to rounding on long columns") {
  const Index n = 200000;
  const Mat x = example(n, 3);
  const BedFile file(encode(x));
  const Mat dense = impute(x, CountedAllele::A1, {}), r = riata::check::random_matrix(n, 1, 4);
  riata::check::each_isa([&] {
    const PlinkDesign design(file.path, n, 3, CountedAllele::A1, {}, 1);
    const Mat c = riata::check::correlate(design, riata::check::all_columns(design), r);
    for (Index j = 0; j < 3; ++j) {
      long double exact = 0;
      for (Index i = 0; i < n; ++i) exact += static_cast<long double>(dense(i, j)) * static_cast<long double>(r(i, 0));
      CHECK(std::abs(c(j, 0) - static_cast<double>(exact)) <= 1e-14 * dense.col(j).norm() * r.norm());
    }
  });
}

TEST_CASE("files that are not what they should be are refused with the reason") {
  const Mat x = example(9, 4);  // 3 + 4 * 3 bytes
  const auto good = encode(x);
  const auto open = [](const std::vector<std::uint8_t>& bytes, Index n, Index p) {
    const BedFile file(bytes);
    return PlinkDesign(file.path, n, p, CountedAllele::A1, {}, 1).cols();
  };
  const auto refused = [&](std::vector<std::uint8_t> bytes, Index n, Index p, const char* reason) {
    CHECK_THROWS_WITH_AS(open(bytes, n, p), doctest::Contains(reason), riata::FileError);
  };
  CHECK(open(good, 9, 4) == 4);
  auto bytes = good;
  bytes.pop_back();
  refused(bytes, 9, 4,
          "truncated: 9 samples (lines of the .fam) and 4 variants (lines of the .bim) need exactly 15 "
          "bytes, got 14");
  bytes = good;
  bytes.push_back(0);
  refused(bytes, 9, 4, "too long");
  refused(good, 13, 4, "truncated");
  refused(good, 9, 3, "too long");
  bytes = good;
  bytes[2] = 0;
  refused(bytes, 9, 4, "sample-major");
  for (const std::size_t k : {0, 1, 2}) {
    bytes = good;
    bytes[k] = 0x42;
    refused(bytes, 9, 4, "6c 1b 01");
  }
  refused({}, 9, 4, "6c 1b 01");
  refused({0x6c, 0x1b}, 9, 4, "6c 1b 01");
  refused({0x6c, 0x1b, 0x01}, 9, 4, "truncated");

  CHECK_THROWS_WITH_AS(PlinkDesign("no such file.bed", 9, 4, CountedAllele::A1, {}, 1),
                       doctest::Contains("no such file.bed"), riata::FileError);
  CHECK_THROWS_WITH_AS(PlinkDesign("no such file.bed", 0, 4, CountedAllele::A1, {}, 1), "samples must be >= 1, got 0",
                       std::invalid_argument);
  const BedFile file(good);
  CHECK_THROWS_WITH_AS(PlinkDesign(file.path, 9, 4, CountedAllele::A1, {1, 0, 1}, 1),
                       "include must have one entry a sample (9), got 3", std::invalid_argument);
}

#ifndef _WIN32
TEST_CASE("products with a file that has been cut short are refused") {
  const BedFile file(encode(example(9, 4)));
  const PlinkDesign design(file.path, 9, 4, CountedAllele::A1, {}, 1);
  const auto pool = design.make_pool();
  std::filesystem::resize_file(file.path, 5);
  Mat out(9, 1);
  CHECK_THROWS_AS(design.multiply_tables(Mat::Ones(4, 4), Mat::Ones(4, 1), out, 1), riata::FileError);
  const std::vector<Index> columns{0, 1};
  const std::vector<double> shift{0.0, 0.0};
  CHECK_THROWS_AS(pool->append(columns, shift, 1), riata::FileError);
}
#endif
