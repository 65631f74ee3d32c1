#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "check_design.hpp"
#include "path/validation_record.hpp"
#include "path_problems.hpp"
#include "riata/cross_validation.hpp"

using namespace riata;

namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

/// Where costs, each with an error, end a path; -1: nowhere.
Index end_of(const std::vector<double>& costs, double error, Index patience) {
  ValidationRecord record;
  for (const double cost : costs) {
    record.add({cost, error});
    if (record.ends(patience)) return record.size() - 1;
  }
  return -1;
}

/// A response of a few columns with noise, half of the rows to train on and the others held out.
struct Halves {
  explicit Halves(Index p, unsigned seed) : X(check::random_matrix(n, p, seed)) {
    const Vec y = X.col(0) - X.col(1) + 1.5 * check::random_matrix(n, 1, seed + 1).col(0);
    problems.assign(2, Problem{y, Vec::Ones(n)});
    for (Index i = 1; i < n; i += 2) problems[1].weights[i] = 0.0;
  }

  /// Squared errors of rows that are held out, from the definition; their number stands in for its error.
  HeldOutScore score(const Vec& eta) const {
    double sum = 0.0;
    for (Index i = 1; i < n; i += 2) sum += std::pow(problems[1].y[i] - eta[i / 2], 2);
    return {2.0 * sum / n, 0.05};
  }

  static constexpr Index n = 60;
  Mat X;
  std::vector<Problem> problems;
};

PathOptions grid() {
  PathOptions options;
  options.n_alphas = 40;
  options.eps = 1e-3;
  options.tol = 1e-9;
  options.stop_early = false;
  options.keep_linear_predictor = true;
  return options;
}

}  // namespace

TEST_CASE("costs that stay above the best by more than its error end a path") {
  const std::vector<double> falls_and_rises{5.0, 3.0, 2.0, 2.05, 2.2, 2.3, 2.4, 2.5};
  CHECK(end_of(falls_and_rises, 0.1, 1) == 4);
  CHECK(end_of(falls_and_rises, 0.1, 3) == 6);
  CHECK(end_of(falls_and_rises, 0.1, 5) == -1);
  CHECK(end_of(falls_and_rises, 1.0, 1) == -1);
  CHECK(end_of(falls_and_rises, 0.1, 0) == -1);
  CHECK(end_of({1.0, 2.0, 1.05, 2.0, 2.0}, 0.1, 2) == 4);                     // in a row
  CHECK(end_of({1.0, 2.0, 2.0, 0.5, 2.0, 2.0, 2.0}, 0.1, 3) == 6);            // a new best
  CHECK(end_of({kNothing, 1.0, 2.0, kNothing, 2.0, kNothing}, 0.1, 2) == 4);  // what says nothing does not count
  const double inf = std::numeric_limits<double>::infinity();
  CHECK(end_of({1.0, inf, inf}, 0.1, 2) == 2);
}

TEST_CASE("a path and those that follow it end where held-out rows say so, with the bits that it had") {
  for (const Index p : {20, 200}) {  // several alphas ahead, and one
    CAPTURE(p);
    const Halves halves(p, 3);
    const auto design = dense_design(halves.X.data(), Halves::n, p, 1, Halves::n);
    PathOptions options = grid();
    const auto whole = fit_paths(*design, halves.problems, {}, options);
    std::vector<double> costs;
    for (Index k = 0; k < 40; ++k) costs.push_back(halves.score(whole[1].linear_predictor.col(k)).cost);
    const Index end = end_of(costs, 0.05, 4);
    REQUIRE(end > 4);
    REQUIRE(end < 39);

    options.patience = 4;
    options.held_out = [&](Index leader, double alpha, const std::vector<Vec>& predictors) {
      CHECK(leader == 0);
      CHECK(alpha <= whole[0].alphas.front());
      return halves.score(predictors[1]);
    };
    const auto stopped = fit_paths(*design, halves.problems, {}, options);
    for (std::size_t f = 0; f < 2; ++f) {
      CHECK(stopped[f].stopped == "patience");
      REQUIRE(static_cast<Index>(stopped[f].alphas.size()) == end + 1);
      const auto same = [](const auto& some, const auto& all) {
        return std::equal(some.begin(), some.end(), all.begin());
      };
      CHECK(same(stopped[f].alphas, whole[f].alphas));
      CHECK(same(stopped[f].coef_values, whole[f].coef_values));
      CHECK(same(stopped[f].dual_gaps, whole[f].dual_gaps));
    }
  }
}

TEST_CASE("problems that lead end by what is said of each") {
  const Halves halves(100, 5);
  const auto design = dense_design(halves.X.data(), Halves::n, 100, 1, Halves::n);
  std::vector<Problem> problems = halves.problems;
  problems.insert(problems.end(), halves.problems.begin(), halves.problems.end());
  problems[2].leader = problems[3].leader = 2;
  PathOptions options = grid();
  options.patience = 2;
  std::vector<Index> told(4, 0);
  options.held_out = [&](Index leader, double, const std::vector<Vec>& predictors) {
    const std::size_t other = leader == 0 ? 3 : 1;
    CHECK(predictors[other].size() == 0);
    const Index count = ++told[static_cast<std::size_t>(leader)];
    return HeldOutScore{leader == 0 && count > 5 ? 2.0 : 1.0, 0.0};
  };
  const auto fits = fit_paths(*design, problems, {}, options);
  CHECK(fits[0].alphas.size() == 7);
  CHECK(fits[1].alphas.size() == 7);
  CHECK(fits[2].alphas.size() == 40);
  CHECK(fits[0].stopped == "patience");
  CHECK(fits[2].stopped == "");
}

TEST_CASE("ridges in the space of samples end as others do") {
  const Halves halves(150, 7);
  const auto design = dense_design(halves.X.data(), Halves::n, 150, 1, Halves::n);
  PathOptions options = grid();
  options.l1_ratio = 0.0;
  options.patience = 3;
  Index told = 0;
  options.held_out = [&](Index, double, const std::vector<Vec>&) { return HeldOutScore{++told > 10 ? 2.0 : 1.0, 0.0}; };
  const auto fits = fit_paths(*design, halves.problems, {}, options);
  CHECK(fits[0].alphas.size() == 13);
  CHECK(fits[1].alphas.size() == 13);
  CHECK(fits[0].stopped == "patience");
}

TEST_CASE("every row can be told, with its offset, of whatever weight") {
  const Index n = 90, p = 30;
  const Mat X = check::dosages(n, p, 11);
  const auto design = dense_design(X.data(), n, p, 1, n);
  for (const std::string loss : {"gaussian", "binomial", "poisson", "cox", "multinomial"}) {
    CAPTURE(loss);
    Problem problem = check::make_problem(X, loss, 12);
    problem.weights[3] = problem.weights[40] = 0.0;
    problem.offset = 0.3 * check::random_matrix(problem.y.size(), 1, 13);
    PathOptions options = check::options_of(loss);
    options.n_alphas = 8;
    options.tol = 1e-10;
    options.tell_every_row = true;
    std::vector<Vec> told;
    options.held_out = [&](Index, double, const std::vector<Vec>& predictors) {
      told.push_back(predictors.front());
      return HeldOutScore{};
    };
    const PathResult fit = fit_paths(*design, {problem}, {}, options).front();
    REQUIRE(told.size() == fit.alphas.size());
    CHECK(fit.linear_predictor.size() == 0);
    const Index K = fit.outputs;
    for (std::size_t k = 0; k < told.size(); ++k) {
      for (Index output = 0; output < K; ++output) {
        Vec eta = X * fit.coef(k, output) + problem.offset.segment(output * n, n);
        eta.array() += fit.intercepts[k * static_cast<std::size_t>(K) + static_cast<std::size_t>(output)];
        Vec got = told[k].segment(output * n, n);
        if (loss == "cox") {  // which knows no level
          eta.array() -= eta.mean();
          got.array() -= got.mean();
        }
        check::close(got, eta, 1e-9);
      }
    }
  }
}

TEST_CASE("cross-validation ends with patience where its scores say, and chooses as along the whole path") {
  const Mat X = check::random_matrix(120, 60, 21);
  const Vec y = X.col(0) - X.col(1) + 1.5 * check::random_matrix(120, 1, 22).col(0);
  const std::vector<Index> fold = deal_folds(120, 5);
  PathOptions options = grid();
  const CvResult whole = cv_paths(X, {Problem{y}}, fold, options).front();
  ValidationRecord record;
  while (record.size() < 40 && !record.ends(5)) record.add({whole.mean[record.size()], whole.error[record.size()]});
  REQUIRE(record.size() < 40);
  options.patience = 5;
  const CvResult cv = cv_paths(X, {Problem{y}}, fold, options).front();
  CHECK(cv.path.stopped == "patience");
  CHECK(static_cast<Index>(cv.path.alphas.size()) == record.size());
  CHECK(check::same_bits(cv.scores, whole.scores.leftCols(record.size())));
  CHECK(cv.best == whole.best);
  CHECK(cv.one_se == whole.one_se);
}

TEST_CASE("patience without scores is refused") {
  const Halves halves(10, 9);
  const auto design = dense_design(halves.X.data(), Halves::n, 10, 1, Halves::n);
  const auto refused = [&](PathOptions options, const char* message) {
    CHECK_THROWS_WITH_AS(fit_paths(*design, halves.problems, {}, options), message, std::invalid_argument);
  };
  PathOptions options;
  options.patience = 3;
  refused(options, "patience needs held_out, which scores held-out rows");
  options.held_out = [](Index, double, const std::vector<Vec>&) { return HeldOutScore{}; };
  refused(options, "held_out needs keep_linear_predictor or tell_every_row");
  options.patience = -1;
  refused(options, "patience must be >= 0, got -1");
}
