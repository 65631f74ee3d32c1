#include <doctest/doctest.h>

#include <cmath>

#include "solver/fista.hpp"

using namespace riata;

namespace {

const auto dot = [](const auto& x, const Vec& y) { return x.dot(y); };

}  // namespace

TEST_CASE("the points of accelerated descent are those of Beck and Teboulle") {
  // f(x) = -x and step 1 moves on by one each time, so that there is never a reason to restart
  Vec b = Vec::Zero(1);
  Fista sequence(b);
  double t = 1.0;
  for (int k = 0; k < 20; ++k) {
    const Vec next = sequence.point() + Vec::Ones(1);
    const double later = 0.5 * (1.0 + std::sqrt(1.0 + 4.0 * t * t)), expected = (t - 1.0) / later;
    const Vec change = next - b;
    CHECK(sequence.advance(b, next, dot) == doctest::Approx(expected));
    CHECK(sequence.point()[0] == doctest::Approx(next[0] + expected * change[0]));
    b = next;
    t = later;
  }
}

TEST_CASE("a step against the way just gone restarts") {
  Vec b = Vec::Zero(1);
  Fista sequence(b);
  for (int k = 0; k < 10; ++k) {
    const Vec next = sequence.point() + Vec::Ones(1);
    sequence.advance(b, next, dot);
    b = next;
  }
  const Vec back = sequence.point() - Vec::Constant(1, 0.5 * (sequence.point() - b)[0]);
  CHECK(back[0] > b[0]);  // still beyond b, though the gradient points back
  CHECK(sequence.advance(b, back, dot) == 0.0);
  CHECK(sequence.point() == back);

  sequence.restart(Vec::Constant(1, 7.0));
  CHECK(sequence.point()[0] == 7.0);
  CHECK(sequence.advance(Vec::Constant(1, 7.0), Vec::Constant(1, 8.0), dot) == 0.0);
}

TEST_CASE("accelerated descent finds the minimum of a stretched quadratic") {
  Vec curvature(3), centre(3);
  curvature << 1.0, 1e-2, 1e-4;
  centre << 1.0, -2.0, 3.0;
  Vec b = Vec::Zero(3);
  Fista sequence(b);
  for (int k = 0; k < 3000; ++k) {  // plain steps would still be 0.9999^3000 = 0.74 of the way off
    const Vec next = sequence.point() + curvature.cwiseProduct(centre - sequence.point());
    sequence.advance(b, next, dot);
    b = next;
  }
  CHECK((b - centre).cwiseAbs().maxCoeff() < 1e-6);
}
