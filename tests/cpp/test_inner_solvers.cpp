#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <memory>
#include <numeric>
#include <random>
#include <stdexcept>
#include <vector>

#include "check_design.hpp"
#include "riata/design/dense.hpp"
#include "riata/solver.hpp"
#include "solver/inner_solvers.hpp"

using namespace riata;

namespace {

/// 1/2 sum_i omega_i (y_i - x_i'b)^2 (less its value at 0) plus a penalty, as inner solvers see it.
struct Setting {
  Setting(Mat x, Vec target, std::vector<ElasticNet> net, bool gram = false)
      : X(std::move(x)),
        y(std::move(target)),
        penalty(std::move(net)),
        omega(Vec::Constant(X.rows(), 1.0 / static_cast<double>(X.rows()))),
        design(dense_design(X.data(), X.rows(), X.cols(), 1, X.rows())),
        pool(design->make_pool()),
        model(*pool, false, gram, true, 1) {
    std::vector<Index> all(static_cast<std::size_t>(X.cols()));
    std::iota(all.begin(), all.end(), Index{0});
    const std::size_t p = all.size();
    pool->append(all, std::vector<double>(p, 0.0), 1);
    model.set_working(std::move(all), std::vector<double>(p, 1.0));
    b = Vec::Zero(X.cols());
    restart();
  }
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;

  /// Expands the model at b.
  void restart() {
    const Vec u = omega.cwiseProduct(y - X * b);
    c = X.transpose() * u;
    model.expand(&omega, u, b, c);
  }

  InnerResult solve(Solver solver, double tolerance = 1e-12, Index max_iter = 100'000) {
    const Penalties net(penalty);
    const InnerProblem problem{model, net, tolerance, max_iter, counters, poll};
    InnerSolver* const by = solver == Solver::kDescent    ? static_cast<InnerSolver*>(&descent)
                            : solver == Solver::kProximal ? static_cast<InnerSolver*>(&proximal)
                                                          : &active_set;
    return by->solve(problem, b, c);
  }
  /// A step of modified Newton, from c at b.
  InnerResult step(double length) {
    const Penalties net(penalty);
    return active_set.step({model, net, 1e-13, 1000, counters, poll}, b, c, true, length);
  }

  Vec correlations() const { return X.transpose() * omega.cwiseProduct(y - X * b); }
  double violation() const { return Penalties(penalty).worst_violation(b, correlations()); }
  double objective() const {
    double sum = 0.5 * (y - X * b).dot(omega.cwiseProduct(y - X * b));
    for (Index w = 0; w < b.size(); ++w) sum += penalty[static_cast<std::size_t>(w)].value(b[w]);
    return sum;
  }
  bool inside() const {
    for (Index w = 0; w < b.size(); ++w) {
      const ElasticNet& net = penalty[static_cast<std::size_t>(w)];
      if (!(b[w] >= net.lower && b[w] <= net.upper)) return false;
    }
    return true;
  }

  Mat X;
  Vec y;
  std::vector<ElasticNet> penalty;
  Vec omega;
  std::unique_ptr<Design> design;
  std::unique_ptr<Pool> pool;
  Quadratic model;
  ActiveSetNewton active_set{true};
  CoordinateDescent descent;
  ProximalGradient proximal;
  Counters counters;
  Poll poll;
  Vec b, c;
};

constexpr std::array kSolvers{Solver::kActiveSet, Solver::kDescent, Solver::kProximal};

using Nets = std::vector<ElasticNet>;
Nets same(Index p, ElasticNet net) {
  return Nets(static_cast<std::size_t>(p), net);
}

/// Solves with all three, from zero and in both modes of the model, and compares predictors and objectives.
void compare(const Mat& X, const Vec& y, const Nets& net, double tolerance = 1e-11) {
  Vec predictor;
  double best = 0.0;
  for (const Solver solver : kSolvers) {
    for (const bool gram : {false, true}) {
      CAPTURE(solver);
      CAPTURE(gram);
      Setting s(X, y, net, gram);
      const InnerResult result = s.solve(solver, tolerance);
      CHECK(result.converged);
      CHECK(s.inside());
      CHECK(s.violation() <= 1.5 * tolerance + 1e-14);
      CHECK((s.c - s.correlations()).cwiseAbs().maxCoeff() <= 1e-12);
      if (predictor.size() == 0) {
        predictor = s.X * s.b;
        best = s.objective();
      }
      CHECK((s.X * s.b - predictor).cwiseAbs().maxCoeff() <= 1e-5);
      CHECK(std::abs(s.objective() - best) <= 1e-10);
      // Warm: nothing is left to do.
      const Vec kept = s.b;
      CHECK(s.solve(solver, 2.0 * tolerance).converged);
      CHECK((s.b - kept).cwiseAbs().maxCoeff() <= 1e-6);
    }
  }
}

Mat correlated(Index n, Index p, double share, unsigned seed) {
  Mat x = check::random_matrix(n, p, seed);
  for (Index j = 1; j < p; ++j) x.col(j) = share * x.col(j - 1) + std::sqrt(1.0 - share * share) * x.col(j);
  return x;
}

Vec response(const Mat& X, unsigned seed) {
  Vec b = Vec::Zero(X.cols());
  for (Index j = 0; j < X.cols(); j += 4) b[j] = j % 8 == 0 ? 1.0 : -1.5;
  return X * b + check::random_matrix(X.rows(), 1, seed);
}

}  // namespace

TEST_CASE("inner solvers agree on random problems") {
  for (const unsigned seed : {1u, 2u, 3u}) {
    const Index n = 40, p = seed == 1 ? 12 : 60;
    const Mat X = correlated(n, p, 0.3 * seed, seed);
    const Vec y = response(X, seed);
    const double top = (X.transpose() * y).cwiseAbs().maxCoeff() / n;
    compare(X, y, same(p, {1.01 * top, 0.0}));
    compare(X, y, same(p, {0.3 * top, 0.0}));
    compare(X, y, same(p, {0.05 * top, 0.0}));
    compare(X, y, same(p, {0.1 * top, 0.1 * top}));
    compare(X, y, same(p, {0.0, 0.5 * top}));                  // ridge
    compare(X, y, same(p, {0.1 * top, 0.0, 0.0, kInfinity}));  // positive
    compare(X, y, same(p, {0.1 * top, 0.0, -0.3, 0.4}));       // boxed
    compare(X, y, same(p, {0.0, 0.1 * top, -0.2, 0.1}));       // boxed ridge
    compare(X, y, same(p, {0.05 * top, 0.05 * top, -kInfinity, 0.0}));
    Nets mixed = same(p, {0.1 * top, 0.0});
    mixed[0] = {};  // unpenalised
    mixed[1] = {0.0, 0.0, 0.0, 0.5};
    mixed[2].l1 *= 3.0;
    mixed[3] = {0.0, 0.2};
    mixed[4] = {0.1, 0.0, 0.0, 0.0};  // fixed at zero
    compare(X, y, mixed);
  }
}

TEST_CASE("duplicates and collinear columns change nothing but the split of coefficients") {
  Mat X = check::random_matrix(30, 20, 4);
  X.col(5) = X.col(0);
  X.col(6) = -X.col(0);
  X.col(7) = X.col(8) + X.col(9);
  X.col(13) = 0.5 * X.col(4) - X.col(12);
  const Vec y = response(X, 4);
  const double top = (X.transpose() * y).cwiseAbs().maxCoeff() / 30.0;
  compare(X, y, same(20, {0.2 * top, 0.0}));
  compare(X, y, same(20, {0.02 * top, 0.0}));
  compare(X, y, same(20, {0.02 * top, 0.0, 0.0, kInfinity}));
  compare(X, y, same(20, {0.02 * top, 0.0, -0.2, 0.3}));
  compare(X, y, same(20, {0.02 * top, 0.01}));
  // The exchange along a null direction: the combination is cheaper than its parts, or the parts than it.
  Nets priced = same(20, {0.05 * top, 0.0});
  priced[7].l1 *= 0.1;
  compare(X, y, priced);
  priced[7].l1 *= 100.0;
  compare(X, y, priced);
  priced[0].l1 = priced[5].l1 = priced[6].l1 = 0.0;
  compare(X, y, priced);
}

TEST_CASE("more columns than rows at a small lambda") {
  const Mat X = check::random_matrix(15, 60, 5);
  const Vec y = response(X, 5);
  const double top = (X.transpose() * y).cwiseAbs().maxCoeff() / 15.0;
  for (const double share : {0.1, 0.01}) compare(X, y, same(60, {share * top, 0.0}), 1e-9);
}

TEST_CASE("the active set follows a decreasing lambda with one factor") {
  const Mat X = correlated(50, 120, 0.5, 6);
  const Vec y = response(X, 6);
  const double top = (X.transpose() * y).cwiseAbs().maxCoeff() / 50.0;
  for (const double l1_ratio : {1.0, 0.7}) {
    Setting s(X, y, same(120, {}));
    for (int k = 0; k < 40; ++k) {
      const double lambda = top * std::pow(0.02, k / 39.0);
      s.penalty = same(120, {l1_ratio * lambda, (1.0 - l1_ratio) * lambda});
      const InnerResult result = s.solve(Solver::kActiveSet, 1e-13);
      CHECK(result.converged);
      CHECK(result.iterations < 200);
      CHECK(s.violation() <= 1e-12);
      s.restart();
      if (k % 10 == 0) {
        s.active_set.invalidate();  // and picks up from the support
        CHECK(s.solve(Solver::kActiveSet, 1e-12).converged);
      }
    }
    CHECK((s.b.array() != 0.0).count() > 25);
    CHECK(s.counters.newton_steps < 1000);
  }
}

TEST_CASE("a feature whose first step is exactly zero stays finite") {
  // Two features enter together with opposite signs, and the solution of the second is 0 to the last bit.
  Mat X(4, 2);
  X << 2, -1, 0, std::sqrt(3.0), 0, 0, 0, 0;  // Gram [[1, -1/2], [-1/2, 1]]
  Setting s(X, Vec::Zero(4), same(2, {1.0, 0.0}));
  s.c = (Vec(2) << 3.0, -2.0).finished();  // l1 + 2 and -l1 - 1
  s.model.expand(&s.omega, (Vec(4) << 1.5, -0.5 / std::sqrt(3.0), 0, 0).finished(), s.b, s.c);
  const InnerResult result = s.solve(Solver::kActiveSet, 1e-12);
  CHECK(result.converged);
  CHECK(s.b.allFinite());
  CHECK(s.b[0] == doctest::Approx(2.0).epsilon(1e-12));
  CHECK(std::abs(s.b[1]) <= 1e-12);
}

TEST_CASE("an empty working set is solved") {
  for (const Solver solver : kSolvers) {
    Setting s(Mat(5, 0), Vec::Ones(5), {});
    CHECK(s.solve(solver).converged);
  }
}

TEST_CASE("an inner solver stops at its iteration limit and says so") {
  const Mat X = correlated(60, 40, 0.95, 7);
  const Vec y = response(X, 7);
  for (const Solver solver : kSolvers) {
    CAPTURE(solver);
    Setting s(X, y, same(40, {1e-3, 0.0}));
    const InnerResult result = s.solve(solver, 1e-13, 2);
    CHECK_FALSE(result.converged);
    CHECK(result.iterations <= 2);
    CHECK((s.c - s.correlations()).cwiseAbs().maxCoeff() <= 1e-11);  // c belongs to b all the same
  }
}

TEST_CASE("inner solvers let the poll through") {
  const Mat X = correlated(30, 20, 0.5, 8);
  for (const Solver solver : kSolvers) {
    Setting s(X, response(X, 8), same(20, {1e-3, 0.0}));
    s.poll = [] { throw std::runtime_error("enough"); };
    CHECK_THROWS_WITH_AS(s.solve(solver), "enough", std::runtime_error);
  }
}

TEST_CASE("steps on a wrong curvature with fresh gradients end where the right one does") {
  const Index n = 60, p = 20;
  const Mat X = correlated(n, p, 0.5, 21);
  const Vec y = response(X, 21);
  const double top = (X.transpose() * y).cwiseAbs().maxCoeff() / static_cast<double>(n);
  for (const ElasticNet net :
       {ElasticNet{0.1 * top, 0.0}, ElasticNet{0.1 * top, 0.1 * top}, ElasticNet{0.1 * top, 0.0, -0.4, 0.5}}) {
    Setting exact(X, y, same(p, net)), s(X, y, same(p, net));
    REQUIRE(exact.solve(Solver::kActiveSet).converged);
    const Vec wrong = s.omega.array() * (1.2 + 0.3 * check::random_matrix(n, 1, 22).array().tanh());
    s.model.expand(&wrong, s.omega.cwiseProduct(y), s.b, s.c);
    const double start = s.objective();
    for (int step = 0; step < 60; ++step) {
      s.step(1.0);
      CHECK(s.inside());
      s.c = s.correlations();
    }
    CHECK(s.objective() < start);
    CHECK(s.violation() <= 1e-10);
    CHECK((s.b - exact.b).cwiseAbs().maxCoeff() <= 1e-8);
    CHECK(s.active_set.try_reuse(s.penalty));
  }
}

TEST_CASE("the length of a step makes up for a curvature that is wrong by a factor") {
  const Mat X = correlated(50, 8, 0.5, 31);
  const Vec y = response(X, 31);
  Setting s(X, y, same(8, {0.0, 0.0}));
  const Vec twice = 2.0 * s.omega;
  s.model.expand(&twice, s.omega.cwiseProduct(y), s.b, s.c);
  const InnerResult result = s.step(2.0);
  CHECK(result.converged);
  CHECK(s.violation() <= 1e-12);
}

TEST_CASE("what a shortened step left away from zero joins the factor again") {
  const Mat X = correlated(50, 10, 0.3, 41);
  const Vec y = response(X, 41);
  const double top = (X.transpose() * y).cwiseAbs().maxCoeff() / 50.0;
  Setting s(X, y, same(10, {0.3 * top, 0.0}));
  REQUIRE(s.solve(Solver::kActiveSet).converged);
  Index outside = 0;
  while (s.b[outside] != 0.0) ++outside;
  s.b[outside] = 1e-3;
  s.restart();
  for (int step = 0; step < 3; ++step) {
    s.step(1.0);
    s.c = s.correlations();
  }
  CHECK(s.violation() <= 1e-12);
}
