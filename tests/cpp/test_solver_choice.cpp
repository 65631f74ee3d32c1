#include "path/solver_choice.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

using namespace riata;

namespace {

constexpr SolverChoice::Situation kSmall{50, 100.0, 0.0}, kLarge{4000, 1e4, 0.0};

}  // namespace

TEST_CASE("solvers have a name each, and those that can be asked for are found by it") {
  for (const Solver solver : {Solver::kAuto, Solver::kActiveSet, Solver::kDescent, Solver::kProximal}) {
    CHECK(solver_named(name_of(solver)) == solver);
  }
  CHECK(name_of(Solver::kActiveSet) == "active_set");
  CHECK(solver_named("homotopy") == Solver::kActiveSet);  // its earlier name
  CHECK(name_of(Solver::kNewton) == "newton");
  CHECK_THROWS_WITH_AS(solver_named("lars"),
                       "solver must be one of \"auto\", \"active_set\", \"cd\", \"prox\", got \"lars\"",
                       std::invalid_argument);
}

TEST_CASE("small supports have the factor") {
  SolverChoice choice;
  for (int k = 0; k < 200; ++k) {
    CHECK(choice.next(kSmall) == Solver::kActiveSet);
    choice.report(Solver::kActiveSet, 1e4, true, kSmall);
  }
}

TEST_CASE("descent is tried, with what the factor costs as its budget, once a step with that is dear") {
  SolverChoice choice;
  CHECK(choice.next(kLarge) == Solver::kDescent);
  CHECK(choice.budget() == doctest::Approx(2.0 * 4000.0 * 4000.0));  // 2 for each pair, as long as nothing was seen
}

TEST_CASE("descent stays while it is the cheaper one") {
  SolverChoice choice;
  choice.next(kLarge);
  choice.report(Solver::kDescent, 1e6, true, kLarge);
  CHECK(choice.next(kLarge) == Solver::kDescent);
  CHECK(choice.budget() > 1e6);
  choice.report(Solver::kDescent, 1e12, true, kLarge);  // it got there, but dearly
  CHECK(choice.next(kLarge) == Solver::kActiveSet);
}

TEST_CASE("after a failure descent waits, longer each time") {
  SolverChoice choice;
  Index waits[3] = {};
  for (Index& wait : waits) {
    while (choice.next(kLarge) != Solver::kDescent) {
      choice.report(Solver::kActiveSet, 3.2e7, true, kLarge);
      ++wait;
    }
    choice.report(Solver::kDescent, choice.budget(), false, kLarge);
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
  choice.report(Solver::kActiveSet, build + 5.0 * 2000.0 * 2000.0, true, now);
  now.builds = 0.0;
  CHECK(choice.next(now) == Solver::kDescent);
  CHECK(choice.budget() == doctest::Approx(5.0 * 2000.0 * 2000.0));
}

TEST_CASE("who follows another tries descent only while that one goes by it") {
  SolverChoice leader, follower;
  follower.follow(leader);
  for (int k = 0; k < 20; ++k) CHECK(follower.next(kLarge) == Solver::kActiveSet);
  leader.next(kLarge);
  leader.report(Solver::kDescent, 1e6, true, kLarge);
  follower.follow(leader);
  CHECK(follower.next(kLarge) == Solver::kDescent);
  follower.report(Solver::kDescent, 1e9, false, kLarge);  // not for this one
  follower.follow(leader);
  CHECK(follower.next(kLarge) == Solver::kActiveSet);
}
