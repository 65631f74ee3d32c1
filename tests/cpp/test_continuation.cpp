#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "path/continuation.hpp"
#include "path/fit_in_parts.hpp"
#include "path/lambda_grid.hpp"
#include "path_problems.hpp"
#include "penalty/elastic_net.hpp"

using namespace riata;
using check::dosages;
using check::make_problem;
using check::Storages;
namespace fs = std::filesystem;

namespace {

constexpr Index kRows = 60, kColumns = 900;  // more than one step may make active

double largest_alpha(const Design& X, const Problem& problem, const Features& features, PathOptions options) {
  options.alphas.clear();
  options.n_alphas = 1;
  return fit_paths(X, {problem}, features, options).front().alpha_max;
}

bool same_numbers(const std::vector<double>& a, const std::vector<double>& b) {  // NaN too
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

/// Results and work to the bit, but for the sum of what was read, whose terms are those of the parts.
bool same(const std::vector<PathResult>& left, const std::vector<PathResult>& right) {
  if (left.size() != right.size()) return false;
  for (std::size_t f = 0; f < left.size(); ++f) {
    const PathResult &a = left[f], &b = right[f];
    if (a.alphas != b.alphas || a.coef_indptr != b.coef_indptr || a.coef_indices != b.coef_indices ||
        a.coef_values != b.coef_values || a.intercepts != b.intercepts || a.primal != b.primal ||
        !same_numbers(a.dual, b.dual) || a.dual_gaps != b.dual_gaps || a.n_iter != b.n_iter ||
        a.counters.inserted != b.counters.inserted || a.counters.rounds != b.counters.rounds ||
        a.counters.columns_gathered != b.counters.columns_gathered) {
      return false;
    }
  }
  return true;
}

std::vector<Problem> with_folds(const Problem& full) {
  std::vector<Problem> out(4, full);
  for (Index f = 0; f < 3; ++f) {
    for (Index i = f; i < full.weights.size(); i += 3) out[static_cast<std::size_t>(f + 1)].weights[i] = 0.0;
  }
  return out;
}

/// A fit at one small alpha against a path of a hundred that ends there: the same minimum, within what both are
/// certified to.
void same_as_the_end_of_a_path(const Design& X, const Problem& problem, const Features& features, PathOptions options) {
  const double largest = largest_alpha(X, problem, features, options), alpha = 0.05 * largest;
  options.alphas = {alpha};
  options.tol = 1e-8;
  const PathResult one = fit_paths(X, {problem}, features, options).front();
  options.alphas = lambda_grid(largest, 100, 0.05);
  options.alphas.back() = alpha;
  const PathResult path = fit_paths(X, {problem}, features, options).front();
  REQUIRE(one.alphas == std::vector<double>{alpha});
  REQUIRE(path.alphas.size() == 100);
  CHECK(one.coef_indptr.size() == 2);
  CHECK(one.n_iter.size() == 1);
  CHECK(one.counters.inserted > 0);
  CHECK(path.counters.inserted == 0);
  CHECK(one.converged.front() == 1);
  CHECK(one.dual_gaps.front() <= options.tol);
  const double unit = one.null_objective - one.saturated_objective;
  CHECK(std::abs(one.primal.front() - path.primal.back()) <= 2.0 * options.tol * unit);
}

}  // namespace

TEST_CASE("steps between two lambdas are of one ratio, and none where they are near") {
  CHECK(lambdas_between(1.0, 1.0).empty());
  CHECK(lambdas_between(1.0, 2.0).empty());
  CHECK(lambdas_between(1.0, 0.0).empty());
  CHECK(lambdas_between(1.0, 0.83).empty());
  const std::vector<double> way = lambdas_between(2.0, 0.02);
  REQUIRE(way.size() == 79);
  double before = 2.0;
  for (const double lambda : way) {
    CHECK(lambda / before == doctest::Approx(std::pow(10.0, -1.0 / 40.0)));
    before = lambda;
  }
  CHECK(0.02 / before == doctest::Approx(std::pow(10.0, -1.0 / 40.0)));
}

TEST_CASE("one alpha is the end of a path: losses and storages") {
  const Storages storages(dosages(kRows, kColumns, 3));
  for (const char* loss :
       {"gaussian", "binomial", "poisson", "huber", "cox", "multigaussian", "multinomial", "multinomial grouped"}) {
    CAPTURE(loss);
    const PathOptions options = check::options_of(loss);
    same_as_the_end_of_a_path(*storages.designs[0], make_problem(storages.X, loss, 5), {}, options);
  }
  const Problem problem = make_problem(storages.X, "gaussian", 5);
  for (const std::size_t storage : {1, 2}) {
    CAPTURE(storage);
    same_as_the_end_of_a_path(*storages.designs[storage], problem, {}, {});
  }
}

TEST_CASE("one alpha is the end of a path: penalties, intercepts and unpenalised features") {
  const Storages storages(dosages(kRows, kColumns, 4));
  const Design& X = *storages.designs[0];
  const Problem problem = make_problem(storages.X, "gaussian", 6);
  PathOptions options;
  options.l1_ratio = 0.3;
  options.fit_intercept = false;
  Features features;
  same_as_the_end_of_a_path(X, problem, features, options);
  options = {};
  options.standardize = false;
  features.penalty_factor = Vec::Ones(kColumns);
  features.penalty_factor[3] = 0.0;
  features.penalty_factor[5] = kInfinity;
  same_as_the_end_of_a_path(X, problem, features, options);
  features = {};
  options = {};
  options.penalty = "slope";
  features.sorted_weights = Vec::LinSpaced(kColumns, 1.0, 0.6);
  same_as_the_end_of_a_path(X, problem, features, options);
  features = {};
  options.penalty = "group";
  for (Index j = 0; j < kColumns; ++j) features.group.push_back(j / 3);
  features.group_weights = Vec::Constant(kColumns / 3, std::sqrt(3.0));
  same_as_the_end_of_a_path(X, problem, features, options);
}

TEST_CASE("penalties that are not convex are led down to their alphas, in problems of any size") {
  for (const Index p : {Index{40}, kColumns}) {
    for (const char* penalty : {"mcp", "scad"}) {
      for (const unsigned seed : {1u, 2u, 3u, 4u}) {
        CAPTURE(p);
        CAPTURE(penalty);
        CAPTURE(seed);
        const Mat X = check::random_matrix(kRows, p, seed);
        const auto design = dense_design(X.data(), kRows, p, 1, kRows);
        const Problem problem = make_problem(X, "gaussian", seed);
        PathOptions options;
        options.penalty = penalty;
        const double largest = largest_alpha(*design, problem, {}, options);
        options.alphas = {0.4 * largest, 0.1 * largest};
        const PathResult few = fit_paths(*design, {problem}, {}, options).front();
        REQUIRE(few.alphas == options.alphas);
        CHECK(few.counters.inserted > 10);
        CHECK(few.locally_convex.size() == 2);
        CHECK(few.dual_gaps.back() <= options.tol);
        std::vector<double> steps{largest};
        for (const double next : {0.4 * largest, 0.1 * largest}) {
          const std::vector<double> way = lambdas_between(steps.back(), next);
          steps.insert(steps.end(), way.begin(), way.end());
          steps.push_back(next);
        }
        options.alphas = steps;
        const PathResult path = fit_paths(*design, {problem}, {}, options).front();
        CHECK(path.counters.inserted == 0);
        CHECK(few.primal.back() == doctest::Approx(path.primal.back()).epsilon(1e-6));
      }
    }
  }
}

TEST_CASE("nothing is inserted where steps are short, few features may enter, or nothing is selected") {
  const Mat X = dosages(kRows, kColumns, 5);
  const auto wide = dense_design(X.data(), kRows, kColumns, 1, kRows);
  const auto narrow = dense_design(X.data(), kRows, 300, 1, kRows);
  const Problem problem = make_problem(X, "gaussian", 7);
  PathOptions options;
  const double largest = largest_alpha(*wide, problem, {}, options);
  const auto inserted = [&](const Design& design, std::vector<double> alphas) {
    options.alphas = std::move(alphas);
    return fit_paths(design, {problem}, {}, options).front().counters.inserted;
  };
  CHECK(inserted(*wide, {}) == 0);
  CHECK(inserted(*wide, {2.0 * largest}) == 0);
  CHECK(inserted(*wide, {0.9 * largest}) == 0);
  CHECK(inserted(*wide, {2.0 * largest, 0.9 * largest, 0.8 * largest}) == 0);
  CHECK(inserted(*narrow, {0.01 * largest}) == 0);
  CHECK(inserted(*wide, {0.05 * largest}) > 0);
  options.l1_ratio = 0.0;
  CHECK(inserted(*wide, {largest}) == 0);
  Problem constant = problem;
  constant.y.setConstant(1.5);
  options = {};
  options.alphas = {1e-3};
  CHECK(fit_paths(*wide, {constant}, {}, options).front().counters.inserted == 0);
}

TEST_CASE("lambdas on the way are the same for any number of threads and parts, for folds too") {
  const Storages storages(dosages(kRows, kColumns, 6));
  const Problem problem = make_problem(storages.X, "gaussian", 8);
  const double largest = largest_alpha(*storages.designs[0], problem, {}, {});
  PathOptions options;
  options.alphas = {0.7 * largest, 0.2 * largest, 0.04 * largest};
  options.keep_linear_predictor = true;
  std::vector<double> told;
  options.progress = [&](Index, Index, double alpha, Index, double, double) {
    told.push_back(alpha);
    return true;
  };
  for (const auto& design : storages.designs) {
    told.clear();
    const auto whole = fit_paths(*design, with_folds(problem), {}, options);
    CHECK(told == options.alphas);
    CHECK(whole.front().counters.inserted > 0);
    for (const PathResult& result : whole) {
      CHECK(result.alphas == options.alphas);
      for (const auto converged : result.converged) CHECK(converged == 1);
    }
    CHECK(whole.back().linear_predictor.cols() == 3);
    for (const Index parts : {2, 7}) {
      options.threads = parts == 2 ? 2 : 1;
      CHECK(same(fit_paths_in_parts(*design, with_folds(problem), {}, options, parts), whole));
    }
    options.threads = 1;
  }
}

TEST_CASE("a fit that was killed on the way to an alpha goes on from there to the same bits") {
  const Mat X = dosages(kRows, kColumns, 7);
  const auto design = dense_design(X.data(), kRows, kColumns, 1, kRows);
  const fs::path folder = fs::temp_directory_path() / ("riata_" + std::to_string(std::random_device{}()));
  fs::create_directory(folder);
  for (const char* loss : {"gaussian", "binomial"}) {
    CAPTURE(loss);
    const auto problems = with_folds(make_problem(X, loss, 9));
    PathOptions options = check::options_of(loss);
    options.alphas = {0.05 * largest_alpha(*design, problems.front(), {}, options)};
    const auto expected = fit_paths(*design, problems, {}, options);
    options.checkpoint = (folder / loss).string();
    options.checkpoint_seconds = 0.0;
    std::vector<std::string> states;
    options.poll = [&] {  // as often as the file has changed
      std::ifstream in(options.checkpoint, std::ios::binary);
      if (!in) return;
      std::string now{std::istreambuf_iterator<char>(in), {}};
      if (states.empty() || states.back() != now) states.push_back(std::move(now));
    };
    CHECK(same(fit_paths(*design, problems, {}, options), expected));
    REQUIRE(states.size() > 10);
    options.poll = {};
    for (std::size_t i = 0; i < states.size(); i += 5) {
      std::ofstream(options.checkpoint, std::ios::binary) << states[i];
      CHECK(checkpoint_progress(options.checkpoint).done == 0);
      CHECK(same(fit_paths(*design, problems, {}, options), expected));
    }
  }
  fs::remove_all(folder);
}

TEST_CASE("what a lambda on the way leaves undone is no failure of the one that was asked for") {
  const Mat X = dosages(kRows, kColumns, 8);
  const auto design = dense_design(X.data(), kRows, kColumns, 1, kRows);
  const Problem problem = make_problem(X, "binomial", 10);
  PathOptions options = check::options_of("binomial");
  options.solver = Solver::kDescent;
  options.alphas = {0.1 * largest_alpha(*design, problem, {}, options)};
  options.max_iter = 1;
  const PathResult hurried = fit_paths(*design, {problem}, {}, options).front();
  CHECK(hurried.counters.inserted > 0);
  REQUIRE(hurried.alphas == options.alphas);
  CHECK((hurried.converged.front() == 1) == (std::abs(hurried.dual_gaps.front()) <= options.tol));
  CHECK(hurried.dual_gaps.front() >= -1e-12);
  options.max_iter = 10000;
  const PathResult whole = fit_paths(*design, {problem}, {}, options).front();
  CHECK(whole.converged.front() == 1);
  CHECK(whole.primal.front() <= hurried.primal.front() + 1e-12);
}

TEST_CASE("a bound on the number of active features is that of the alphas asked for") {
  const Mat X = dosages(kRows, kColumns, 9);
  const auto design = dense_design(X.data(), kRows, kColumns, 1, kRows);
  const Problem problem = make_problem(X, "gaussian", 11);
  PathOptions options;
  const double largest = largest_alpha(*design, problem, {}, options);
  options.alphas = {0.8 * largest, 0.05 * largest, 0.04 * largest};
  options.max_active = 10;
  const PathResult r = fit_paths(*design, {problem}, {}, options).front();
  CHECK(r.alphas == std::vector<double>{0.8 * largest});
  CHECK(r.stopped == "max_active");
  options.alphas.erase(options.alphas.begin());
  CHECK_THROWS_AS(fit_paths(*design, {problem}, {}, options), std::invalid_argument);
}
