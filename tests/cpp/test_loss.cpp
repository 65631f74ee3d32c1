#include <doctest/doctest.h>

#include <cmath>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "check_design.hpp"
#include "loss/binomial.hpp"
#include "loss/gaussian.hpp"
#include "loss/huber.hpp"
#include "loss/loss.hpp"
#include "loss/poisson.hpp"

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

/// Counts, a third of them zero, some not whole.
Vec counts(Index n, unsigned seed) {
  const Vec z = check::random_matrix(n, 1, seed);
  Vec y(n);
  for (Index i = 0; i < n; ++i) y[i] = i % 3 == 0 ? 0.0 : i % 3 == 1 ? std::floor(3.0 * std::exp(z[i])) + 1.0 : 0.7;
  return y;
}

constexpr double kDelta = 0.9;

struct Case {
  std::string name;
  Vec y, omega;
  std::unique_ptr<Loss> loss;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  const Index n = 17;
  for (const std::string name : {"gaussian", "binomial", "poisson", "huber"}) {
    for (const unsigned seed : {1u, 2u}) {
      Case one{name,
               name == "binomial"  ? proportions(n, seed)
               : name == "poisson" ? counts(n, seed)
                                   : Vec(check::random_matrix(n, 1, seed)),
               seed == 1 ? Vec(Vec::Constant(n, 1.0 / n)) : some_weights(n, seed), nullptr};
      one.loss = make_loss(name == "huber" ? losses::Huber{kDelta} : LossSpec(name), one.y, one.omega);
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
        if (one.name == "huber" && std::abs(std::abs(one.y[i] - eta[i]) - kDelta) <= step) continue;  // the kink
        const double size =
            1.0 + (one.name == "poisson" ? one.loss->value(eta) + 1e3 * one.omega[i] * std::exp(eta[i]) : 0.0);
        CHECK(std::abs(slope + u[i]) <= 1e-9 * size);
        one.loss->derivatives(right, up, ignored);
        one.loss->derivatives(left, down, ignored);
        CHECK(std::abs((down[i] - up[i]) / (2.0 * step) - h[i]) <= 1e-9 * size);
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
        const double share = uniform(rng);
        const double v = one.name == "gaussian"  ? 4.0 * share - 2.0
                         : one.name == "huber"   ? kDelta * (2.0 * share - 1.0)
                         : one.name == "poisson" ? one.y[i] - 5.0 * share
                                                 : one.y[i] - share;
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

TEST_CASE("duals are the conjugates, by brute force") {
  const Vec one = Vec::Ones(1);
  for (const double y : {0.0, 0.3, 1.0, 7.0}) {
    for (const double v : {-2.0, -0.4, 0.2, 0.85}) {
      for (const std::string name : {"poisson", "huber"}) {
        const auto loss = name == "poisson" ? make_loss(name, Vec::Constant(1, y + 0.9), one)
                                            : make_loss(losses::Huber{2.0}, Vec::Constant(1, y), one);
        double best = kInf;  // of f + v eta
        for (double eta = -20.0; eta <= 20.0; eta += 1e-3) {
          best = std::min(best, loss->value(Vec::Constant(1, eta)) + v * eta);
        }
        CHECK(loss->dual(Vec::Constant(1, v)) == doctest::Approx(best).epsilon(1e-5));
      }
    }
  }
}

TEST_CASE("what scaling u costs is the difference of the duals") {
  for (const Case& one : cases()) {
    if (one.name != "poisson" && one.name != "huber") continue;
    CAPTURE(one.name);
    for (unsigned trial = 0; trial < 20; ++trial) {
      const Vec eta = (trial % 2 == 0 ? 1.0 : 6.0) * check::random_matrix(one.y.size(), 1, trial);
      Vec u, h;
      one.loss->derivatives(eta, u, h);
      for (const double scale : {0.0, 0.3, 0.9, 1.0}) {
        const double cost = one.loss->value(eta) + scale * u.dot(eta) - one.loss->dual(scale * u);
        const double error = std::abs(one.loss->scaling_gap(eta, u, h, scale) - cost);
        CHECK(error <= 1e-2 * (1.0 - scale) * std::abs(cost) + 1e-14 * (1.0 + std::abs(u.dot(eta))));
      }
    }
  }
}

TEST_CASE("the poisson loss is exact far out and close by") {
  const Vec y = (Vec(5) << 1e9, 3, 0, 2, 5).finished(), omega = (Vec(5) << 0.25, 0.25, 0.25, 0.25, 0).finished();
  const Poisson loss(y, omega);
  const Vec eta = (Vec(5) << std::log(1e9), -800, -800, 700, 1e9).finished();
  Vec u, h;
  loss.derivatives(eta, u, h);
  CHECK(h.allFinite());
  CHECK(u[1] == 0.75);
  CHECK(u[2] == 0.0);
  CHECK(u[4] == 0.0);
  CHECK(std::isfinite(loss.value(eta)));
  CHECK(std::isfinite(loss.dual(u)));
  CHECK(loss.value(Vec::Constant(5, 800.0)) == kInf);
  CHECK(loss.dual((Vec(5) << 0, 0.75 * (1.0 + 1e-12), 0, 0, 0).finished()) == -kInf);
  CHECK(loss.dual((Vec(5) << 0, 0, 1e-300, 0, 0).finished()) == -kInf);

  // A count of 1e9 with a mean a billionth off: a deviance of 1e-9, to many digits.
  const Vec many = Vec::Constant(1, 1e9), whole = Vec::Ones(1);
  const Poisson close(many, whole, 1e9);
  CHECK(close.value(Vec::Constant(1, 1e-9)) == doctest::Approx(0.5e-9 * (1.0 + 1e-9 / 3.0)).epsilon(1e-14));
  close.derivatives(Vec::Constant(1, 1e-9), u, h);
  CHECK(u[0] == doctest::Approx(-1.0 - 0.5e-9).epsilon(1e-14));
  // The level is a shift of eta and nothing else.
  const Poisson plain(y, omega), shifted(y, omega, 40.0);
  const Vec at = check::random_matrix(5, 1, 1);
  CHECK(shifted.value(at.array() - std::log(40.0)) == doctest::Approx(plain.value(at)).epsilon(1e-13));
}

TEST_CASE("the huber intercept is found among ties, far outliers and flat parts") {
  const auto root = [](const Vec& y, double delta, double start) {
    const Index n = y.size();
    const Huber loss(y, Vec::Constant(n, 1.0 / static_cast<double>(n)), delta);
    const double g = solve_intercept(loss, Vec::Zero(n), start);
    Vec u, h;
    loss.derivatives(Vec::Constant(n, g), u, h);
    CHECK(std::abs(u.sum()) <= 1e-14 * delta);
    return g;
  };
  for (const double start : {0.0, 1e12, -1e3}) {
    CHECK(root((Vec(3) << 1e9, 1, 2).finished(), 0.5, start) == doctest::Approx(2.0).epsilon(1e-14));
    const double anywhere = root((Vec(4) << -5, -5, 5, 5).finished(), 1.0, start);  // from -4 to 4
    CHECK(std::abs(anywhere) <= 4.0);
    CHECK(root((Vec(4) << 1, 2, 3, 10).finished(), 1e300, start) == doctest::Approx(4.0).epsilon(1e-14));
    root(check::random_matrix(101, 1, 4), 1e-6, start);
  }
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
    if (one.name == "poisson") best = (one.y.array() > 0.0).select(one.y.array().log(), -800.0);
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
        CHECK(std::abs(u.sum()) <= 1e-13 * std::max(1.0, spread) * std::max(1.0, u.cwiseAbs().sum()));
        if (one.name == "gaussian") {
          CHECK(g == doctest::Approx(one.omega.dot(one.y - base)).epsilon(1e-12));
        } else if (spread < 100.0 && h.sum() > 0.0) {
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
  CHECK_THROWS_WITH_AS(make("tweedie", 0, 1),
                       "loss must be \"gaussian\", \"binomial\", \"poisson\", \"huber\", \"cox\", \"multigaussian\" or "
                       "\"multinomial\", got \"tweedie\"",
                       std::invalid_argument);
  for (const double y : {-1.0, kInf, std::nan("")}) {
    CHECK_THROWS_WITH_AS(make("poisson", 1, y),
                         doctest::Contains("y must be finite and >= 0 for the poisson loss, got"),
                         std::invalid_argument);
  }
  CHECK_THROWS_WITH_AS(make("poisson", 0, 0), doctest::Contains("y must hold a value above 0"), std::invalid_argument);
  for (const double delta : {0.0, -1.0, kInf, std::nan("")}) {
    CHECK_THROWS_WITH_AS(make_loss(losses::Huber{delta}, Vec::Zero(2), omega),
                         doctest::Contains("huber_delta must be finite and > 0"), std::invalid_argument);
  }
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
