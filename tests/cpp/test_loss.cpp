#include <doctest/doctest.h>

#include <cmath>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "check_design.hpp"
#include "riata/loss/binomial.hpp"
#include "riata/loss/gaussian.hpp"
#include "riata/loss/loss.hpp"

using namespace riata;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

/// Weights that sum to 1, a third of them zero.
Vec some_weights(Index n, unsigned seed) {
  return check::random_weights(n, 3, seed).col(2);
}

/// Classes and proportions, both ends included.
Vec proportions(Index n, unsigned seed) {
  std::mt19937_64 rng(seed);
  std::uniform_real_distribution<double> uniform;
  Vec y(n);
  for (Index i = 0; i < n; ++i) y[i] = i % 3 == 0 ? uniform(rng) : (uniform(rng) < 0.5 ? 0.0 : 1.0);
  return y;
}

struct Case {
  std::string name;
  Vec y, omega;
  std::unique_ptr<Loss> loss;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  const Index n = 17;
  for (const std::string name : {"gaussian", "binomial"}) {
    for (const unsigned seed : {1u, 2u}) {
      Case one{name, name == "gaussian" ? Vec(check::random_matrix(n, 1, seed)) : proportions(n, seed),
               seed == 1 ? Vec(Vec::Constant(n, 1.0 / n)) : some_weights(n, seed), nullptr};
      one.loss = make_loss(name, one.y, one.omega);
      all.push_back(std::move(one));
    }
  }
  return all;
}

}  // namespace

TEST_CASE("derivatives of a loss match finite differences") {
  for (const Case& one : cases()) {
    CAPTURE(one.name);
    const Index n = one.y.size();
    for (const double spread : {0.5, 5.0}) {
      const Vec eta = spread * check::random_matrix(n, 1, 3);
      Vec u, h, up, down, ignored;
      one.loss->derivatives(eta, u, h);
      const double step = 1e-5;
      for (Index i = 0; i < n; ++i) {
        Vec right = eta, left = eta;
        right[i] += step;
        left[i] -= step;
        const double slope = (one.loss->value(right) - one.loss->value(left)) / (2.0 * step);
        CHECK(std::abs(slope + u[i]) <= 1e-9);
        one.loss->derivatives(right, up, ignored);
        one.loss->derivatives(left, down, ignored);
        CHECK(std::abs((down[i] - up[i]) / (2.0 * step) - h[i]) <= 1e-9);
        if (one.omega[i] == 0.0) {
          CHECK(u[i] == 0.0);
          CHECK(h[i] == 0.0);
        }
      }
    }
  }
}

TEST_CASE("loss and dual obey the Fenchel-Young inequality, with equality at the gradient") {
  std::mt19937_64 rng(5);
  std::uniform_real_distribution<double> uniform;
  for (const Case& one : cases()) {
    CAPTURE(one.name);
    const Index n = one.y.size();
    for (unsigned trial = 0; trial < 200; ++trial) {
      const double spread = trial % 4 == 0 ? 30.0 : 2.0;
      const Vec eta = spread * check::random_matrix(n, 1, 100 + trial);
      Vec u, h;
      one.loss->derivatives(eta, u, h);
      const double size = 1.0 + std::abs(one.loss->value(eta)) + std::abs(u.dot(eta));
      const double gap = one.loss->value(eta) + u.dot(eta) - one.loss->dual(u);
      CHECK(gap >= -1e-13 * size);
      // Far from a proportion, rounding of u can leave the domain: then there is no bound rather than a wrong one.
      if (spread < 10.0) CHECK(gap <= 1e-13 * size);

      // Any other point of the domain.
      Vec other(n);
      for (Index i = 0; i < n; ++i) {
        const double v = one.name == "gaussian" ? 4.0 * uniform(rng) - 2.0 : one.y[i] - uniform(rng);
        other[i] = one.omega[i] * v;
      }
      CHECK(one.loss->value(eta) + other.dot(eta) - one.loss->dual(other) >= -1e-12 * size);
      // Scaling towards zero stays inside.
      CHECK(std::isfinite(one.loss->dual(0.5 * u)));
      CHECK(one.loss->dual(Vec::Zero(n)) <= one.loss->saturated() + 1e-14);
    }
  }
}

TEST_CASE("the binomial loss is exact far out") {
  const Vec y = (Vec(6) << 1, 0, 1, 0, 0.25, 1).finished();
  const Vec omega = (Vec(6) << 0.25, 0.25, 0.125, 0.125, 0.25, 0).finished();
  const Binomial loss(y, omega);
  const Vec eta = (Vec(6) << 800, -800, -800, 800, 0, 800).finished();
  Vec u, h;
  loss.derivatives(eta, u, h);
  CHECK(u.isApprox((Vec(6) << 0, 0, 0.125, -0.125, 0.25 * -0.25, 0).finished(), 1e-15));
  CHECK(h.allFinite());
  CHECK(h[0] == 0.0);
  CHECK(loss.value(eta) == doctest::Approx(0.25 * 800.0 + 0.25 * std::log(2.0)).epsilon(1e-15));
  CHECK(loss.value(eta) + u.dot(eta) - loss.dual(u) == doctest::Approx(0.0).epsilon(1e-12));

  // Probabilities far below the rounding of 1 - p are kept.
  loss.derivatives(Vec::Constant(6, 60.0), u, h);
  CHECK(u[0] == doctest::Approx(0.25 * std::exp(-60.0)).epsilon(1e-14));
  CHECK(h[0] == doctest::Approx(0.25 * std::exp(-60.0)).epsilon(1e-14));
}

TEST_CASE("the binomial dual is minus infinity outside its domain, and finite on the edge") {
  const Vec y = (Vec(3) << 1, 0, 0.5).finished(), omega = (Vec(3) << 0.5, 0.25, 0.25).finished();
  const Binomial loss(y, omega);
  const Vec edge = (Vec(3) << 0.5, -0.25, 0.125).finished();  // mu = 0, 1, 0
  CHECK(loss.dual(edge) == 0.0);
  for (Index i = 0; i < 3; ++i) {
    Vec u = edge;
    u[i] *= 1.0 + 1e-12;
    CHECK(loss.dual(u) == -kInf);
  }
  CHECK(loss.dual((Vec(3) << -1e-12, 0, 0).finished()) == -kInf);
  CHECK(loss.dual((Vec(3) << 0, 1e-12, 0).finished()) == -kInf);
}

TEST_CASE("no linear predictor beats the saturated loss") {
  for (const Case& one : cases()) {
    CAPTURE(one.name);
    Vec best = one.y;
    if (one.name == "binomial") {
      for (Index i = 0; i < best.size(); ++i) {
        best[i] = one.y[i] == 0.0 ? -800.0 : one.y[i] == 1.0 ? 800.0 : std::log(one.y[i] / (1.0 - one.y[i]));
      }
    }
    CHECK(std::abs(one.loss->value(best) - one.loss->saturated()) <= 1e-14);
    for (unsigned trial = 0; trial < 50; ++trial) {
      CHECK(one.loss->value(best + check::random_matrix(best.size(), 1, trial)) >= one.loss->saturated() - 1e-14);
    }
  }
  const Vec y = (Vec(4) << 0, 1, 1, 0).finished();
  CHECK(Binomial(y, Vec::Constant(4, 0.25)).saturated() == 0.0);
}

TEST_CASE("the intercept solves its equation from any start") {
  for (const Case& one : cases()) {
    CAPTURE(one.name);
    const Index n = one.y.size();
    for (const double spread : {0.0, 3.0, 800.0}) {
      const Vec base = spread * check::random_matrix(n, 1, 6);
      const double reference = solve_intercept(*one.loss, base, 0.0);
      for (const double start : {0.0, 50.0, -50.0, 3000.0, -3000.0}) {
        CAPTURE(spread);
        CAPTURE(start);
        const double g = solve_intercept(*one.loss, base, start);
        Vec u, h;
        one.loss->derivatives(base.array() + g, u, h);
        CHECK(std::abs(u.sum()) <= 1e-13 * std::max(1.0, spread));
        if (one.name == "gaussian") {
          CHECK(g == doctest::Approx(one.omega.dot(one.y - base)).epsilon(1e-12));
        } else if (spread < 100.0) {
          CHECK(g == doctest::Approx(reference).epsilon(1e-12));
        }
      }
    }
  }
}

TEST_CASE("rows of weight zero may hold anything") {
  const Vec y = (Vec(4) << 0, 1, 7, 1).finished(), omega = (Vec(4) << 0.5, 0.25, 0, 0.25).finished();
  const Binomial loss(y, omega);
  const Vec eta = Vec::Zero(4);
  CHECK(loss.value(eta) == doctest::Approx(std::log(2.0)));
  Vec u, h;
  loss.derivatives(eta, u, h);
  CHECK(u[2] == 0.0);
  CHECK(loss.dual(u) == doctest::Approx(std::log(2.0)));
}

TEST_CASE("a loss refuses unknown names and responses outside its domain") {
  const Vec omega = Vec::Constant(2, 0.5);
  const auto make = [&](const char* name, double a, double b) { make_loss(name, (Vec(2) << a, b).finished(), omega); };
  CHECK_THROWS_WITH_AS(make("poisson", 0, 1),
                       "loss must be \"gaussian\", \"binomial\", \"multigaussian\" or \"multinomial\", got \"poisson\"",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(make("binomial", 0, 2), "y must lie in [0, 1] for the binomial loss, got 2.000000 in row 1",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(make("binomial", std::nan(""), 1),
                       doctest::Contains("y must lie in [0, 1] for the binomial loss"), std::invalid_argument);
  for (const double y : {0.0, 1.0}) {
    CHECK_THROWS_WITH_AS(make("binomial", y, y), doctest::Contains("y must hold both classes"), std::invalid_argument);
  }
  CHECK(make_loss("gaussian", Vec::Zero(2), omega)->quadratic());
  CHECK_FALSE(make_loss("binomial", (Vec(2) << 0, 1).finished(), omega)->quadratic());
}
