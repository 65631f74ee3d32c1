#include <doctest/doctest.h>

#include "solver/curvature_reuse.hpp"

using riata::CurvatureReuse;

TEST_CASE("an old curvature is renewed once its extra steps have cost as much as a factor") {
  CurvatureReuse reuse;
  reuse.renewed(100.0);
  for (int step = 0; step < 3; ++step) reuse.stepped(30.0, 1.0, 0.1, true);
  for (int lambda = 0; lambda < 3; ++lambda) {
    reuse.begin();
    CHECK_FALSE(reuse.due(10.0));
    for (int step = 0; step < 4; ++step) reuse.stepped(30.0, 1.0, 0.1, true);  // one more than at first
  }
  reuse.begin();
  CHECK_FALSE(reuse.due(10.0));  // 90 of 100
  for (int step = 0; step < 4; ++step) reuse.stepped(30.0, 1.0, 0.1, true);
  CHECK(reuse.due(10.0));
  reuse.renewed(100.0);
  CHECK_FALSE(reuse.due(10.0));
  CHECK(reuse.builds() == doctest::Approx(2.0 / 19.0));
}

TEST_CASE("a curvature is renewed when the present lambda would take too many steps") {
  CurvatureReuse reuse;
  reuse.renewed(100.0);
  reuse.stepped(30.0, 1.0, 0.5, true);
  CHECK_FALSE(reuse.due(4.0));  // two steps
  CHECK(reuse.due(1e3));        // ten
  reuse.stepped(30.0, 1.0, 0.9, true);
  CHECK(reuse.due(2.0));
}

TEST_CASE("a step on which features changed says nothing of the curvature") {
  CurvatureReuse reuse;
  reuse.renewed(1e6);
  reuse.stepped(1.0, 1.0, 5.0, false);
  CHECK_FALSE(reuse.due(1e3));
}

TEST_CASE("the length of steps follows what was best and is forgotten with the curvature") {
  CurvatureReuse reuse;
  CHECK(reuse.length() == 1.0);
  reuse.stretch(1.5);
  reuse.stretch(1.2);
  CHECK(reuse.length() == doctest::Approx(1.8));
  for (int k = 0; k < 50; ++k) reuse.stretch(0.5);
  CHECK(reuse.length() >= 0.2);
  reuse.renewed(1.0);
  CHECK(reuse.length() == 1.0);
}
