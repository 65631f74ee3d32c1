#include <doctest/doctest.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "design/adjacent_linkage.hpp"
#include "path_problems.hpp"
#include "riata/design/ld_groups.hpp"

using namespace riata;
using namespace riata::check;

namespace {

/// Sums of a table of similarities of items with those that follow.
FollowingSums sums_of(const Mat& similarity) {
  std::vector<Index> reach;
  for (Index a = 0; a < similarity.rows(); ++a) reach.push_back(similarity.rows() - 1 - a);
  FollowingSums sums(reach);
  for (Index a = 0; a < similarity.rows(); ++a) {
    double sum = 0.0;
    Index b = a;
    for (double& each : sums.row(a)) each = sum += similarity(a, ++b);
  }
  return sums;
}

}  // namespace

TEST_CASE("sums between neighbours") {
  Mat s(4, 4);
  s << 0, 1, 2, 4, 0, 0, 8, 16, 0, 0, 0, 32, 0, 0, 0, 0;
  const FollowingSums sums = sums_of(s);
  CHECK(sums.between(0, 1, 2) == 1.0);
  CHECK(sums.between(0, 2, 4) == 2.0 + 4.0 + 8.0 + 16.0);
  CHECK(sums.between(1, 2, 3) == 8.0);
  CHECK(sums.between(1, 3, 4) == 16.0 + 32.0);
}

TEST_CASE("equal means: the leftmost neighbours first, and a bound on the size") {
  const Mat equal = Mat::Constant(7, 7, 0.5);
  const std::vector<double> cuts{0.5};
  using Firsts = std::vector<std::vector<Index>>;
  CHECK(adjacent_linkage(sums_of(equal), cuts, 7) == Firsts{{0}});
  CHECK(adjacent_linkage(sums_of(equal), cuts, 3) == Firsts{{0, 3, 6}});
  CHECK(adjacent_linkage(sums_of(equal), cuts, 1) == Firsts{{0, 1, 2, 3, 4, 5, 6}});
  CHECK(adjacent_linkage(sums_of(equal), std::vector<double>{0.6, 0.5, 0.1}, 4) ==
        Firsts{{0, 1, 2, 3, 4, 5, 6}, {0, 4}, {0, 4}});
}

TEST_CASE("groups of neighbours agree between storages, whatever the number of threads") {
  const Storages storages(dosages(90, 200, 5));
  std::vector<Index> columns, reach;
  for (Index j = 0; j < 200; ++j) {
    columns.push_back(j);
    reach.push_back(std::min<Index>(20, 199 - j));
  }
  Vec rows = Vec::Ones(90);
  rows.head(10).setZero();
  NeighbourOptions options{.r2 = {0.3, 0.1}, .max_size = 6};
  const auto expected = neighbour_groups(*storages.designs[0], columns, reach, rows, options);
  CHECK(expected[0].back() > expected[1].back());
  for (const auto& design : storages.designs) {
    for (const int threads : {1, 3}) {
      options.threads = threads;
      CHECK(neighbour_groups(*design, columns, reach, rows, options) == expected);
    }
  }
  CHECK_THROWS_AS(neighbour_groups(*storages.designs[0], columns, reach, Vec::Zero(90), options),
                  std::invalid_argument);
  options.r2 = {0.1, 0.3};
  CHECK_THROWS_AS(neighbour_groups(*storages.designs[0], columns, reach, rows, options), std::invalid_argument);
}

TEST_CASE("groups of correlated columns: a bound on the pairs that are held") {
  const Storages storages(dosages(90, 100, 6));
  const NeighbourOptions options{.r2 = {0.1}, .max_size = 5, .threads = 2};
  const auto expected = correlated_groups(*storages.designs[0], Vec::Ones(90), options, 10000);
  for (const auto& design : storages.designs) {
    CHECK(correlated_groups(*design, Vec::Ones(90), options, 10000) == expected);
  }
  CHECK_THROWS_AS(correlated_groups(*storages.designs[0], Vec::Ones(90), options, 3), std::invalid_argument);
}
