#include "path/asked_grid.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace riata;

TEST_CASE("alphas that are given are the grid") {
  PathOptions options;
  options.alphas = {0.3, 0.1};
  CHECK(asked_grid(options, 5, 10, 7.0) == std::vector<double>{0.3, 0.1});
}

TEST_CASE("grids end at 0.01 or 0.0001 of their beginning, with more features than rows or less, or where eps says") {
  PathOptions options;
  options.n_alphas = 3;
  CHECK(asked_grid(options, 11, 10, 2.0).back() == doctest::Approx(0.02));
  CHECK(asked_grid(options, 10, 10, 2.0).back() == doctest::Approx(2e-4));
  CHECK(asked_grid(options, 11, 10, 2.0)[1] == doctest::Approx(0.2));  // geometric
  options.l1_ratio = 0.5;  // the lasso's grid, which begins at half of lambda_max
  CHECK(asked_grid(options, 11, 10, 2.0).back() == doctest::Approx(0.01));
  options.l1_ratio = 0.0;
  CHECK(asked_grid(options, 11, 10, 2.0).back() == doctest::Approx(2e-5));
  options.eps = 0.5;
  CHECK(asked_grid(options, 11, 10, 2.0).back() == doctest::Approx(1.0));
}

TEST_CASE("a response with nothing to explain has a grid all the same") {
  PathOptions options;
  options.n_alphas = 4;
  CHECK(asked_grid(options, 5, 10, 0.0) == std::vector<double>(4, kNothingToExplain));
}
