#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "check_design.hpp"
#include "riata/cross_validation.hpp"

using namespace riata;

namespace {

constexpr Index n = 80, p = 40;

PathOptions few_alphas(const std::string& loss) {
  PathOptions options;
  options.loss = loss;
  options.n_alphas = 12;
  options.eps = 0.02;
  options.tol = 1e-10;
  options.stop_early = false;
  return options;
}

/// The mean loss of each fold's rows under a fit to the others, by itself, from the definition.
Mat scores_by_hand(const Mat& X, const Problem& problem, const std::vector<Index>& fold, Index folds,
                   const PathOptions& options, const std::vector<double>& alphas) {
  PathOptions given = options;
  given.alphas = alphas;
  Mat out(folds, static_cast<Index>(alphas.size()));
  for (Index f = 0; f < folds; ++f) {
    Problem part = problem;
    for (Index i = 0; i < n; ++i) {
      if (fold[static_cast<std::size_t>(i)] == f) part.weights[i] = 0.0;
    }
    const PathResult fit = fit_path(X, part, given);
    for (std::size_t k = 0; k < alphas.size(); ++k) {
      const Vec eta = predict(X, fit, k).col(0);
      double sum = 0.0, weight = 0.0;
      for (Index i = 0; i < n; ++i) {
        if (fold[static_cast<std::size_t>(i)] != f) continue;
        const double y = problem.y[i], w = problem.weights[i];
        const double loss = options.loss.is<losses::Gaussian>() ? 0.5 * (y - eta[i]) * (y - eta[i])
                                                                : std::log1p(std::exp(eta[i])) - y * eta[i];
        sum += w * loss;
        weight += w;
      }
      out(f, static_cast<Index>(k)) = sum / weight;
    }
  }
  return out;
}

}  // namespace

TEST_CASE("folds are dealt evenly, and the same for the same seed") {
  const auto fold = deal_folds(103, 5, 7);
  for (Index f = 0; f < 5; ++f) CHECK(std::abs(std::count(fold.begin(), fold.end(), f) - 103 / 5) <= 1);
  CHECK(fold == deal_folds(103, 5, 7));
  CHECK(fold != deal_folds(103, 5, 8));
  CHECK_THROWS_WITH_AS(deal_folds(4, 5), "folds must lie in [2, 4], the number of rows, got 5", std::invalid_argument);
}

TEST_CASE("cross-validation scores what each fold's fit says of the rows that it left out") {
  const Mat X = check::random_matrix(n, p, 3);
  const Vec score = X.col(0) - X.col(1) + 0.7 * check::random_matrix(n, 1, 4);
  for (const std::string loss : {"gaussian", "binomial"}) {
    CAPTURE(loss);
    Problem problem{score};
    if (loss == "binomial") problem.y = (score.array() > 0.0).cast<double>();
    problem.weights = Vec::LinSpaced(n, 0.5, 2.0);
    problem.weights[5] = 0.0;  // of no use to any fit or score
    const auto fold = deal_folds(n, 4);
    const PathOptions options = few_alphas(loss);
    const CvResult cv = cv_paths(X, {problem}, fold, options).front();
    check::close(cv.scores, scores_by_hand(X, problem, fold, 4, options, cv.path.alphas), 1e-5);

    Vec weight = Vec::Zero(4);
    for (Index i = 0; i < n; ++i) weight[fold[static_cast<std::size_t>(i)]] += problem.weights[i];
    const Vec mean = cv.scores.transpose() * weight / weight.sum();
    check::close(cv.mean, mean, 1e-12);
    Index best = 0;
    const double bound = mean.minCoeff(&best) + cv.error[best];
    CHECK(cv.best == static_cast<std::size_t>(best));
    CHECK(cv.best > 0);
    CHECK(cv.one_se <= cv.best);
    CHECK(cv.mean[static_cast<Index>(cv.one_se)] <= bound);
    if (cv.one_se > 0) CHECK(cv.mean[static_cast<Index>(cv.one_se) - 1] > bound);
  }
}

TEST_CASE("several problems are cross-validated as each by itself") {
  const Mat X = check::random_matrix(n, p, 5);
  const std::vector<Problem> problems{{X.col(0) + check::random_matrix(n, 1, 6)},
                                      {X.col(9) + check::random_matrix(n, 1, 7)}};
  const auto fold = deal_folds(n, 5);
  const PathOptions options = few_alphas("gaussian");
  const auto both = cv_paths(X, problems, fold, options);
  REQUIRE(both.size() == 2);
  for (std::size_t r = 0; r < 2; ++r) {
    const CvResult one = cv_paths(X, {problems[r]}, fold, options).front();
    CHECK(one.path.alphas == both[r].path.alphas);
    check::close(one.scores, both[r].scores, 1e-5);
  }
}

TEST_CASE("cross-validation of several outputs") {
  const Mat X = check::random_matrix(n, p, 8);
  Vec y(2 * n);
  y << X.col(0) + check::random_matrix(n, 1, 9), X.col(1) + check::random_matrix(n, 1, 10);
  const auto fold = deal_folds(n, 4);
  const CvResult cv = cv_paths(X, {{y}}, fold, few_alphas("multigaussian")).front();
  CHECK(cv.scores.rows() == 4);
  CHECK(cv.best > 0);
  CHECK(cv.mean[static_cast<Index>(cv.best)] < cv.mean[0]);
}

TEST_CASE("folds and losses that do not go are refused") {
  const Mat X = check::random_matrix(n, p, 3);
  const Problem problem{X.col(0)};
  const auto refused = [&](const std::vector<Index>& fold, const char* message) {
    CHECK_THROWS_WITH_AS(cv_paths(X, {problem}, fold), message, std::invalid_argument);
  };
  refused({0, 1}, "fold must have one number for each row of X");
  refused(std::vector<Index>(n, 0), "fold must hold two folds at least, numbered from 0");
  std::vector<Index> gap(n, 0);
  gap[3] = 2;
  refused(gap, "fold must number the folds without gaps, but none of the rows is in 1");
  gap[3] = 1;
  gap[4] = -1;
  refused(gap, "fold must be >= 0, got -1");
  CHECK_THROWS_WITH_AS(cv_paths(X, {problem}, deal_folds(n, 4), few_alphas("cox")),
                       "loss must not be \"cox\" here: rows have no loss of their own", std::invalid_argument);
}
