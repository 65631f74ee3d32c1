#include "path/response.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <stdexcept>
#include <vector>

#include "check_design.hpp"

using namespace riata;

namespace {

Problem make_problem(Vec y) {
  Problem problem;
  problem.weights = Vec::Ones(y.size());
  problem.y = std::move(y);
  return problem;
}

}  // namespace

TEST_CASE("squares: offset and level go into y, and rows of weight zero are held out") {
  Problem problem = make_problem(Vec{{3.0, 5.0, 1e6, 4.0}});
  problem.weights = Vec{{1.0, 2.0, 0.0, 1.0}};
  problem.offset = Vec{{1.0, 1.0, 7.0, 1.0}};
  const Response response(problem, PathOptions{});
  CHECK(response.held_out == std::vector<Index>{2});
  CHECK(response.offset.size() == 0);
  CHECK(response.y_shift[0] == doctest::Approx(3.25));  // mean of 2, 4, 4, 3 by weight
  CHECK(response.deviance == doctest::Approx(0.5 * (1.25 * 1.25 + 2.0 * 0.75 * 0.75 + 0.25 * 0.25) / 4.0));
  CHECK(std::abs(response.u.sum()) <= 1e-15);
  CHECK(response.u[2] == 0.0);
}

TEST_CASE("without an intercept the level is part of the deviance, but no variation") {
  PathOptions options;
  options.fit_intercept = false;
  const Response response(make_problem(Vec{{2.0, 4.0}}), options);
  CHECK(response.y_shift[0] == 0.0);
  CHECK(response.deviance == doctest::Approx(0.25 * (4.0 + 16.0)));
  CHECK(response.spread == doctest::Approx(0.25 * (1.0 + 1.0)));
}

TEST_CASE("classes: the intercept gives the share of ones, and u sums to zero") {
  PathOptions options;
  options.loss = "binomial";
  const Response response(make_problem(Vec{{1.0, 0.0, 0.0, 0.0}}), options);
  CHECK(response.g[0] == doctest::Approx(std::log(1.0 / 3.0)));
  CHECK(std::abs(response.u.sum()) <= 1e-15);
  CHECK(response.deviance == doctest::Approx(-(0.25 * std::log(0.25) + 0.75 * std::log(0.75))));
}

TEST_CASE("squares that would leave the range of numbers are refused") {
  for (const double size : {1e160, 1e-160}) {
    CHECK_THROWS_AS(Response(make_problem(Vec{{size, -size, 0.0}}), PathOptions{}), std::invalid_argument);
  }
  CHECK_NOTHROW(Response(make_problem(Vec{{7.0, 7.0, 7.0}}), PathOptions{}));
}
