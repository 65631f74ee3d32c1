#include "path/solver_choice.hpp"

#include <doctest/doctest.h>

using namespace riata;

namespace {

constexpr SolverChoice::Situation kSmall{50, 100.0, 0.0}, kLarge{4000, 1e4, 0.0};

}  // namespace

TEST_CASE("small supports have the factor") {
  SolverChoice choice;
  for (int k = 0; k < 200; ++k) {
    CHECK(choice.next(kSmall) == "homotopy");
    choice.report("homotopy", 1e4, true, kSmall);
  }
}

TEST_CASE("descent is tried, with what the factor costs as its budget, once a step with that is dear") {
  SolverChoice choice;
  CHECK(choice.next(kLarge) == "cd");
  CHECK(choice.budget() == doctest::Approx(2.0 * 4000.0 * 4000.0));  // 2 for each pair, as long as nothing was seen
}

TEST_CASE("descent stays while it is the cheaper one") {
  SolverChoice choice;
  choice.next(kLarge);
  choice.report("cd", 1e6, true, kLarge);
  CHECK(choice.next(kLarge) == "cd");
  CHECK(choice.budget() > 1e6);
  choice.report("cd", 1e12, true, kLarge);  // it got there, but dearly
  CHECK(choice.next(kLarge) == "homotopy");
}

TEST_CASE("after a failure descent waits, longer each time") {
  SolverChoice choice;
  Index waits[3] = {};
  for (Index& wait : waits) {
    while (choice.next(kLarge) != "cd") {
      choice.report("homotopy", 3.2e7, true, kLarge);
      ++wait;
    }
    choice.report("cd", choice.budget(), false, kLarge);
  }
  CHECK(waits[0] == 0);
  CHECK(waits[1] == 4);
  CHECK(waits[2] == 8);
}

TEST_CASE("what a step cost is held against the square of the active features, without the making of the factor") {
  SolverChoice choice;
  SolverChoice::Situation now{2000, 100.0, 1.0};
  choice.next(now);
  const double build = 2000.0 * 2000.0 * (0.03 * 2000.0 + 0.1 * 100.0);
  choice.report("homotopy", build + 5.0 * 2000.0 * 2000.0, true, now);
  now.builds = 0.0;
  CHECK(choice.next(now) == "cd");
  CHECK(choice.budget() == doctest::Approx(5.0 * 2000.0 * 2000.0));
}
