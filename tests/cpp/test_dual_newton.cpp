#include <doctest/doctest.h>

#include <Eigen/Cholesky>
#include <stdexcept>
#include <vector>

#include "check_design.hpp"
#include "newton_setting.hpp"
#include "solver/dual_newton.hpp"

using namespace riata;
using check::equal;
using check::Nets;
using check::nets;
using check::response;
using Setting = check::Setting<DualNewton>;

namespace {

/// The minimum of 1/2 |y - X b|^2 / n + penalty over all patterns of signs, without an intercept.
Vec by_patterns(const Mat& X, const Vec& y, const ElasticNet& net) {
  const Index p = X.cols(), n = X.rows();
  Index patterns = 1;
  for (Index j = 0; j < p; ++j) patterns *= 3;
  Vec best = Vec::Zero(p);
  double lowest = kInfinity;
  for (Index pattern = 0; pattern < patterns; ++pattern) {
    std::vector<Index> active;
    std::vector<double> signs;
    for (Index j = 0, rest = pattern; j < p; ++j, rest /= 3) {
      if (rest % 3 == 0) continue;
      active.push_back(j);
      signs.push_back(rest % 3 == 1 ? 1.0 : -1.0);
    }
    const Mat A = X(Eigen::all, active);
    const Index k = A.cols();
    Mat G = A.transpose() * A / static_cast<double>(n);
    G.diagonal().array() += net.l2;
    const Vec rhs = A.transpose() * y / static_cast<double>(n) - net.l1 * Eigen::Map<const Vec>(signs.data(), k);
    Vec b = Vec::Zero(p);
    if (k > 0) {
      const Vec solved = G.ldlt().solve(rhs);
      b(active) = solved;
    }
    double value = 0.5 * (y - X * b).squaredNorm() / static_cast<double>(n);
    for (const double each : b) value += net.value(each);
    if (value < lowest) {
      lowest = value;
      best = b;
    }
  }
  return best;
}

}  // namespace

TEST_CASE("dual Newton finds the minimum over all patterns of signs") {
  for (const unsigned seed : {1u, 2u, 3u, 4u, 5u, 6u}) {
    const Mat X = check::random_matrix(3, 6, seed);
    const Vec y = check::random_matrix(3, 1, seed + 50);
    for (const double lambda : {0.5, 0.1, 0.01}) {
      const ElasticNet net{0.5 * lambda, 0.5 * lambda};
      Setting s(X, y, equal(3), false);
      CHECK(s.solve(Nets(6, net), lambda, 1e-12).converged);
      CHECK((s.b - by_patterns(X, y, net)).cwiseAbs().maxCoeff() <= 1e-9);
    }
  }
}

TEST_CASE("dual Newton meets the conditions, with more active features than rows, weights and an intercept") {
  const Index n = 40, p = 200;
  Mat X = check::random_matrix(n, p, 7);
  for (Index j = 1; j < p; ++j) X.col(j) = 0.6 * X.col(j - 1) + 0.8 * X.col(j);
  X.array() += 0.3;
  const Vec y = response(X, 7);
  Vec uneven = check::random_matrix(n, 1, 8).cwiseAbs();
  uneven[3] = uneven[17] = 0.0;
  uneven /= uneven.sum();
  for (const bool intercept : {false, true}) {
    for (const Vec& h : {equal(n), uneven}) {
      for (const double l1_ratio : {0.0, 0.01, 0.5, 0.95}) {
        CAPTURE(intercept);
        CAPTURE(l1_ratio);
        Setting s(X, y, h, intercept);
        for (const double lambda : {1.0, 0.3, 0.1, 0.03, 0.02, 0.01}) {
          const Nets net = nets(p, lambda, l1_ratio);
          CHECK(s.solve(net, lambda).converged);
          CHECK(s.violation(net) <= 2e-11);
          s.expand();
        }
        CHECK((s.b.array() != 0.0).count() >= (l1_ratio < 0.5 ? n + 1 : 20));
        CHECK(s.counters.newton_steps <= 60);
      }
    }
  }
}

TEST_CASE("dual Newton keeps coefficients within their bounds, and penalties of their own") {
  const Index n = 30, p = 90;
  const Mat X = check::random_matrix(n, p, 9);
  const Vec y = response(X, 9);
  Setting s(X, y, equal(n), true);
  for (const double lambda : {0.5, 0.2, 0.05, 0.01}) {
    Nets net = nets(p, lambda, 0.3);
    for (Index j = 0; j < p; ++j) {
      ElasticNet& e = net[static_cast<std::size_t>(j)];
      const double factor = 0.5 + static_cast<double>(j % 4);
      e.l1 *= factor;
      e.l2 *= factor;
      if (j % 3 == 1) e.lower = 0.0;
      if (j % 3 == 2) e.upper = 0.05;
      if (j == 6) e.lower = e.upper = 0.0;
    }
    CHECK(s.solve(net, lambda).converged);
    CHECK(s.violation(net) <= 2e-11);
    for (Index j = 0; j < p; ++j) {
      CHECK(s.b[j] >= net[static_cast<std::size_t>(j)].lower);
      CHECK(s.b[j] <= net[static_cast<std::size_t>(j)].upper);
    }
    s.expand();
  }
  CHECK((s.b.array() == 0.05).any());
}

TEST_CASE("identical columns have identical coefficients, opposite ones opposite") {
  Mat X = check::random_matrix(20, 50, 10);
  X.col(7) = X.col(0);
  X.col(8) = -X.col(0);
  Setting s(X, response(X, 10), equal(20), true);
  const Nets net = nets(50, 0.05, 0.2);
  CHECK(s.solve(net, 0.05).converged);
  CHECK(s.violation(net) <= 2e-11);
  REQUIRE(s.b[0] != 0.0);
  CHECK(s.b[7] == doctest::Approx(s.b[0]).epsilon(1e-11));
  CHECK(s.b[8] == doctest::Approx(-s.b[0]).epsilon(1e-11));
}

TEST_CASE("all signs may change between two solves, and the curvature, and the working set") {
  const Index n = 25, p = 80;
  const Mat X = check::random_matrix(n, p, 11);
  Setting s(X, response(X, 11), equal(n), true);
  const Nets net = nets(p, 0.05, 0.2);
  CHECK(s.solve(net, 0.05).converged);
  const Vec before = s.b;
  s.y = -s.y;
  s.expand();
  CHECK(s.solve(net, 0.05).converged);
  CHECK(s.violation(net) <= 2e-11);
  CHECK((s.b + before).cwiseAbs().maxCoeff() <= 1e-9);
  s.h = check::random_matrix(n, 1, 12).cwiseAbs() / static_cast<double>(n);
  s.expand();
  s.solver.hessian_changed();
  CHECK(s.solve(net, 0.05).converged);
  CHECK(s.violation(net) <= 2e-11);

  // Every third feature goes, active or not; the others move up.
  std::vector<Index> new_number, kept;
  for (Index j = 0; j < p; ++j) {
    new_number.push_back(j % 3 == 0 ? -1 : static_cast<Index>(kept.size()));
    if (j % 3 != 0) kept.push_back(j);
  }
  s.solver.working_set_changed(new_number, 1);
  s.X = Mat(s.X(Eigen::all, kept));
  s.b = Vec(s.b(kept));
  std::vector<double> scale(kept.size(), 1.0);
  s.model.set_working(kept, scale);
  s.expand();
  const Nets fewer = nets(s.X.cols(), 0.04, 0.2);
  CHECK(s.solve(fewer, 0.04).converged);
  CHECK(s.violation(fewer) <= 2e-11);
}

TEST_CASE("dual Newton has the same bits for any number of threads") {
  const Index n = 400, p = 900;
  const Mat X = check::random_matrix(n, p, 13);
  const Vec y = response(X, 13);
  Setting one(X, y, equal(n), true, 1), three(X, y, equal(n), true, 3);
  for (const double lambda : {0.5, 0.3, 0.2}) {
    const Nets net = nets(p, lambda, 0.05);
    CHECK(one.solve(net, lambda).converged);
    CHECK(three.solve(net, lambda).converged);
    CHECK(check::same_bits(one.b, three.b));
    one.expand();
    three.expand();
  }
  CHECK((one.b.array() != 0.0).count() > n);
}

TEST_CASE("dual Newton starts on the line through the solutions of another solver, where it took note of them") {
  const Index n = 40, p = 300;
  const Mat X = check::random_matrix(n, p, 16);
  const Vec y = response(X, 16);
  const auto steps = [&](bool told) {
    Setting s(X, y, equal(n), true), other(X, y, equal(n), true);
    for (const double lambda : {0.05, 0.045, 0.0405}) {
      const Nets net = nets(p, lambda, 0.3);
      const Penalties penalty(net);
      InnerProblem problem{s.model, penalty, 1e-11, 1000, s.counters, s.poll};
      problem.lambda = lambda;
      if (told) s.solver.follow(problem, s.c);
      CHECK(other.solve(net, lambda).converged);
      other.expand();
      s.b = other.b;
      s.expand();
    }
    const Nets net = nets(p, 0.03645, 0.3);
    CHECK(s.solve(net, 0.03645).converged);
    CHECK(s.violation(net) <= 2e-11);
    return s.counters.newton_steps;
  };
  CHECK(steps(true) < steps(false));
}

TEST_CASE("dual Newton is for penalties with an l2 part") {
  const Mat X = check::random_matrix(10, 30, 14);
  Setting s(X, response(X, 14), equal(10), true);
  Nets net = nets(30, 0.1, 0.5);
  CHECK(DualNewton::handles(s.model, Penalties(net)));
  net[4].l2 = 0.0;
  CHECK_FALSE(DualNewton::handles(s.model, Penalties(net)));
}

TEST_CASE("dual Newton stops where it is told to, and lets the poll through") {
  const Mat X = check::random_matrix(20, 60, 15);
  Setting s(X, response(X, 15), equal(20), true);
  const Nets net = nets(60, 0.01, 0.1);
  const InnerResult result = s.solve(net, 0.01, 1e-11, 1);
  CHECK_FALSE(result.converged);
  CHECK(result.iterations <= 1);
  CHECK(s.solve(net, 0.01).converged);
  s.y *= 2.0;
  s.expand();
  s.poll = [] { throw std::runtime_error("enough"); };
  CHECK_THROWS_WITH_AS(s.solve(net, 0.01), "enough", std::runtime_error);
}
