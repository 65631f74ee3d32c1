#include <doctest/doctest.h>

#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "path_problems.hpp"
#include "penalty/elastic_net.hpp"
#include "riata/design/hstack.hpp"
#include "riata/error.hpp"
#include "same_paths.hpp"
#include "thread_host.hpp"

using namespace riata;
using namespace riata::check;

TEST_CASE("columns of other processes give the same bits: storages and losses") {
  const Storages storages(dosages(60, 230, 81));
  for (std::size_t storage = 0; storage < storages.designs.size(); ++storage) {
    for (const std::string loss : {"gaussian", "binomial", "poisson", "cox", "multigaussian", "multinomial grouped"}) {
      CAPTURE(storage);
      CAPTURE(loss);
      PathOptions options = quick(loss);
      const std::vector<Problem> problems{make_problem(storages.X, std::string(options.loss.name()), 3)};
      const auto whole = fit_paths(*storages.designs[storage], problems, {}, options);
      for (const Index parts : {1, 2, 3, 7}) {
        CAPTURE(parts);
        const auto host = std::make_shared<ThreadHost>(storages, storage, cuts_of(230, parts));
        const auto X = hosted_design(host);
        CHECK(same(fit_paths(*X, problems, {}, options), whole));
      }
    }
  }
}

TEST_CASE("columns of other processes give the same bits: penalties, with folds and without") {
  const Storages storages(dosages(70, 300, 82));
  const Index p = storages.X.cols();
  for (const std::string loss : {"gaussian", "binomial"}) {
    const Problem full = make_problem(storages.X, loss, 4);
    for (const std::string kind : {"lasso", "elastic net", "mcp", "group", "sparse group", "bounds", "factors"}) {
      for (const bool folds : {false, true}) {
        if (loss == "binomial" && folds) continue;
        CAPTURE(loss);
        CAPTURE(kind);
        CAPTURE(folds);
        PathOptions options = quick(loss);
        options.keep_linear_predictor = folds;
        Features features;
        if (kind == "elastic net") options.l1_ratio = 0.5;
        if (kind == "mcp") options.penalty = kind;
        if (kind == "bounds") features.lower = Vec::Constant(p, -0.05);
        if (kind == "factors") {
          features.penalty_factor = Vec::Ones(p);
          features.penalty_factor[3] = 0.0;
          features.penalty_factor[200] = kInfinity;
        }
        if (kind.ends_with("group")) {
          if (kind == "group") options.penalty = "group";
          if (kind == "sparse group") options.penalty = penalties::Group{0.3};
          for (Index j = 0; j < p; ++j) features.group.push_back(p / 4 - j / 4);
          features.group_weights = Vec::LinSpaced(p / 4 + 1, 2.0, 2.5);
        }
        const std::vector<Problem> problems = with_folds(full, folds ? 3 : 0);
        const std::size_t storage = kind == "mcp" ? 1 : kind.ends_with("group") ? 0 : 2;
        const auto whole = fit_paths(*storages.designs[storage], problems, features, options);
        for (const Index parts : {2, 7}) {
          CAPTURE(parts);
          const auto X = hosted_design(std::make_shared<ThreadHost>(storages, storage, cuts_of(p, parts)));
          CHECK(same(fit_paths(*X, problems, features, options), whole));
        }
      }
    }
  }
}

TEST_CASE("columns of other processes give the same bits: several alphas a pass") {
  const Storages storages(dosages(60, 230, 86));
  for (std::size_t storage = 0; storage < storages.designs.size(); ++storage) {
    for (const std::string kind : {"gaussian", "cox", "multinomial grouped", "group", "folds"}) {
      CAPTURE(storage);
      CAPTURE(kind);
      PathOptions options = quick(kind == "group" || kind == "folds" ? "gaussian" : kind);
      options.alphas_per_pass = 6;
      Features features;
      if (kind == "group") {
        options.penalty = "group";
        for (Index j = 0; j < 230; ++j) features.group.push_back(j / 4);
        features.group_weights = Vec::Constant(58, 2.0);
      }
      const Problem full = make_problem(storages.X, std::string(options.loss.name()), 4);
      const std::vector<Problem> problems = with_folds(full, kind == "folds" ? 3 : 0);
      const auto whole = fit_paths(*storages.designs[storage], problems, features, options);
      CHECK(whole.front().counters.rounds < options.n_alphas);
      for (const Index parts : {2, 7}) {
        CAPTURE(parts);
        const Trouble trouble = parts == 7 ? Trouble{0.3, 0.03} : Trouble{};
        const auto X = hosted_design(std::make_shared<ThreadHost>(storages, storage, cuts_of(230, parts), trouble));
        CHECK(same(fit_paths(*X, problems, features, options), whole));
      }
    }
  }
}

TEST_CASE("a copy of the columns in 16-bit integers, long columns and narrow numbers change nothing") {
  const Storages long_columns(dosages(150, 1500, 84)), longer(dosages(4200, 64, 85));
  PathOptions options = quick("gaussian");
  options.n_alphas = 60;
  options.eps = 0.05;
  std::vector<Problem> problems{make_problem(long_columns.X, "gaussian", 5)};
  const auto whole = fit_paths(*long_columns.designs[0], problems, {}, options);
  const auto copied = hosted_design(std::make_shared<ThreadHost>(long_columns, 0, cuts_of(1500, 3)));
  CHECK(same(fit_paths(*copied, problems, {}, options), whole));

  options = quick("binomial");  // as doubles these are referred to where they are, as floats they are not
  problems = {make_problem(longer.X, "binomial", 6)};
  const Eigen::MatrixXf floats = longer.X.cast<float>();
  const auto narrow = dense_design(floats.data(), 4200, 64, 1, 4200);
  for (const std::size_t storage : {0, 3}) {
    const auto X = hosted_design(std::make_shared<ThreadHost>(longer, storage, cuts_of(64, 2)));
    CHECK(same(fit_paths(*X, problems, {}, options),
               fit_paths(storage == 0 ? *longer.designs[0] : *narrow, problems, {}, options)));
  }
}

TEST_CASE("no message but the first grows with the number of columns") {
  const Storages few(dosages(60, 320, 86)), many(dosages(60, 3200, 86));
  std::vector<std::size_t> largest;
  for (const Storages* storages : {&few, &many}) {
    PathOptions options = quick("gaussian");
    options.eps = 0.5;
    const auto host = std::make_shared<ThreadHost>(*storages, 2, cuts_of(storages->X.cols(), 2));
    const auto X = hosted_design(host);
    fit_paths(*X, {make_problem(few.X, "gaussian", 7)}, {}, options);
    largest.push_back(host->largest_answer);
  }
  CHECK(largest[1] < 3200 * 8);
}

TEST_CASE("the design of a host is that of its columns") {
  const Storages storages(dosages(50, 120, 87));
  for (std::size_t storage = 0; storage < storages.designs.size(); ++storage) {
    const auto X = hosted_design(std::make_shared<ThreadHost>(storages, storage, cuts_of(120, 3)));
    const Design& whole = *storages.designs[storage];
    CHECK(X->rows() == 50);
    CHECK(X->cols() == 120);
    CHECK(X->kind() == whole.kind());
    CHECK(X->bytes() == doctest::Approx(whole.bytes()).epsilon(0.02));
    const std::vector<Index> columns{119, 3, 64, 17, 4};
    const Mat R = random_matrix(50, 3, 8), w = random_weights(50, 2, 9), B = random_matrix(5, 2, 10);
    CHECK(same_bits(correlate(*X, columns, R), correlate(whole, columns, R)));
    CHECK(same_bits(moments(*X, columns, w), moments(whole, columns, w)));
    CHECK(same_bits(gather(*X, columns), gather(whole, columns)));
    CHECK(same_bits(multiply(*X, columns, B), multiply(whole, columns, B)));
  }
}

TEST_CASE("errors of parts are those of X, and fits that need all of its columns at hand are refused") {
  Storages storages(dosages(30, 64, 88));
  const std::vector<Problem> problems{make_problem(storages.X, "gaussian", 6)};
  PathOptions options = quick("gaussian");
  Features features;
  {
    const auto X = hosted_design(std::make_shared<ThreadHost>(storages, 0, cuts_of(64, 2)));
    options.l1_ratio = 0.0;
    CHECK_THROWS_WITH_AS(fit_paths(*X, problems, features, options),
                         "X must be in this process where l1_ratio is 0, which keeps all of its columns at hand, got "
                         "one that others hold",
                         std::invalid_argument);
    options.l1_ratio = 1.0;
    options.penalty = "slope";
    features.sorted_weights = Vec::LinSpaced(64, 2.0, 1.0);
    CHECK_THROWS_WITH_AS(fit_paths(*X, problems, features, options),
                         "X must be in this process with penalty \"slope\", which ties all of its columns, got one "
                         "that others hold",
                         std::invalid_argument);
    options.penalty = "group";
    for (Index j = 0; j < 64; ++j) features.group.push_back(j / 24);
    features.group_weights = Vec::Ones(3);
    CHECK_THROWS_WITH_AS(fit_paths(*X, problems, features, options),
                         "parts must not divide a group of features, got group 1 on both sides of column 32",
                         std::invalid_argument);
  }
  CHECK_THROWS_WITH_AS(hosted_design(std::make_shared<ThreadHost>(storages, 0, std::vector<Index>{0, 20, 64})),
                       "parts of X must follow one another and begin at multiples of 16, got column 20 as the first "
                       "of part 1 after 20 columns",
                       std::invalid_argument);
  storages.X(3, 40) = std::numeric_limits<double>::quiet_NaN();
  const auto X = hosted_design(std::make_shared<ThreadHost>(storages, 0, cuts_of(64, 2)));
  options = quick("gaussian");
  CHECK_THROWS_WITH_AS(fit_paths(*X, problems, {}, options),
                       "X must hold finite numbers only, got NaN or infinity in column 40", NonFiniteError);
}

TEST_CASE("columns of this process stand beside those of others") {
  const Storages storages(dosages(60, 224, 89));
  Mat covariates = random_matrix(60, 3, 90);
  covariates.col(2) = covariates.col(0) + covariates.col(1) + 1e-4 * covariates.col(2);  // nearly collinear
  const std::shared_ptr<const Design> beside = dense_design(covariates.data(), 60, 3, 1, 60);
  for (std::size_t storage = 0; storage < storages.designs.size(); ++storage) {
    const std::shared_ptr<const Design> whole(storages.designs[storage].get(), [](const Design*) {});
    const std::shared_ptr<const Design> held =
        hosted_design(std::make_shared<ThreadHost>(storages, storage, cuts_of(224, 3)));
    const auto here = hstack_design({whole, beside}), there = hstack_design({held, beside});
    for (const double factor : {0.0, 1.0}) {
      CAPTURE(storage);
      CAPTURE(factor);
      Features features;
      features.penalty_factor = Vec::Ones(227);
      features.penalty_factor.tail(3).setConstant(factor);
      const std::vector<Problem> problems{make_problem(storages.X, "gaussian", 3)};
      CHECK(same(fit_paths(*there, problems, features, quick("gaussian")),
                 fit_paths(*here, problems, features, quick("gaussian"))));
    }
  }
}
