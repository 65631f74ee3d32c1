#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "riata/penalty/elastic_net.hpp"

using riata::ElasticNet;
using riata::kInfinity;

namespace {

/// Lasso, ridge, both, neither; unbounded, one-sided, boxed, fixed at zero.
std::vector<ElasticNet> penalties() {
  std::vector<ElasticNet> all;
  for (const double l1 : {0.0, 0.5, 1.25}) {
    for (const double l2 : {0.0, 0.25, 2.0}) {
      for (const double lower : {-kInfinity, -1.5, -0.25, 0.0}) {
        for (const double upper : {kInfinity, 2.0, 0.5, 0.0}) all.push_back({l1, l2, lower, upper});
      }
    }
  }
  return all;
}

/// Smallest point of a convex function on [low, high] by golden section.
template <class F>
double minimise(F f, double low, double high) {
  const double golden = 0.5 * (std::sqrt(5.0) - 1.0);
  for (int step = 0; step < 120; ++step) {
    const double a = high - golden * (high - low), b = low + golden * (high - low);
    (f(a) <= f(b) ? high : low) = f(a) <= f(b) ? b : a;
  }
  return 0.5 * (low + high);
}

template <class F>
double minimise_over(const ElasticNet& net, F f, double reach) {
  const double low = std::max(net.lower, -reach), high = std::min(net.upper, reach);
  // The kink and the ends by name: golden section only comes close to them.
  double best = minimise(f, low, high);
  for (const double b : {0.0, low, high}) {
    if (f(b) <= f(best)) best = b;
  }
  return best;
}

void capture(const ElasticNet& net) {
  INFO("l1 " << net.l1 << " l2 " << net.l2 << " box [" << net.lower << ", " << net.upper << "]");
}

}  // namespace

TEST_CASE("prox is the brute-force minimum") {
  std::mt19937_64 rng(1);
  std::uniform_real_distribution<double> any(-4.0, 4.0), positive(0.05, 3.0);
  for (const ElasticNet& net : penalties()) {
    capture(net);
    for (int trial = 0; trial < 20; ++trial) {
      const double z = any(rng), step = positive(rng);
      const auto cost = [&](double b) { return 0.5 * (b - z) * (b - z) / step + net.value(b); };
      const double b = net.prox(z, step), best = minimise_over(net, cost, 10.0);
      CHECK(b >= net.lower);
      CHECK(b <= net.upper);
      CHECK(cost(b) <= cost(best) + 1e-15);
      CHECK(std::abs(b - best) <= 1e-6);
    }
  }
}

TEST_CASE("prox inside the threshold is +0, never -0") {
  for (const double z : {-0.5, -0.1, -0.0, 0.0, 0.1, 0.5}) {
    const double b = ElasticNet{1.0, 0.5}.prox(z, 0.5);
    CHECK(b == 0.0);
    CHECK_FALSE(std::signbit(b));
  }
  CHECK_FALSE(std::signbit(ElasticNet{0.0, 0.0, 0.0, 1.0}.prox(-2.0, 1.0)));
  CHECK_FALSE(std::signbit(ElasticNet{0.0, 0.0, -1.0, -0.0}.prox(2.0, 1.0)));
}

TEST_CASE("conjugate is the brute-force supremum") {
  std::mt19937_64 rng(2);
  std::uniform_real_distribution<double> any(-4.0, 4.0);
  for (const ElasticNet& net : penalties()) {
    capture(net);
    for (int trial = 0; trial < 20; ++trial) {
      const double c = any(rng), reach = c > 0.0 ? net.upper : -net.lower;
      if (net.l2 == 0.0 && std::abs(c) > net.l1 && reach == kInfinity) {
        CHECK(net.conjugate(c) == kInfinity);
        continue;
      }
      const auto cost = [&](double b) { return net.value(b) - c * b; };
      CHECK(net.conjugate(c) == doctest::Approx(-cost(minimise_over(net, cost, 50.0))).epsilon(1e-12));
      CHECK(net.conjugate(c) >= 0.0);
    }
  }
}

TEST_CASE("value and conjugate obey the Fenchel-Young inequality, with equality on the subdifferential") {
  std::mt19937_64 rng(3);
  std::uniform_real_distribution<double> any(-4.0, 4.0), unit(-1.0, 1.0);
  for (const ElasticNet& net : penalties()) {
    capture(net);
    for (int trial = 0; trial < 40; ++trial) {
      const double b = std::clamp(trial % 4 == 0 ? 0.0 : any(rng), net.lower, net.upper), c = any(rng);
      CHECK(net.value(b) + net.conjugate(c) >= b * c - 1e-14);
      const double slope = b == 0.0 ? unit(rng) : std::copysign(1.0, b);
      const double tangent = net.l1 * slope + net.l2 * b;
      CHECK(net.value(b) + net.conjugate(tangent * (1.0 - 1e-16)) == doctest::Approx(b * tangent).epsilon(1e-14));
      if (b == net.upper || b == net.lower) {  // the normal cone of the box
        const double outside = tangent + std::copysign(1.0, b == net.upper ? 1.0 : -1.0) * std::abs(any(rng));
        if (b != 0.0) CHECK(net.value(b) + net.conjugate(outside) == doctest::Approx(b * outside).epsilon(1e-13));
      }
    }
  }
}

TEST_CASE("feasible_scale is the largest scale with a finite conjugate") {
  std::mt19937_64 rng(4);
  std::uniform_real_distribution<double> any(-4.0, 4.0);
  for (const ElasticNet& net : penalties()) {
    capture(net);
    for (int trial = 0; trial < 40; ++trial) {
      const double c = any(rng), s = net.feasible_scale(c);
      CHECK(s >= 0.0);
      CHECK(s <= 1.0);
      CHECK(std::isfinite(net.conjugate(s * c * (1.0 - 1e-16))));
      if (s < 1.0) CHECK(net.conjugate((s + 1e-9) * c) == kInfinity);
    }
  }
  // The last bit: scaled down by it, no pair is infeasible.
  std::uniform_real_distribution<double> exponent(-300.0, 300.0), mantissa(1.0, 2.0);
  for (int trial = 0; trial < 100'000; ++trial) {
    const double unit = std::pow(10.0, exponent(rng));
    const ElasticNet net{unit * mantissa(rng), 0.0};
    const double c = net.l1 * (1.0 + 3.0 * (mantissa(rng) - 1.0));
    const bool finite = std::isfinite(net.conjugate(net.feasible_scale(c) * c * (1.0 - 1e-16)));
    if (!finite) CHECK(finite);
  }
}

TEST_CASE("the KKT violation is zero exactly at fixed points of prox") {
  // Multiples of 1/8: no rounding on either side.
  int optimal = 0;
  for (const ElasticNet& net : penalties()) {
    capture(net);
    for (double b = -2.0; b <= 2.0; b += 0.25) {
      if (b < net.lower || b > net.upper) continue;
      for (double c = -6.0; c <= 6.0; c += 0.125) {
        const bool fixed = net.prox(b + 0.5 * c, 0.5) == b, optimum = net.kkt_violation(b, c) == 0.0;
        optimal += optimum;
        if (fixed != optimum) CHECK_MESSAGE(fixed == optimum, "b = " << b << ", c = " << c);
      }
    }
  }
  CHECK(optimal > 1000);
}

TEST_CASE("the KKT violation is the distance to the subdifferential") {
  const ElasticNet net{1.0, 0.5, -3.0, 2.0};
  CHECK(net.kkt_violation(0.0, 0.75) == 0.0);
  CHECK(net.kkt_violation(0.0, -1.5) == 0.5);
  CHECK(net.kkt_violation(1.0, 1.25) == 0.25);  // subdifferential {1.5}
  CHECK(net.kkt_violation(-1.0, -2.0) == 0.5);  // {-1.5}
  CHECK(net.kkt_violation(2.0, 5.0) == 0.0);    // [2, inf) at the upper bound
  CHECK(net.kkt_violation(2.0, 1.5) == 0.5);
  CHECK(net.kkt_violation(-3.0, -9.0) == 0.0);  // (-inf, -2.5]
  CHECK(net.kkt_violation(-3.0, -2.0) == 0.5);
  CHECK(ElasticNet{1.0, 0.0, 0.0, 0.0}.kkt_violation(0.0, 7.0) == 0.0);
}
