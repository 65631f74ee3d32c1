#include <doctest/doctest.h>

#include <cmath>

#include "path/lambda_grid.hpp"

using riata::lambda_grid;

TEST_CASE("a grid falls geometrically from the largest value to its share") {
  const auto grid = lambda_grid(3.0, 50, 0.01);
  REQUIRE(grid.size() == 50);
  CHECK(grid.front() == 3.0);
  CHECK(grid.back() == 3.0 * 0.01);
  for (std::size_t k = 1; k < grid.size(); ++k) {
    CHECK(grid[k] < grid[k - 1]);
    CHECK(grid[k] / grid[k - 1] == doctest::Approx(std::pow(0.01, 1.0 / 49.0)).epsilon(1e-13));
  }
}

TEST_CASE("a grid of one value is the largest one") {
  CHECK(lambda_grid(0.7, 1, 0.01) == std::vector<double>{0.7});
  CHECK(lambda_grid(0.7, 2, 0.25) == std::vector<double>{0.7, 0.7 * 0.25});
}
