#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "check_design.hpp"
#include "plink_files.hpp"
#include "riata/design/csc.hpp"
#include "riata/design/dense.hpp"
#include "riata/design/hstack.hpp"
#include "riata/design/plink.hpp"

using riata::CountedAllele;
using riata::Index;
using riata::Mat;
using riata::PlinkDesign;
using riata::check::BedFile;
using riata::check::encode;
using riata::check::example;
using riata::check::impute;

namespace {

/// Rows that lie at random, side by side, at the ends, and all of them.
std::vector<std::vector<Index>> choices(Index n) {
  std::vector<std::vector<Index>> out(7);
  std::mt19937_64 rng(3);
  for (Index i = 0; i < n; ++i) {
    const auto draw = rng();
    if (draw % 2 == 0) out[0].push_back(i);
    if (draw % 11 == 0 || i == 0) out[1].push_back(i);
    if (draw % 11 != 0) out[2].push_back(i);
    out[3].push_back(i);
    if (i >= n / 3 && i <= n / 2) out[4].push_back(i);
  }
  out[5] = {n - 1};
  out[6] = {0};
  std::erase_if(out, [](const auto& rows) { return rows.empty(); });
  return out;
}

}  // namespace

TEST_CASE("rows of genotypes are those of their decoded copy, missing calls where they stood") {
  for (const Index n : {1, 2, 5, 31, 32, 33, 64, 65, 130, 2100}) {
    CAPTURE(n);
    const Index p = n > 1000 ? 7 : 13;
    const Mat x = example(n, p);
    const BedFile file(encode(x));
    std::vector<std::uint8_t> include(static_cast<std::size_t>(n), 1);
    for (std::size_t i = 1; i < include.size(); i += 4) include[i] = 0;
    for (const auto counted : {CountedAllele::A1, CountedAllele::A2}) {
      const Mat dense = impute(x, counted, include);
      riata::check::each_isa([&] {
        const PlinkDesign design(file.path, n, p, counted, include, 1);
        CHECK(design.traits().subset_pays);
        for (const std::vector<Index>& rows : choices(n)) {
          const auto subset = design.rows_subset(rows);
          const Mat want = dense(rows, Eigen::all);
          CHECK(subset->kind() == "plink");
          CHECK(subset->bytes() == static_cast<double>((static_cast<Index>(rows.size()) + 3) / 4 * p));
          CHECK(riata::check::same_bits(riata::check::gather(*subset, riata::check::all_columns(*subset)), want));
        }
      });
    }
  }
}

TEST_CASE("rows of genotypes are a design like any other, and outlive the one they come from") {
  const Index n = 70;
  const Mat x = example(n, 31);
  const BedFile first(encode(x.leftCols(12))), last(encode(x.rightCols(9)));
  const auto middle = encode(x.middleCols(12, 10));
  const std::vector<riata::PlinkSource> sources = {{12, first.path}, {10, "", middle.data() + 3}, {9, last.path}};
  const std::vector<Index> picked = {30, 3, 12, 21, 22, 11, 0, 19, 4, 13};
  const Mat dense = impute(x, CountedAllele::A1, {});
  const std::vector<Index> rows = choices(n).front();
  riata::check::each_isa([&] {
    auto design = std::make_unique<PlinkDesign>(sources, n, CountedAllele::A1, std::vector<std::uint8_t>(), picked, 1);
    const auto subset = design->rows_subset(rows);
    const auto again = subset->rows_subset(choices(static_cast<Index>(rows.size())).front());
    design.reset();
    const Mat want = dense(rows, picked);
    riata::check::operations(*subset, want);
    riata::check::pool(*subset, want);
    riata::check::operations(*again, want(choices(want.rows()).front(), Eigen::all));
  });
}

TEST_CASE("rows of designs side by side, sparse ones and strided ones are those of their columns") {
  const Index n = 61;
  const Mat x = example(n, 24), covariates = riata::check::random_matrix(n, 2, 1);
  const BedFile file(encode(x));
  const std::shared_ptr<const riata::Design> genotypes =
      std::make_shared<PlinkDesign>(file.path, n, 24, CountedAllele::A2, std::vector<std::uint8_t>(), 1);
  const std::shared_ptr<const riata::Design> table = riata::dense_design(covariates.data(), n, 2, 1, n);
  const std::shared_ptr<const riata::Design> backwards = riata::dense_design(covariates.data() + n - 1, n, 2, -1, n);
  CHECK(!table->traits().subset_pays);
  const std::vector<std::int64_t> indptr{0, 1, 1, 6}, indices{60, 9, 0, 1, 9, 2};  // one row comes twice
  const std::vector<float> values{2.5f, -1.0f, 4.0f, 0.5f, 3.0f, 1.0f};
  const auto sparse = riata::csc_design(n, 3, 6, indptr.data(), indices.data(), values.data());
  const auto check = [&](const riata::Design& X) {
    const Mat whole = riata::check::gather(X, riata::check::all_columns(X));
    for (const std::vector<Index>& rows : choices(n)) {
      CHECK(X.rows_subset(rows)->kind() == X.kind());
      riata::check::operations(*X.rows_subset(rows), whole(rows, Eigen::all));
    }
  };
  check(*backwards);
  check(*sparse);
  CHECK(sparse->traits().subset_pays);
  const auto both = riata::hstack_design({genotypes, table});
  check(*both);
  // 16 bytes a column of genotypes, and 488 of doubles.
  CHECK(!both->traits().subset_pays);
  const Mat wide = example(n, 90);
  const BedFile other(encode(wide));
  const std::shared_ptr<const riata::Design> many =
      std::make_shared<PlinkDesign>(other.path, n, 90, CountedAllele::A2, std::vector<std::uint8_t>(), 1);
  CHECK(riata::hstack_design({table, many})->traits().subset_pays);
  CHECK(!riata::hstack_design({table, table})->traits().subset_pays);
}
