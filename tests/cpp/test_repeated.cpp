#include <doctest/doctest.h>

#include <limits>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "design/repeated.hpp"
#include "path_problems.hpp"
#include "penalty/elastic_net.hpp"
#include "riata/design/hstack.hpp"

using namespace riata;
using namespace riata::check;

namespace {

const std::vector<Index> kColumns{0, 0, 0, 1, 3, 3, 4, 6, 6, 6, 6, 7, 8, 8};

std::shared_ptr<const Design> borrowed(const Design& X) {
  return {&X, [](const Design*) {}};
}

/// Overlapping groups of consecutive columns, `step` apart, and of those that are behind the last of them.
Features overlapping(Index p, Index size, Index step) {
  Features out;
  std::vector<std::vector<Index>> groups(static_cast<std::size_t>(p));
  Index count = 0;
  for (Index first = 0; first < p; first += step, ++count) {
    for (Index j = first; j < std::min(p, first + size); ++j) groups[static_cast<std::size_t>(j)].push_back(count);
  }
  Vec sizes = Vec::Zero(count);
  for (Index j = 0; j < p; ++j) {
    for (const Index g : groups[static_cast<std::size_t>(j)]) {
      out.column.push_back(j);
      out.group.push_back(g);
      sizes[g] += 1.0;
    }
  }
  out.group_weights = sizes.cwiseSqrt();
  return out;
}

Vec dense_of(const std::vector<Index>& indptr, const std::vector<Index>& indices, const std::vector<double>& values,
             std::size_t at, Index size) {
  Vec out = Vec::Zero(size);
  for (Index e = indptr[at]; e < indptr[at + 1]; ++e) {
    out[indices[static_cast<std::size_t>(e)]] = values[static_cast<std::size_t>(e)];
  }
  return out;
}

}  // namespace

TEST_CASE("repeated columns act as copies of them, in every storage") {
  for (const Index n : {5, 40}) {
    const Storages storages(dosages(n, 9, 1));
    for (const auto& X : storages.designs) {
      CAPTURE(X->kind());
      for (const auto& columns : {kColumns, std::vector<Index>{7, 2, 2, 5, 7, 0}, std::vector<Index>{4}}) {
        const auto repeated = repeated_design(borrowed(*X), columns);
        CHECK(repeated->kind() == "repeated");
        operations(*repeated, storages.X(Eigen::all, columns));
        pool(*repeated, storages.X(Eigen::all, columns));
      }
      const auto beside = hstack_design({repeated_design(borrowed(*X), kColumns), borrowed(*X)});
      Mat both(n, static_cast<Index>(kColumns.size()) + 9);
      both << storages.X(Eigen::all, kColumns), storages.X;
      operations(*beside, both);
      pool(*beside, both);
    }
  }
}

TEST_CASE("a pool of repeated columns holds each once") {
  const Mat X = random_matrix(1000, 3, 2);
  const auto once = repeated_design(dense_design(X.data(), 1000, 3, 1, 1000), {0, 1, 2});
  const auto often = repeated_design(dense_design(X.data(), 1000, 3, 1, 1000), std::vector<Index>(3000, 1));
  CHECK(often->bytes() == once->bytes());
  const auto pool = often->make_pool();
  const std::vector<Index> all = all_columns(*often);
  pool->append(all, std::vector<double>(all.size(), 0.25), 1);
  CHECK(pool->cols() == 3000);
  CHECK(pool->memory() < std::size_t{2} << 20);
  CHECK(pool->shift_of(2999) == 0.25);
}

TEST_CASE("products of repeated columns from whole numbers are those of the columns") {
  const Storages storages(dosages(64, 9, 3));
  const Vec h = Vec::Constant(64, 1.0 / 64);
  for (const auto& X : storages.designs) {
    CAPTURE(X->kind());
    const auto repeated = repeated_design(borrowed(*X), kColumns);  // outlives its pool
    const auto pool = repeated->make_pool();
    const auto plain = X->make_pool();
    const std::vector<Index> all = all_columns(*repeated);
    pool->append(all, std::vector<double>(all.size(), 0.0), 1);
    plain->append(all_columns(*X), std::vector<double>(9, 0.0), 1);
    const std::vector<Index> rows{13, 0, 2, 7, 1}, cols{8, 9, 3};
    Mat got(5, 3), want(9, 9);
    const bool any = plain->cross_products(all_columns(*X), all_columns(*X), h, want, 1);
    REQUIRE(pool->cross_products(rows, cols, h, got, 1) == any);
    if (!any) continue;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (std::size_t k = 0; k < cols.size(); ++k) {
        const auto column = [&](Index at) { return kColumns[static_cast<std::size_t>(at)]; };
        CHECK(got(static_cast<Index>(i), static_cast<Index>(k)) == want(column(rows[i]), column(cols[k])));
      }
    }
  }
}

TEST_CASE("repeated columns refuse numbers that are none") {
  const Mat X = Mat::Zero(5, 2);
  const std::shared_ptr<const Design> design = dense_design(X.data(), 5, 2, 1, 5);
  CHECK_THROWS_WITH_AS(repeated_design(design, {0, 2}), "columns must lie in [0, 2), got 2", std::invalid_argument);
  CHECK_THROWS_WITH_AS(repeated_design(design, {-1}), "columns must lie in [0, 2), got -1", std::invalid_argument);
  CHECK_THROWS_WITH_AS(repeated_design(nullptr, {}), "source must be a design, got none", std::invalid_argument);
}

TEST_CASE("overlapping groups are groups of copies of their columns, whose parts add up") {
  const Index n = 50, p = 90;
  const Storages storages(dosages(n, p, 4));
  for (const std::string loss : {"gaussian", "binomial", "cox"}) {
    const Problem problem = make_problem(storages.X, loss, 5);
    for (const double l1_within_ratio : {0.0, 0.3}) {
      for (const bool factors : {false, true}) {
        CAPTURE(loss);
        CAPTURE(l1_within_ratio);
        CAPTURE(factors);
        Features features = overlapping(p, 6, 4);
        PathOptions options = options_of(loss);
        options.penalty = penalties::Group{l1_within_ratio};
        options.n_alphas = 10;
        options.eps = 0.2;
        options.tol = 1e-9;
        options.stop_early = false;
        const std::vector<Index> column = features.column;
        const Index m = static_cast<Index>(column.size());
        const Mat copies = storages.X(Eigen::all, column);
        Features plain = features;
        plain.column.clear();
        if (factors) {  // columns 4 and 5 are in two groups: one is free, the other left out
          features.penalty_factor = Vec::Ones(p);
          features.penalty_factor[4] = 0.0;
          features.penalty_factor[5] = kInfinity;
          plain.penalty_factor = Vec::Ones(m);
          bool seen = false;
          for (Index k = 0; k < m; ++k) {
            const Index j = column[static_cast<std::size_t>(k)];
            if (j == 4) plain.penalty_factor[k] = std::exchange(seen, true) ? kInfinity : 0.0;
            if (j == 5) plain.penalty_factor[k] = kInfinity;
          }
        }
        const PathResult want = fit_paths(*dense_design(copies.data(), n, m, 1, n), {problem}, plain, options).front();
        options.alphas = want.alphas;
        for (const auto& X : storages.designs) {
          CAPTURE(X->kind());
          const PathResult got = fit_paths(*X, {problem}, features, options).front();
          REQUIRE(got.alphas.size() == want.alphas.size());
          CHECK(got.alpha_max == doctest::Approx(want.alpha_max).epsilon(1e-12));
          CHECK(got.scale.size() == p);
          CHECK(got.mean.size() == p);
          for (std::size_t k = 0; k < got.alphas.size(); ++k) {
            CAPTURE(k);
            CHECK(got.converged[k] == 1);
            CHECK(got.primal[k] == doctest::Approx(want.primal[k]).epsilon(1e-8));
            const Vec b = dense_of(got.coef_indptr, got.coef_indices, got.coef_values, k, p);
            const Vec v = dense_of(got.part_indptr, got.part_indices, got.part_values, k, m);
            Vec sum = Vec::Zero(p);
            for (Index i = 0; i < m; ++i) sum[column[static_cast<std::size_t>(i)]] += v[i];
            close(b, sum, 1e-14);
            CHECK(got.n_active[k] == (b.array() != 0.0).count());
            const Vec other = dense_of(want.coef_indptr, want.coef_indices, want.coef_values, k, m);
            close(storages.X * b, copies * other, 1e-3);
          }
        }
      }
    }
  }
}

TEST_CASE("overlapping groups that do not fit together are refused, and columns named by their own numbers") {
  const Index n = 20, p = 10;
  Mat X = random_matrix(n, p, 6);
  const auto design = dense_design(X.data(), n, p, 1, n);
  const Problem problem = make_problem(X, "gaussian", 7);
  PathOptions options = options_of("gaussian");
  const auto fit = [&](const Features& features) { return fit_paths(*design, {problem}, features, options); };
  Features features = overlapping(p, 4, 2);
  CHECK_THROWS_WITH_AS(fit(features), "column must be left out with penalty \"elastic_net\"", std::invalid_argument);
  options.penalty = "group";
  CHECK_NOTHROW(fit(features));
  const char* const wrong = "column must list every column of X and not decrease";
  for (const std::vector<Index>& column : std::vector<std::vector<Index>>{{0, 2}, {1, 2}, {0, 1, 0}, {0, 1}, {-1}}) {
    Features odd;
    odd.column = column;
    odd.group.assign(column.size(), 0);
    odd.group_weights = Vec::Ones(1);
    CHECK_THROWS_WITH_AS(fit(odd), wrong, std::invalid_argument);
  }
  features.group.pop_back();
  CHECK_THROWS_WITH_AS(fit(features), "group must have one number for each entry of column", std::invalid_argument);
  X(3, 7) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH_AS(fit(overlapping(p, 4, 2)), "X must hold finite numbers only, got NaN or infinity in column 7",
                       std::invalid_argument);
}
