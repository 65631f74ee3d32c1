#include <doctest/doctest.h>

#include <cmath>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "check_design.hpp"
#include "path_problems.hpp"
#include "riata/api.hpp"

using namespace riata;

namespace {

constexpr Index kRows = 90, kColumns = 40;

/// Problems of one response that each weigh about half of the rows, in unequal parts.
std::vector<Problem> halves(const Vec& y, Index count) {
  std::vector<Problem> problems(static_cast<std::size_t>(count));
  for (Index f = 0; f < count; ++f) {
    Problem& problem = problems[static_cast<std::size_t>(f)];
    problem.weights = check::random_matrix(kRows, 1, static_cast<unsigned>(20 + f)).col(0).cwiseMax(0.0);
    problem.leader = f;
    if (f > 0) problem.response = 0;
  }
  problems.front().y = y;
  return problems;
}

PathOptions grid() {
  PathOptions options;
  options.n_alphas = 15;
  options.eps = 0.05;
  options.tol = 1e-9;
  return options;
}

/// That fits of two ways are those of the same problems; `digits` of what is computed.
void same(const std::vector<PathResult>& got, const std::vector<PathResult>& want, double digits) {
  REQUIRE(got.size() == want.size());
  for (std::size_t f = 0; f < got.size(); ++f) {
    CAPTURE(f);
    REQUIRE(got[f].alphas.size() == want[f].alphas.size());
    CHECK(got[f].stopped == want[f].stopped);
    CHECK(got[f].coef_indices == want[f].coef_indices);
    REQUIRE(got[f].coef_values.size() == want[f].coef_values.size());
    for (std::size_t k = 0; k < got[f].coef_values.size(); ++k)
      CHECK(got[f].coef_values[k] == doctest::Approx(want[f].coef_values[k]).epsilon(digits));
    for (std::size_t k = 0; k < got[f].alphas.size(); ++k) {
      CHECK(got[f].alphas[k] == doctest::Approx(want[f].alphas[k]).epsilon(digits));
      CHECK(got[f].converged[k] == 1);
    }
  }
}

}  // namespace

TEST_CASE("fits apart are those in which rows have no weight, with the same bits for any number of threads") {
  const check::Storages storages(check::dosages(kRows, kColumns, 5));
  const Vec y = storages.X.col(3) - storages.X.col(11) + check::random_matrix(kRows, 1, 6).col(0);
  const auto problems = halves(y, 5);
  for (const auto& design : storages.designs) {
    CAPTURE(design->kind());
    PathOptions options = grid();
    const auto apart = fit_paths_apart(*design, problems, {}, options);
    same(apart, fit_paths(*design, problems, {}, options), 1e-5);
    for (const int threads : {2, 3}) {
      options.threads = threads;
      const auto again = fit_paths_apart(*design, problems, {}, options);
      for (std::size_t f = 0; f < apart.size(); ++f) CHECK(again[f].coef_values == apart[f].coef_values);
    }
  }
}

TEST_CASE("fits apart of several outputs, offsets and survival times") {
  const check::Storages storages(check::dosages(kRows, kColumns, 5));
  const Design& X = *storages.designs.back();
  const Mat noise = check::random_matrix(kRows, 3, 6);
  PathOptions options = grid();
  options.loss = "multigaussian";
  Mat both(kRows, 2);
  both << storages.X.col(3) + noise.col(0), storages.X.col(7) + noise.col(1);
  auto problems = halves(both.reshaped(), 3);
  problems.front().offset = 0.1 * both.reshaped().reverse();
  same(fit_paths_apart(X, problems, {}, options), fit_paths(X, problems, {}, options), 1e-5);

  options.loss = "cox";
  problems = halves((storages.X.col(3) + noise.col(0)).array().exp(), 3);
  Survival& survival = problems.front().survival;
  survival.event = (noise.col(1).array() > -0.5).cast<double>();
  survival.start = 0.3 * problems.front().y;
  survival.stratum = (noise.col(2).array() > 0.0).cast<double>();
  survival.efron = true;
  same(fit_paths_apart(X, problems, {}, options), fit_paths(X, problems, {}, options), 1e-4);
}

TEST_CASE("fits apart end when the calling thread is told to") {
  const check::Storages storages(check::dosages(kRows, kColumns, 5));
  const Design& X = *storages.designs.back();
  const Vec y = storages.X.col(3) + check::random_matrix(kRows, 1, 6).col(0);
  const auto problems = halves(y, 8);
  const auto caller = std::this_thread::get_id();
  for (const int threads : {1, 3}) {
    CAPTURE(threads);
    PathOptions options = grid();
    options.threads = threads;
    int told = 0;
    bool elsewhere = false;
    options.progress = [&](Index, Index total, double, Index, double, double) {
      elsewhere = elsewhere || std::this_thread::get_id() != caller;
      CHECK(total == 15);
      ++told;
      return false;
    };
    CHECK(fit_paths_apart(X, problems, {}, options).back().stopped == "progress");
    CHECK(told == 1);
    CHECK(!elsewhere);
    options.progress = [](Index, Index, double, Index, double, double) -> bool { throw std::length_error("no"); };
    CHECK_THROWS_AS(fit_paths_apart(X, problems, {}, options), std::length_error);
    options.progress = nullptr;
    int polls = 0;
    options.poll = [&] {
      if (++polls == 2) throw std::domain_error("enough");
    };
    CHECK_THROWS_AS(fit_paths_apart(X, problems, {}, options), std::domain_error);
  }
}

TEST_CASE("fits apart divide the memory") {
  const check::Storages storages(check::dosages(kRows, kColumns, 5));
  const Design& X = *storages.designs.back();
  const Vec y = storages.X.col(3) + check::random_matrix(kRows, 1, 6).col(0);
  PathOptions options = grid();
  const double needed = fit_paths_apart(X, halves(y, 1), {}, options).front().counters.memory + X.bytes();
  options.memory = 5.0 * needed;
  for (const PathResult& fit : fit_paths_apart(X, halves(y, 4), {}, options)) CHECK(fit.alphas.size() == 15);
  options.memory = 0.2 * needed;
  for (const PathResult& fit : fit_paths_apart(X, halves(y, 4), {}, options)) {
    CHECK(fit.stopped == "memory");
    CHECK(fit.alphas.empty());
  }
}

TEST_CASE("fits apart refuse what they cannot do") {
  const check::Storages storages(check::dosages(kRows, kColumns, 5));
  const Design& X = *storages.designs.back();
  auto problems = halves(storages.X.col(3), 2);
  PathOptions options = grid();
  options.keep_linear_predictor = true;
  CHECK_THROWS_AS(fit_paths_apart(X, problems, {}, options), std::invalid_argument);
  options.keep_linear_predictor = false;
  options.checkpoint = "never_written";
  CHECK_THROWS_AS(fit_paths_apart(X, problems, {}, options), std::invalid_argument);
  options.checkpoint.clear();
  problems[1].leader = 0;
  CHECK_THROWS_AS(fit_paths_apart(X, problems, {}, options), std::invalid_argument);
  problems[1].leader = 1;
  problems[0].y[2] = std::nan("");
  problems[0].weights[2] = 1.0;
  CHECK_THROWS_WITH(fit_paths_apart(X, problems, {}, options), "y must be finite, got NaN or infinity in row 2");
}
