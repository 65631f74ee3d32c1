#include "path/latent_groups.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "check_design.hpp"
#include "penalty/elastic_net.hpp"
#include "riata/design/dense.hpp"

using namespace riata;
using namespace riata::check;

TEST_CASE("groups that do not overlap need no columns of their own") {
  const Mat X = random_matrix(4, 3, 71);
  const auto design = dense_design(X.data(), 4, 3, 1, 4);
  Features features;
  features.group = {0, 0, 1};
  CHECK_FALSE(LatentGroups::find(*design, features));
}

TEST_CASE("overlapping groups have a column for each member, whose parts add up to a feature's coefficient") {
  // Groups {0, 1} and {1, 2}: column 1 is in both.
  const Mat X = random_matrix(4, 3, 71);
  const auto design = dense_design(X.data(), 4, 3, 1, 4);
  Features features;
  features.column = {0, 1, 1, 2};
  features.group = {0, 0, 1, 1};
  features.group_weights = Vec::Ones(2);
  features.penalty_factor = Vec{{1.0, 0.0, 1.0}};
  const auto groups = LatentGroups::find(*design, features);
  REQUIRE(groups);
  CHECK(groups->design().cols() == 4);
  Mat out(4, 4);
  groups->design().gather(std::vector<Index>{0, 1, 2, 3}, out, 1);
  CHECK(out == X(Eigen::all, std::vector<Index>{0, 1, 1, 2}));
  // Of a feature that is free one column does.
  CHECK(groups->features().penalty_factor == Vec{{1.0, 0.0, kInfinity, 1.0}});

  PathResult result;
  result.alphas = {0.2, 0.1};
  result.coef_indptr = {0, 2, 5};
  result.coef_indices = {1, 2, 0, 2, 3};
  result.coef_values = {0.5, -0.5, 1.0, 2.0, 3.0};
  result.n_active = {2, 3};
  result.mean = Vec{{1.0, 2.0, 2.0, 3.0}};
  result.scale = Vec{{4.0, 5.0, 5.0, 6.0}};
  groups->restore(result);
  CHECK(result.coef_indptr == std::vector<Index>{0, 0, 3});  // two parts that cancel are no coefficient
  CHECK(result.coef_indices == std::vector<Index>{0, 1, 2});
  CHECK(result.coef_values == std::vector<double>{1.0, 2.0, 3.0});
  CHECK(result.n_active == std::vector<Index>{0, 3});
  CHECK(result.part_indices == std::vector<Index>{1, 2, 0, 2, 3});
  CHECK(result.mean == Vec{{1.0, 2.0, 3.0}});
  CHECK(result.scale == Vec{{4.0, 5.0, 6.0}});
}
