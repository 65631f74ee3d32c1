#include "path/free_basis.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "check_design.hpp"
#include "penalty/elastic_net.hpp"
#include "riata/design/dense.hpp"

using namespace riata;
using namespace riata::check;

namespace {

constexpr Index kRows = 30;

std::vector<Problem> one_problem() {
  Problem problem;
  problem.y = random_matrix(kRows, 1, 61);
  problem.weights = Vec::Ones(kRows);
  problem.weights[3] = 0.0;
  return {problem};
}

/// Columns 1 and 3 are free, column 2 has a bound and column 0 a penalty.
Features features(Index p) {
  Features out;
  out.penalty_factor = Vec::Ones(p);
  out.penalty_factor[1] = out.penalty_factor[2] = out.penalty_factor[3] = 0.0;
  out.lower = Vec::Constant(p, -kInfinity);
  out.lower[2] = -1.0;
  return out;
}

}  // namespace

TEST_CASE("free columns that are far from collinear are worked on as they are") {
  const Mat X = random_matrix(kRows, 4, 62);
  const auto design = dense_design(X.data(), kRows, 4, 1, kRows);
  CHECK_FALSE(FreeBasis::find(*design, one_problem(), features(4), PathOptions{}));
  CHECK_FALSE(FreeBasis::find(*design, one_problem(), Features{}, PathOptions{}));
}

TEST_CASE("nearly collinear free columns have an orthonormal basis in their place, which gives coefficients back") {
  Mat X = random_matrix(kRows, 4, 62);
  X.col(3) = X.col(1) + 1e-6 * X.col(3);
  X.col(1).array() += 5.0;
  const auto design = dense_design(X.data(), kRows, 4, 1, kRows);
  const std::vector<Problem> problems = one_problem();
  const auto basis = FreeBasis::find(*design, problems, features(4), PathOptions{});
  REQUIRE(basis);
  REQUIRE(basis->design().cols() == 6);
  CHECK(basis->features().penalty_factor == Vec{{1.0, kInfinity, 0.0, kInfinity, 0.0, 0.0}});
  CHECK(basis->features().lower[2] == -1.0);
  CHECK(basis->features().lower[4] == -kInfinity);
  Mat Q(kRows, 2);
  basis->design().gather(std::vector<Index>{4, 5}, Q, 1);
  const Vec weights = problems[0].weights / problems[0].weights.sum();
  CHECK((Q.transpose() * weights.asDiagonal() * Q - Mat::Identity(2, 2)).cwiseAbs().maxCoeff() < 1e-12);
  // Centred, but for the rounding of entries near 5 over the 1e-6 that tells the columns apart.
  CHECK((Q.transpose() * weights).cwiseAbs().maxCoeff() < 1e-9);

  PathResult result;  // b = (0.5, -, 0, -, 2, -3) and intercept 1
  result.alphas = {0.1};
  result.coef_indptr = {0, 3};
  result.coef_indices = {0, 4, 5};
  result.coef_values = {0.5, 2.0, -3.0};
  result.intercepts = {1.0};
  result.n_active = {3};
  result.mean = result.scale = Vec::Ones(6);
  basis->restore(result, PathOptions{});
  REQUIRE(result.coef_indices == std::vector<Index>{0, 1, 3});
  CHECK(result.coef_values[0] == 0.5);
  CHECK(result.n_active[0] == 3);
  CHECK(result.mean.size() == 4);
  CHECK(result.dependent.empty());
  // The same predictions from the features themselves, in rows of weight zero too.
  const Vec want = (Q * Vec{{2.0, -3.0}}).array() + 1.0;
  const Vec got = (result.coef_values[1] * X.col(1) + result.coef_values[2] * X.col(3)).array() + result.intercepts[0];
  CHECK((got - want).cwiseAbs().maxCoeff() < 1e-7);
}

TEST_CASE("a free column that others make up has no coefficient, and is told") {
  Mat X = random_matrix(kRows, 4, 62);
  X.col(3) = 2.0 * X.col(1).array() - 1.0;
  const auto design = dense_design(X.data(), kRows, 4, 1, kRows);
  const auto basis = FreeBasis::find(*design, one_problem(), features(4), PathOptions{});
  REQUIRE(basis);
  REQUIRE(basis->design().cols() == 5);
  PathResult result;
  result.mean = result.scale = Vec::Ones(5);
  basis->restore(result, PathOptions{});
  REQUIRE(result.dependent.size() == 1);
  CHECK((result.dependent[0] == 1 || result.dependent[0] == 3));
}
