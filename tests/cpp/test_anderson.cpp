#include <doctest/doctest.h>

#include "solver/anderson.hpp"

using namespace riata;

TEST_CASE("iterates of a linear descent are extrapolated to where it ends") {
  Mat m(2, 2);
  m << 0.8, 0.1, 0.1, 0.6;
  Vec end(2);
  end << 3.0, -1.0;
  Anderson anderson;
  anderson.begin(2);
  Vec b = Vec::Zero(2);
  Index k = 0;
  for (;; ++k) {
    anderson.iterate(k) = b;
    if (Anderson::enough(k)) break;
    b = end + m * (b - end);
  }
  CHECK(k == 5);
  REQUIRE(anderson.combine());
  CHECK((b - end).norm() > 0.5);
  CHECK((anderson.combined() - end).norm() < 1e-6);
}

TEST_CASE("iterates that stand still have no combination") {
  Anderson anderson;
  anderson.begin(3);
  for (Index k = 0; k <= 5; ++k) anderson.iterate(k).setConstant(2.0);
  CHECK_FALSE(anderson.combine());
}
