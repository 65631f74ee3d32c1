#include "certify/separation.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "loss/binomial.hpp"

using namespace riata;

namespace {

/// Whether a column (and a constant) separates classes, at a fit that has gone `far` along a direction.
bool told(const Vec& x, const Vec& y, const Vec& eta) {
  const Binomial loss(y, Vec::Constant(y.size(), 1.0 / static_cast<double>(y.size())));
  Vec u, h;
  loss.derivatives(eta, u, h);
  return separates(loss, x, true, eta, u);
}

}  // namespace

TEST_CASE("a level whose rows are all of one class is told from data that have an optimum") {
  // Rows 0 to 3 have x = 0 and both classes: their optimum is eta = 0. Rows 4 and 5 have x = 1 and are all cases.
  const Vec x{{0.0, 0.0, 0.0, 0.0, 1.0, 1.0}};
  const Vec cases{{1.0, 0.0, 1.0, 0.0, 1.0, 1.0}}, mixed{{1.0, 0.0, 1.0, 0.0, 1.0, 0.0}};
  CHECK(told(x, cases, 30.0 * x));
  CHECK_FALSE(told(x, mixed, Vec::Zero(6)));
  // All of it separated: no rows are left to be told from.
  CHECK_FALSE(told(x, x, 60.0 * x.array() - 30.0));
}

TEST_CASE("fitted rows without a combination that leaves the others alone are not separated") {
  const Vec x{{-1.0, 1.0, -2.0, 2.0, 40.0, 41.0}};
  const Vec y{{1.0, 0.0, 0.0, 1.0, 1.0, 1.0}};
  CHECK_FALSE(told(x, y, x));
}

TEST_CASE("no columns separate nothing") {
  const Vec y{{0.0, 1.0}};
  const Binomial loss(y, Vec::Constant(2, 0.5));
  CHECK_FALSE(separates(loss, Mat(2, 0), true, Mat::Zero(2, 1), Mat::Zero(2, 1)));
}
