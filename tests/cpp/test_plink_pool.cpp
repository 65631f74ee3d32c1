#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <vector>

#include "check_design.hpp"
#include "kernel/plink.hpp"
#include "plink_files.hpp"
#include "riata/design/csc.hpp"
#include "riata/design/dense.hpp"
#include "riata/design/hstack.hpp"
#include "riata/design/plink.hpp"
#include "riata/kernel/isa.hpp"

using riata::Columns;
using riata::CountedAllele;
using riata::Index;
using riata::Mat;
using riata::PlinkDesign;
using riata::Vec;
using riata::check::BedFile;

TEST_CASE("packed columns make a working set") {
  for (const Index n : {1, 37, 64, 131, 700}) {
    CAPTURE(n);
    const Mat x = riata::check::example(n, 13);
    const BedFile file(riata::check::encode(x));
    riata::check::each_isa([&] {
      for (const auto counted : {CountedAllele::A1, CountedAllele::A2}) {
        const PlinkDesign design(file.path, n, 13, counted, {}, 1);
        riata::check::pool(design, riata::check::impute(x, counted, {}));
      }
    });
  }
}

TEST_CASE("packed columns are less their shift, exactly") {
  const Index n = 9003, p = 14;
  const Mat x = riata::check::example(n, p);
  const BedFile file(riata::check::encode(x));
  std::vector<double> shift(p);
  for (std::size_t k = 0; k < p; ++k) shift[k] = 0.1 * static_cast<double>(k) - 0.3;
  shift[7] = std::numeric_limits<double>::quiet_NaN();
  riata::check::each_isa([&] {
    const PlinkDesign design(file.path, n, p, CountedAllele::A1, {}, 1);
    Mat dense = riata::check::impute(x, CountedAllele::A1, {});
    const auto pool = design.make_pool();
    const auto all = riata::check::all_columns(design);
    pool->append(Columns(all).first(5), std::span(shift).first(5), 1);
    pool->append(Columns(all).subspan(5), std::span(shift).subspan(5), 2);
    for (Index k = 0; k < p; ++k) {
      const double by = k == 7 ? 0.0 : shift[static_cast<std::size_t>(k)];
      CHECK(pool->shift_of(k) == by);
      dense.col(k).array() -= by;
    }
    riata::check::operations(*pool, dense);
    const Mat u = riata::check::random_matrix(n, 2, 3);
    for (Index k = 0; k < p; ++k) {
      Vec v = u.col(0);
      pool->axpy_weighted(k, 0.5, u.col(1).data(), v.data());
      riata::check::close(v, u.col(0) + 0.5 * u.col(1).cwiseProduct(dense.col(k)), 1e-13);
      const Mat c = riata::check::correlate(*pool, std::vector<Index>{k}, u.col(0));
      CHECK(pool->dot(k, u.col(0).data()) == c(0, 0));
    }
  });
}

TEST_CASE("packed columns take a thirtieth of the memory of doubles") {
  const Index n = 4000, p = 30;
  const BedFile file(riata::check::encode(riata::check::example(n, p)));
  const PlinkDesign design(file.path, n, p, CountedAllele::A1, {}, 1);
  const auto pool = design.make_pool();
  pool->append(riata::check::all_columns(design), std::vector<double>(p, 0.5), 1);
  CHECK(pool->memory() * 30 < static_cast<std::size_t>(n * p) * sizeof(double));
}

TEST_CASE("products of packed columns are counted") {
  for (const Index n : {1, 63, 64, 65, 511, 512, 513, 9003, 70001}) {
    CAPTURE(n);
    const Index p = 13;
    const Mat x = riata::check::example(n, p);
    const BedFile file(riata::check::encode(x));
    for (const auto counted : {CountedAllele::A1, CountedAllele::A2}) {
      const Mat dense = riata::check::impute(x, counted, {});
      riata::check::each_isa([&] {
        const PlinkDesign design(file.path, n, p, counted, {}, 1);
        const auto pool = design.make_pool();
        const auto all = riata::check::all_columns(design), some = riata::check::every_third_backwards(design);
        std::vector<double> shift(p);
        for (std::size_t k = 0; k < p; ++k)
          shift[k] = dense.col(static_cast<Index>(k)).mean() + (k % 4 == 1 ? 0.5 : 0.0);
        pool->append(all, shift, 1);
        const Mat held = riata::check::gather(*pool, all);
        Vec h = Vec::Constant(n, 0.3);
        for (const bool fold : {false, true}) {
          if (fold)
            for (Index i = n > 3 ? 0 : 1; i < n; i += 3) h[i] = 0.0;
          Mat out = Mat::Constant(p, static_cast<Index>(some.size()), 99.0);
          const Mat before = out;
          if (!pool->cross_products(all, some, h, out, 1)) {
            CHECK(riata::check::same_bits(out, before));
            continue;
          }
          for (Index i = 0; i < p; ++i)
            for (std::size_t r = 0; r < some.size(); ++r) {
              const auto a = held.col(i), b = held.col(some[r]);
              const double size = (h.array() * a.array().square()).sum() + (h.array() * b.array().square()).sum();
              long double want = 0;
              for (Index k = 0; k < n; ++k) want += static_cast<long double>(h[k]) * a[k] * b[k];
              CHECK(std::abs(out(i, static_cast<Index>(r)) - static_cast<double>(want)) <= 1e-14 * size);
            }
          Mat again = before;
          CHECK(pool->cross_products(all, some, h, again, 3));
          CHECK(riata::check::same_bits(out, again));
        }
        Vec uneven = h;
        uneven[0] = 0.7;
        Mat out = Mat::Zero(p, p);
        if (n > 1) CHECK(!pool->cross_products(all, all, uneven, out, 1));
        CHECK(!pool->cross_products(all, all, Vec::Zero(n), out, 1));
      });
    }
  }
}

TEST_CASE("every table of this machine counts the same pairs") {
  const Index n = 1000, bytes = 250, words = riata::plane_words(n);
  std::mt19937_64 rng(2);
  std::vector<std::uint8_t> data(5 * bytes);
  for (auto& byte : data) byte = static_cast<std::uint8_t>(rng());
  std::vector<std::uint64_t> mask(static_cast<std::size_t>(words));
  for (auto& word : mask) word = rng();
  const auto count = [&](const riata::PlinkKernels* table) {
    std::vector<std::uint64_t> bits(static_cast<std::size_t>(5 * 2 * words), ~std::uint64_t{0});
    std::vector<const std::uint64_t*> planes;
    for (Index c = 0; c < 5; ++c) {
      planes.push_back(bits.data() + c * 2 * words);
      table->split_planes(data.data() + c * bytes, mask.data(), n, bits.data() + c * 2 * words);
    }
    std::vector<riata::PairCounts> out(15);
    table->count_pairs(planes.data(), 5, planes.data() + 2, 3, words, out.data());
    std::vector<std::uint32_t> numbers;
    for (const auto& pair : out) numbers.insert(numbers.end(), {pair.tt, pair.tm, pair.mt, pair.mm});
    return numbers;
  };
  const auto want = count(riata::plink_baseline_table);
  if (riata::has_isa("avx2")) CHECK(count(riata::plink_avx2_table) == want);
  if (riata::has_isa("avx512")) CHECK(count(riata::plink_avx512_table) == want);
  if (riata::has_isa("avx512vnni")) CHECK(count(riata::plink_vnni_table) == want);
}

TEST_CASE("every table of this machine counts pairs by definition, with missing codes and without") {
  std::mt19937_64 rng(5);
  for (const Index n : {1, 63, 64, 500, 513, 1500}) {
    const Index bytes = (n + 3) / 4, words = riata::plane_words(n), nrows = 7, ncols = 7, total = nrows + ncols;
    std::vector<std::uint64_t> mask(static_cast<std::size_t>(words), 0);
    for (Index i = 0; i < n; ++i) mask[static_cast<std::size_t>(i / 64)] |= std::uint64_t{rng() % 8 > 0} << (i % 64);
    for (const Index missing_in : {Index{-1}, Index{0}, nrows + 2}) {  // a column
      std::vector<std::uint8_t> data(static_cast<std::size_t>(total * (bytes + 16)), 0), code;
      for (Index c = 0; c < total; ++c) {
        for (Index i = 0; i < n; ++i) {
          constexpr std::uint8_t whole[] = {0, 2, 3};
          const auto one = c == missing_in ? static_cast<std::uint8_t>(rng() % 4) : whole[rng() % 3];
          code.push_back((mask[static_cast<std::size_t>(i / 64)] >> (i % 64) & 1) != 0 ? one : std::uint8_t{0});
          data[static_cast<std::size_t>(c * (bytes + 16) + i / 4)] |= static_cast<std::uint8_t>(one << (i % 4 * 2));
        }
      }
      const auto at = [&](Index c, Index i) { return code[static_cast<std::size_t>(c * n + i)]; };
      const auto t = [&](Index c, Index i) { return std::uint32_t{at(c, i)} % 2 + std::uint32_t{at(c, i)} / 2; };
      const auto m = [&](Index c, Index i) { return at(c, i) == 1 ? 1u : 0u; };
      const auto check = [&](const riata::PlinkKernels* table) {
        std::vector<std::uint64_t> bits(static_cast<std::size_t>(total * 2 * words), ~std::uint64_t{0});
        std::vector<const std::uint64_t*> planes;
        for (Index c = 0; c < total; ++c) {
          planes.push_back(bits.data() + c * 2 * words);
          table->split_planes(data.data() + c * (bytes + 16), mask.data(), n, bits.data() + c * 2 * words);
        }
        std::vector<riata::PairCounts> out(static_cast<std::size_t>(nrows * ncols));
        table->count_pairs(planes.data(), nrows, planes.data() + nrows, ncols, words, out.data());
        for (Index j = 0; j < ncols; ++j) {
          for (Index i = 0; i < nrows; ++i) {
            riata::PairCounts want{};
            for (Index s = 0; s < n; ++s) {
              want.tt += t(i, s) * t(nrows + j, s);
              want.tm += t(i, s) * m(nrows + j, s);
              want.mt += m(i, s) * t(nrows + j, s);
              want.mm += m(i, s) * m(nrows + j, s);
            }
            const riata::PairCounts& got = out[static_cast<std::size_t>(i + j * nrows)];
            CHECK(got.tt == want.tt);
            CHECK(got.tm == want.tm);
            CHECK(got.mt == want.mt);
            CHECK(got.mm == want.mm);
          }
        }
      };
      check(riata::plink_baseline_table);
      if (riata::has_isa("avx2")) check(riata::plink_avx2_table);
      if (riata::has_isa("avx512")) check(riata::plink_avx512_table);
      if (riata::has_isa("avx512vnni")) check(riata::plink_vnni_table);
    }
  }
}

TEST_CASE("genotypes stay packed beside covariates and sparse columns") {
  const Index n = 131;
  const Mat left = riata::check::example(n, 6), right = riata::check::example(n, 9);
  const Mat covariates = riata::check::random_matrix(n, 2, 5);
  const std::vector<std::int32_t> indptr{0, 2, 3}, indices{4, 70, 130};
  const std::vector<double> values{1.5, -2.0, 3.0};
  const BedFile first(riata::check::encode(left)), second(riata::check::encode(right));
  Mat dense = Mat::Zero(n, 19);
  dense << riata::check::impute(left, CountedAllele::A1, {}), covariates,
      riata::check::impute(right, CountedAllele::A1, {}), Mat::Zero(n, 2);
  for (const std::size_t k : {0, 1, 2}) dense(indices[k], k < 2 ? 17 : 18) = values[k];
  riata::check::each_isa([&] {
    const std::vector<std::uint8_t> everyone;
    const auto X =
        riata::hstack_design({std::make_shared<PlinkDesign>(first.path, n, 6, CountedAllele::A1, everyone, 1),
                              riata::dense_design(covariates.data(), n, 2, 1, n),
                              std::make_shared<PlinkDesign>(second.path, n, 9, CountedAllele::A1, everyone, 1),
                              riata::csc_design(n, 2, 3, indptr.data(), indices.data(), values.data())});
    riata::check::pool(*X, dense);
    const auto pool = X->make_pool();
    const std::vector<Index> order{7, 18, 0, 16, 3, 12, 6, 17, 5, 9, 1};
    pool->append(order, std::vector<double>(order.size(), 0.0), 1);
    const Mat held = dense(Eigen::all, order);
    riata::check::operations(*pool, held);
    const std::vector<Index> rows{0, 2, 3, 1, 10, 4}, cols{8, 1, 5, 6, 0, 3, 7};
    const Vec h = Vec::Constant(n, 0.25);
    Mat out = Mat::Constant(6, 7, 99.0);
    if (!pool->cross_products(rows, cols, h, out, 2)) {
      CHECK((out.array() == 99.0).all());
      return;
    }
    riata::check::close(out, held(Eigen::all, rows).transpose() * h.asDiagonal() * held(Eigen::all, cols), 1e-12);
  });
}
