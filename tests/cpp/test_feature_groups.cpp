#include "penalty/feature_groups.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace riata;

TEST_CASE("features that take part are in their group, the others in none") {
  const FeatureGroups groups({1, 0, 1, 2, 1}, {true, true, true, false, true}, 4);
  CHECK(groups.count() == 4);
  CHECK(groups.members(0) == std::vector<Index>{1});
  CHECK(groups.members(1) == std::vector<Index>{0, 2, 4});
  CHECK(groups.members(2).empty());
  CHECK(groups.members(3).empty());
  CHECK(groups.of(2) == 1);
  CHECK(groups.of(3) == -1);
  CHECK(groups.typical_size() == 1);  // 4 / 4
}

TEST_CASE("the typical size is the mean, at least 1") {
  CHECK(FeatureGroups().typical_size() == 1);
  CHECK(FeatureGroups({0, 0, 0, 1, 1, 1, 1}, std::vector<bool>(7, true), 2).typical_size() == 3);
}
