#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "path/column_parts.hpp"
#include "path/fit_in_parts.hpp"
#include "path_problems.hpp"
#include "penalty/elastic_net.hpp"
#include "riata/design/hstack.hpp"
#include "same_paths.hpp"

using namespace riata;
using namespace riata::check;

TEST_CASE("parts of the columns give the same bits: storages and losses") {
  const Storages storages(dosages(60, 230, 71));
  const std::vector<std::string> losses{"gaussian", "binomial",      "poisson",     "huber",
                                        "cox",      "multigaussian", "multinomial", "multinomial grouped"};
  std::vector<const Design*> designs;
  for (const auto& design : storages.designs) designs.push_back(design.get());
  const std::shared_ptr<const Design> left = dense_design(storages.X.data(), 60, 100, 1, 60);
  const std::shared_ptr<const Design> right = dense_design(storages.X.data() + 100 * 60, 60, 130, 1, 60);
  const auto both = hstack_design({left, right});
  designs.push_back(both.get());
  for (std::size_t storage = 0; storage < designs.size(); ++storage) {
    for (const std::string& loss : losses) {
      if (storage > 0 && (loss == "poisson" || loss == "huber")) continue;
      CAPTURE(storage);
      CAPTURE(loss);
      PathOptions options = quick(loss);
      const std::vector<Problem> problems{make_problem(storages.X, std::string(options.loss.name()), 3)};
      const auto whole = fit_paths(*designs[storage], problems, {}, options);
      for (const Index parts : {1, 2, 3, 7}) {
        CAPTURE(parts);
        options.threads = parts == 3 ? 2 : 1;
        CHECK(same(fit_paths_in_parts(*designs[storage], problems, {}, options, parts), whole));
      }
    }
  }
}

TEST_CASE("parts of the columns give the same bits: penalties, folds and what else may be asked for") {
  const Storages storages(dosages(70, 300, 72));
  const Index p = storages.X.cols();
  const std::vector<Problem> problems = with_folds(make_problem(storages.X, "gaussian", 4), 3);
  for (const std::string kind : {"elastic net", "ridge", "mcp", "scad", "group", "bounds", "factors", "copies"}) {
    CAPTURE(kind);
    PathOptions options = quick("gaussian");
    options.keep_linear_predictor = true;
    Features features;
    if (kind == "elastic net") options.l1_ratio = 0.5;
    if (kind == "ridge") options.l1_ratio = 0.0;
    if (kind == "mcp" || kind == "scad" || kind == "group") options.penalty = kind;
    if (kind == "bounds") features.lower = Vec::Constant(p, -0.05);
    if (kind == "factors") {
      features.penalty_factor = Vec::Ones(p);
      features.penalty_factor[3] = 0.0;
      features.penalty_factor[200] = kInfinity;
    }
    if (kind == "group") {  // none of them divided by parts that begin at multiples of 16
      for (Index j = 0; j < p; ++j) features.group.push_back(j / 4);
      features.group_weights = Vec::Constant(p / 4 + 1, 2.0);
    }
    const Design& X = kind == "copies" ? *storages.designs[0] : *storages.designs[2];
    const auto whole = fit_paths(X, problems, features, options);
    for (const Index parts : {2, 3, 7}) {
      CAPTURE(parts);
      CHECK(same(fit_paths_in_parts(X, problems, features, options, parts), whole));
    }
  }
}

TEST_CASE("parts allow for copies of the columns, and for residuals that are forgotten") {
  const Mat X = dosages(150, 1500, 73);
  const auto design = dense_design(X.data(), X.rows(), X.cols(), 1, X.rows());
  PathOptions options = quick("gaussian");
  options.n_alphas = 100;
  options.eps = 0.03;
  const std::vector<Problem> problems{make_problem(X, "gaussian", 5)};
  const auto whole = fit_paths(*design, problems, {}, options);
  CHECK(whole.front().counters.rounds > 70);
  for (const Index parts : {2, 7}) CHECK(same(fit_paths_in_parts(*design, problems, {}, options, parts), whole));
}

TEST_CASE("penalties that tie features of different parts are refused") {
  const Mat X = dosages(30, 64, 74);
  const auto design = dense_design(X.data(), X.rows(), X.cols(), 1, X.rows());
  const std::vector<Problem> problems{make_problem(X, "gaussian", 6)};
  PathOptions options = quick("gaussian");
  Features features;
  options.penalty = "slope";
  features.sorted_weights = Vec::LinSpaced(64, 2.0, 1.0);
  CHECK_THROWS_WITH_AS(fit_paths_in_parts(*design, problems, features, options, 2),
                       "parts must be 1 with penalty \"slope\", got 2", std::invalid_argument);
  CHECK_NOTHROW(fit_paths_in_parts(*design, problems, features, options, 1));
  options.penalty = "group";
  for (Index j = 0; j < 64; ++j) features.group.push_back(j / 24);
  features.group_weights = Vec::Ones(3);
  CHECK_THROWS_WITH_AS(fit_paths_in_parts(*design, problems, features, options, 2),
                       "parts must not divide a group of features, got group 1 on both sides of column 32",
                       std::invalid_argument);
}

TEST_CASE("parts begin at multiples of 16, hold every column once, and are not more than there is to hold") {
  const Mat X = dosages(5, 100, 75);
  const auto design = dense_design(X.data(), X.rows(), X.cols(), 1, X.rows());
  Counters counters;
  for (const Index parts : {1, 2, 3, 7, 50}) {
    const std::vector<Index> cuts = LocalParts(*design, {}, parts, 0, 0.0, 1, counters).cuts();
    CHECK(cuts.front() == 0);
    CHECK(cuts.back() == 100);
    CHECK(static_cast<Index>(cuts.size()) <= parts + 1);
    for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
      CHECK(cuts[i] % 16 == 0);
      CHECK(cuts[i + 1] > cuts[i]);
    }
  }
}

TEST_CASE("parts of the columns give the same bits: a path that ends by the groups it counts") {
  const Storages storages(dosages(60, 230, 73));
  PathOptions options = quick("gaussian");
  options.max_groups = 6;
  Features features;
  for (Index j = 0; j < 230; ++j) features.label.push_back(j / 10);
  std::vector<Problem> problems{make_problem(storages.X, "gaussian", 3)};
  for (Index f = 1; f < 4; ++f) {  // halves that lead themselves, with the response of the first
    Problem& half = problems.emplace_back();
    half.weights = Vec::Zero(60);
    for (Index i = 0; i < 30; ++i) half.weights[(7 * i + f * i / 3 + f) % 60] = 1.0;
    half.leader = f;
    half.response = 0;
  }
  const auto whole = fit_paths(*storages.designs[0], problems, features, options);
  for (const PathResult& r : whole) {
    CHECK(r.stopped == "max_groups");
    REQUIRE(r.n_groups.size() == r.alphas.size());
    for (std::size_t at = 0; at < r.alphas.size(); ++at) {
      std::vector<Index> labels;
      for (Index e = r.coef_indptr[at]; e < r.coef_indptr[at + 1]; ++e) {
        labels.push_back(features.label[static_cast<std::size_t>(r.coef_indices[static_cast<std::size_t>(e)])]);
      }
      labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
      CHECK(r.n_groups[at] == static_cast<Index>(labels.size()));
      CHECK(r.n_groups[at] <= 6);
    }
  }
  for (const Index parts : {2, 3, 7}) {
    options.threads = parts == 3 ? 2 : 1;
    CHECK(same(fit_paths_in_parts(*storages.designs[0], problems, features, options, parts), whole));
  }
  problems[2].response = 1;
  CHECK_THROWS_WITH_AS(fit_paths(*storages.designs[0], problems, features, options),
                       "response must be the number of a problem with a response of its own, or -1, got 1",
                       std::invalid_argument);
}
