#include <doctest/doctest.h>

#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "check_design.hpp"
#include "loss/binomial.hpp"
#include "loss/loss.hpp"
#include "loss/multigaussian.hpp"
#include "loss/multinomial.hpp"

using namespace riata;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr Index n = 13, K = 3;

/// Classes in most rows, shares (one of them zero) in every third.
Mat shares(unsigned seed) {
  std::mt19937_64 rng(seed);
  std::uniform_real_distribution<double> uniform(0.1, 1.0);
  Mat y = Mat::Zero(n, K);
  for (Index i = 0; i < n; ++i) {
    if (i % 3 != 0) {
      y(i, (i / 3 + i) % K) = 1.0;
      continue;
    }
    y.row(i) << uniform(rng), uniform(rng), uniform(rng);
    if (i % 2 == 0) y(i, 1) = 0.0;
    y.row(i) /= y.row(i).sum();
  }
  return y;
}

struct Case {
  std::string name;
  Mat y;
  Vec omega;
  std::unique_ptr<Loss> loss;
  bool multinomial() const { return name == "multinomial"; }
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const std::string name : {"multigaussian", "multinomial"}) {
    for (const unsigned seed : {1u, 2u}) {
      Case one{name, name == "multinomial" ? shares(seed) : check::random_matrix(n, K, seed),
               check::random_weights(n, 3, seed).col(seed == 1 ? 0 : 2), nullptr};
      one.loss = make_loss(name, one.y.reshaped(), one.omega);
      all.push_back(std::move(one));
    }
  }
  return all;
}

Mat probabilities(const Vec& eta) {
  const Mat e = eta.reshaped(n, K).array().exp();
  return e.rowwise().sum().cwiseInverse().asDiagonal() * e;
}

/// diag(omega) (diag(pi) - pi pi') of all rows, n K x n K.
Mat hessian(const Case& one, const Vec& eta) {
  const Mat pi = probabilities(eta);
  Mat H = Mat::Zero(n * K, n * K);
  for (Index i = 0; i < n; ++i) {
    for (Index k = 0; k < K; ++k) {
      for (Index l = 0; l < K; ++l) {
        H(k * n + i, l * n + i) = one.omega[i] * pi(i, k) * ((k == l ? 1.0 : 0.0) - pi(i, l));
      }
    }
  }
  return H;
}

/// Columns that are 1 in the rows of one output.
Mat intercept_columns() {
  Mat E = Mat::Zero(n * K, K);
  for (Index k = 0; k < K; ++k) E.col(k).segment(k * n, n).setOnes();
  return E;
}

Mat applied(const Curvature& curvature) {
  Mat all = Mat::Identity(n * K, n * K);
  curvature.multiply(all);
  return all;
}

Vec sums(const Vec& u) {
  return u.reshaped(n, K).colwise().sum().transpose();
}

}  // namespace

TEST_CASE("several outputs: derivatives match finite differences") {
  for (const Case& one : cases()) {
    CAPTURE(one.name);
    CHECK(one.loss->outputs() == K);
    for (const double spread : {0.5, 5.0}) {
      const Vec eta = spread * check::random_matrix(n * K, 1, 3);
      Vec u, h, up, down, ignored;
      one.loss->derivatives(eta, u, h);
      REQUIRE(u.size() == n * K);
      REQUIRE(h.size() == n * K);
      const double step = 1e-5;
      for (Index e = 0; e < n * K; ++e) {
        Vec right = eta, left = eta;
        right[e] += step;
        left[e] -= step;
        CHECK(std::abs((one.loss->value(right) - one.loss->value(left)) / (2.0 * step) + u[e]) <= 1e-9);
        one.loss->derivatives(right, up, ignored);
        one.loss->derivatives(left, down, ignored);
        CHECK(std::abs((down[e] - up[e]) / (2.0 * step) - h[e]) <= 1e-9);
        if (one.omega[e % n] == 0.0) {
          CHECK(u[e] == 0.0);
          CHECK(h[e] == 0.0);
        }
      }
    }
  }
}

TEST_CASE("several outputs: loss and dual obey the Fenchel-Young inequality, with equality at the gradient") {
  for (const Case& one : cases()) {
    CAPTURE(one.name);
    for (unsigned trial = 0; trial < 100; ++trial) {
      const Vec eta = (trial % 4 == 0 ? 20.0 : 2.0) * check::random_matrix(n * K, 1, 100 + trial);
      Vec u, h;
      one.loss->derivatives(eta, u, h);
      const double size = 1.0 + std::abs(one.loss->value(eta)) + std::abs(u.dot(eta));
      const double gap = one.loss->value(eta) + u.dot(eta) - one.loss->dual(u);
      CHECK(gap >= -1e-13 * size);
      if (trial % 4 != 0) CHECK(gap <= 1e-13 * size);

      // Any other point of the domain.
      const Mat z = check::random_matrix(n, K, 900 + trial);
      const Vec other = one.omega.replicate(K, 1).cwiseProduct(
          one.multinomial() ? Vec((one.y - probabilities(3.0 * z.reshaped())).reshaped()) : Vec(z.reshaped()));
      CHECK(one.loss->value(eta) + other.dot(eta) - one.loss->dual(other) >= -1e-12 * size);
      CHECK(std::isfinite(one.loss->dual(0.5 * u)));
      CHECK(one.loss->dual(Vec::Zero(n * K)) <= one.loss->saturated() + 1e-14);
    }
  }
}

TEST_CASE("the multinomial dual is minus infinity outside its domain, and finite on the edge") {
  const Mat y = (Mat(2, 3) << 1, 0, 0, 0, 0.5, 0.5).finished();
  const Multinomial loss(y.reshaped(), Vec::Constant(2, 0.5));
  const Mat edge = 0.5 * (y - (Mat(2, 3) << 0, 1, 0, 1, 0, 0).finished());
  CHECK(loss.dual(edge.reshaped()) == 0.0);
  for (Index e = 0; e < 6; ++e) {
    if (!(edge.reshaped()[e] > 0.0)) continue;
    Vec u = edge.reshaped();
    u[e] *= 1.0 + 1e-12;
    CHECK(loss.dual(u) == -kInf);
  }
}

TEST_CASE("several outputs: what scaling u costs, up to the third order") {
  for (const Case& one : cases()) {
    CAPTURE(one.name);
    for (unsigned trial = 0; trial < 20; ++trial) {
      const Vec eta = (trial % 2 == 0 ? 1.0 : 3.0) * check::random_matrix(n * K, 1, 40 + trial);
      Vec u, h;
      one.loss->derivatives(eta, u, h);
      const Mat pi = probabilities(eta);
      double cubes = 0.0;
      if (one.multinomial())
        cubes = one.omega.dot((pi.array() * (one.y.array() / pi.array() - 1.0).abs().cube()).rowwise().sum().matrix());
      for (const double less : {0.0, 1e-3, 0.03, 0.3}) {
        const double scale = 1.0 - less;
        const double cost = one.loss->value(eta) + scale * u.dot(eta) - one.loss->dual(scale * u);
        const double given = one.loss->scaling_gap(eta, u, h, scale);
        // Taylor's remainder of (1 + x) log(1 + x), x = less (y / pi - 1) >= -less.
        CHECK(std::abs(given - cost) <= cubes * std::pow(less, 3) / (6.0 * scale * scale) + 1e-13);
        CHECK((less > 0.0) == (given > 0.0));
      }
    }
  }
}

TEST_CASE("several outputs: no linear predictor beats the saturated loss") {
  for (const Case& one : cases()) {
    CAPTURE(one.name);
    Vec best = one.y.reshaped();
    if (one.multinomial()) best = (best.array() > 0.0).select(best.array().log(), -800.0).eval();
    CHECK(std::abs(one.loss->value(best) - one.loss->saturated()) <= 1e-14);
    for (unsigned trial = 0; trial < 50; ++trial) {
      CHECK(one.loss->value(best + check::random_matrix(n * K, 1, trial)) >= one.loss->saturated() - 1e-14);
    }
  }
}

TEST_CASE("the multinomial curvature is the Hessian, with the intercepts minimised out on request") {
  for (const Case& one : cases()) {
    if (!one.multinomial()) {
      CHECK(one.loss->curvature(Vec::Zero(n * K), 0.0, true) == nullptr);
      continue;
    }
    for (const double spread : {0.5, 4.0}) {
      const Vec eta = spread * check::random_matrix(n * K, 1, 3);
      const Mat H = hessian(one, eta), E = intercept_columns();
      const Mat plain = applied(*one.loss->curvature(eta, 0.0, false));
      check::close(plain, H, 1e-15);
      Vec right, left, ignored;
      const Vec direction = check::random_matrix(n * K, 1, 4);
      one.loss->derivatives(eta + 1e-5 * direction, right, ignored);
      one.loss->derivatives(eta - 1e-5 * direction, left, ignored);
      check::close(plain * direction, (left - right) / 2e-5, 1e-9);

      const Mat middle = E.transpose() * H * E;
      const Mat schur = H - H * E * middle.completeOrthogonalDecomposition().pseudoInverse() * E.transpose() * H;
      const Mat profiled = applied(*one.loss->curvature(eta, 0.0, true));
      check::close(profiled, schur, 1e-12);
      check::close(profiled, profiled.transpose(), 1e-13);
      check::close(profiled * E, Mat::Zero(n * K, K), 1e-13);

      // The floor is that share of omega, or of the variance in omega.
      const double floor = 0.25;
      const Mat weights = one.omega.replicate(K, 1).asDiagonal();
      check::close(applied(*one.loss->curvature(eta, floor, false)), H + floor * weights, 1e-15);
      const Mat variance = weights - weights * E * E.transpose() * weights;
      check::close(applied(*one.loss->curvature(eta, floor, true)), schur + floor * variance, 1e-12);
    }
  }
}

TEST_CASE("what a model takes as common curvature is the mean over the directions that tell") {
  const Case one = std::move(cases()[3]);
  const Vec eta = check::random_matrix(n * K, 1, 5);
  Vec u, h;
  one.loss->derivatives(eta, u, h);
  const Vec common = one.loss->model_curvature(eta, h, false);
  REQUIRE(common.size() == n);
  for (Index i = 0; i < n; ++i) {
    const double trace = h[i] + h[n + i] + h[2 * n + i];
    CHECK(common[i] == doctest::Approx(0.5 * trace).epsilon(1e-14));
  }
  // Far out it is the floor.
  Vec far = Vec::Zero(n * K);
  far.head(n).setConstant(800.0);
  one.loss->derivatives(far, u, h);
  check::close(one.loss->model_curvature(far, h, true), Loss::kFlattest * one.omega, 0.0);
}

TEST_CASE("several outputs: intercepts solve their equations from any start") {
  for (const Case& one : cases()) {
    CAPTURE(one.name);
    for (const double spread : {0.0, 3.0, 30.0, 800.0}) {
      const Vec base = spread * check::random_matrix(n * K, 1, 6);
      const Vec reference = one.loss->intercepts(base, Vec::Zero(K));
      for (const double start : {0.0, 50.0, -50.0, 3000.0}) {
        CAPTURE(spread);
        CAPTURE(start);
        const Vec g = one.loss->intercepts(base, (Vec(K) << start, 0.0, -0.5 * start).finished());
        Vec eta = base, u, h;
        eta.reshaped(n, K).rowwise() += g.transpose();
        one.loss->derivatives(eta, u, h);
        CHECK(sums(u).cwiseAbs().maxCoeff() <= 1e-13 * std::max(1.0, spread) * std::max(1.0, u.cwiseAbs().sum()));
        if (one.multinomial()) {
          CHECK(std::abs(g.sum()) <= 1e-14 * (1.0 + g.cwiseAbs().sum()));
        } else {
          check::close(g, (one.y - base.reshaped(n, K)).transpose() * one.omega, 1e-12 * (1.0 + spread));
        }
        if (spread < 10.0) check::close(g, reference, 1e-12 * (1.0 + spread));
      }
    }
  }
}

TEST_CASE("intercepts of nearly separable classes are found") {
  // The linear predictor tells every row's class but one, by far.
  for (const double margin : {5.0, 30.0, 300.0}) {
    CAPTURE(margin);
    const Index rows = 30;
    Mat y = Mat::Zero(rows, K), base = Mat::Zero(rows, K);
    for (Index i = 0; i < rows; ++i) {
      y(i, i % K) = 1.0;
      base(i, i == 7 ? 0 : i % K) = margin;
    }
    base.col(2).array() += 2.0 * margin;  // and the intercept has to undo this
    const Multinomial loss(y.reshaped(), Vec::Constant(rows, 1.0 / static_cast<double>(rows)));
    const Vec g = loss.intercepts(base.reshaped(), Vec::Zero(K));
    Mat eta = base.rowwise() + g.transpose();
    Vec u, h;
    loss.derivatives(eta.reshaped(), u, h);
    CHECK(u.reshaped(rows, K).colwise().sum().cwiseAbs().maxCoeff() <= 1e-14);
  }
}

TEST_CASE("the multinomial loss is exact far out, and the same when a number is added to a row") {
  const Mat y = (Mat(3, 3) << 1, 0, 0, 0, 1, 0, 0, 0.25, 0.75).finished();
  const Vec omega = (Vec(3) << 0.25, 0.25, 0.5).finished();
  const Multinomial loss(y.reshaped(), omega);
  const Mat eta = (Mat(3, 3) << 800, 0, -800, 800, -800, 0, 0, 0, -800).finished();
  Vec u, h;
  loss.derivatives(eta.reshaped(), u, h);
  const Mat expected = (Mat(3, 3) << 0, 0, 0, -0.25, 0.25, 0, -0.25, -0.125, 0.375).finished();
  check::close(u.reshaped(3, 3), expected, 1e-15);
  CHECK(h.allFinite());
  CHECK(loss.value(eta.reshaped()) ==
        doctest::Approx(0.25 * 1600.0 + 0.5 * (std::log(2.0) + 0.75 * 800.0)).epsilon(1e-15));
  CHECK(std::abs(loss.value(eta.reshaped()) + u.dot(eta.reshaped()) - loss.dual(u)) <= 1e-12 * 800.0);

  // Probabilities far below the rounding of 1 - p are kept.
  const Mat sure = (Mat(3, 3) << 60, 0, -800, 0, 60, -800, 0, 0, 0).finished();
  loss.derivatives(sure.reshaped(), u, h);
  CHECK(u[0] == doctest::Approx(0.25 * std::exp(-60.0)).epsilon(1e-14));
  CHECK(u[3] == doctest::Approx(-0.25 * std::exp(-60.0)).epsilon(1e-14));
  CHECK(h[0] == doctest::Approx(0.25 * std::exp(-60.0)).epsilon(1e-14));

  const Mat at = check::random_matrix(3, 3, 7), moved = at.colwise() + (Vec(3) << 5, -300, 700).finished();
  CHECK(loss.symmetric());
  CHECK(loss.value(moved.reshaped()) == doctest::Approx(loss.value(at.reshaped())).epsilon(1e-13));
  Vec u_moved;
  loss.derivatives(at.reshaped(), u, h);
  loss.derivatives(moved.reshaped(), u_moved, h);
  check::close(u_moved, u, 1e-13);
}

TEST_CASE("two classes are the binomial loss at the difference of their linear predictors") {
  Vec y = shares(3).col(0);
  const Vec omega = check::random_weights(n, 3, 3).col(2);
  const Binomial binomial(y, omega);
  Vec both(2 * n);
  both << y, Vec::Ones(n) - y;
  const Multinomial loss(both, omega);
  CHECK(loss.saturated() == doctest::Approx(binomial.saturated()).epsilon(1e-14));
  const Vec first = check::random_matrix(n, 1, 4), second = check::random_matrix(n, 1, 5);
  Vec eta(2 * n), u, h, u2, h2;
  eta << first, second;
  loss.derivatives(eta, u, h);
  binomial.derivatives(first - second, u2, h2);
  CHECK(loss.value(eta) == doctest::Approx(binomial.value(first - second)).epsilon(1e-14));
  check::close(u.head(n), u2, 1e-15);
  check::close(u.tail(n), -u2, 1e-15);
  check::close(h.head(n), h2, 1e-15);
  check::close(h.tail(n), h2, 1e-15);
  CHECK(loss.dual(0.7 * u) == doctest::Approx(binomial.dual(0.7 * u2)).epsilon(1e-14));
  const Vec g = loss.intercepts(eta, Vec::Zero(2));
  CHECK(g[0] - g[1] == doctest::Approx(solve_intercept(binomial, first - second, 0.0)).epsilon(1e-12));
  CHECK(g[0] == -g[1]);
}

TEST_CASE("several outputs: rows of weight zero may hold anything") {
  for (const Case& one : cases()) {
    CAPTURE(one.name);
    if (one.omega.minCoeff() > 0.0) continue;
    Mat y = one.y;
    for (Index i = 0; i < n; ++i) {
      if (one.omega[i] == 0.0) y.row(i) << -1e6, 3.0, 1e6;
    }
    const auto other = make_loss(one.name, y.reshaped(), one.omega);
    const Vec eta = check::random_matrix(n * K, 1, 8);
    Vec u, h, u2, h2;
    one.loss->derivatives(eta, u, h);
    other->derivatives(eta, u2, h2);
    CHECK(u == u2);
    CHECK(h == h2);
    CHECK(other->value(eta) == one.loss->value(eta));
    CHECK(other->dual(u) == one.loss->dual(u));
    CHECK(other->saturated() == one.loss->saturated());
    CHECK(other->scaling_gap(eta, u, h, 0.5) == one.loss->scaling_gap(eta, u, h, 0.5));
    CHECK(other->intercepts(eta, Vec::Zero(K)) == one.loss->intercepts(eta, Vec::Zero(K)));
  }
}

TEST_CASE("a multinomial response outside its domain is refused") {
  const auto make = [](const Mat& y) {
    Multinomial(y.reshaped(), Vec::Constant(y.rows(), 1.0 / static_cast<double>(y.rows())));
  };
  const Mat good = Mat::Identity(3, 3);
  CHECK_NOTHROW(make(good));
  const char* const domain = "y must hold shares of the classes that sum to 1 for the multinomial loss, got sum";
  for (const double bad : {-0.5, 0.5, kInf, std::nan("")}) {
    Mat y = good;
    y(1, 2) = bad;
    CHECK_THROWS_WITH_AS(make(y), doctest::Contains(domain), std::invalid_argument);
    CHECK_THROWS_WITH_AS(make(y), doctest::Contains("in row 1"), std::invalid_argument);
  }
  Mat y = good;
  y.row(0) << 1.5, -0.5, 0.0;  // sums to 1
  CHECK_THROWS_WITH_AS(make(y), doctest::Contains(domain), std::invalid_argument);
  y = good;
  y.row(2) = y.row(1);
  CHECK_THROWS_WITH_AS(make(y),
                       "y must hold every class of the multinomial loss, got 2 of 3 among rows with positive weight",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(make(Mat::Ones(3, 1)), doctest::Contains("y must hold every class of the multinomial loss"),
                       std::invalid_argument);
  // A class that only a row of weight zero has.
  CHECK_THROWS_AS(Multinomial(good.reshaped(), (Vec(3) << 0.5, 0.5, 0.0).finished()), std::invalid_argument);
  CHECK(make_loss("multigaussian", good.reshaped(), Vec::Constant(3, 1.0 / 3.0))->quadratic());
  CHECK_FALSE(make_loss("multinomial", good.reshaped(), Vec::Constant(3, 1.0 / 3.0))->quadratic());
}
