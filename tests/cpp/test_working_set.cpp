#include "solver/working_set.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace riata;

TEST_CASE("features of a working set keep their numbers, and new ones are told where old ones went") {
  WorkingSet work(10);
  CHECK(work.size() == 0);
  CHECK_FALSE(work.contains(3));
  CHECK(work.assign({7, 3, 5}).empty());
  CHECK(work.features() == std::vector<Index>{7, 3, 5});
  CHECK(work.number(3) == 1);
  CHECK(work.number(4) == -1);
  CHECK(work.assign({5, 9, 7}) == std::vector<Index>{2, -1, 0});
  CHECK(work.number(3) == -1);
  CHECK(work.number(9) == 1);
  CHECK(work.number(7) == 2);
}
