#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "penalty/elastic_net.hpp"
#include "penalty/group_norm.hpp"
#include "penalty/penalties.hpp"
#include "penalty/sorted_l1.hpp"

using riata::Concave;
using riata::ElasticNet;
using riata::GroupNorm;
using riata::Index;
using riata::kInfinity;
using riata::Penalties;
using riata::SortedL1;
using riata::Vec;

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

namespace {

/// Lasso, ridge, both, neither.
std::vector<GroupNorm> norms() {
  std::vector<GroupNorm> all;
  for (const double l1 : {0.0, 0.5, 1.25}) {
    for (const double l2 : {0.0, 0.25, 2.0}) all.push_back({l1, l2});
  }
  return all;
}

Vec random_vector(std::mt19937_64& rng, Index size, double spread = 1.5) {
  std::normal_distribution<double> normal(0.0, spread);
  return Vec::NullaryExpr(size, [&] { return normal(rng); });
}

}  // namespace

TEST_CASE("group norm: prox is the brute-force minimum") {
  std::mt19937_64 rng(11);
  std::uniform_real_distribution<double> positive(0.05, 3.0), any(-4.0, 4.0);
  for (const GroupNorm& net : norms()) {
    CAPTURE(net.l1);
    CAPTURE(net.l2);
    for (int trial = 0; trial < 20; ++trial) {
      const Vec z = random_vector(rng, 2);
      const double step = positive(rng);
      const auto cost = [&](const Vec& b) { return 0.5 * (b - z).squaredNorm() / step + net.value(b); };
      const Vec b = net.shrinkage(z.norm(), step) * z;
      // Over the plane: the least over the second coordinate is convex in the first.
      Vec at(2);
      const auto along = [&](double first) {
        return minimise([&](double second) { return cost((Vec(2) << first, second).finished()); }, -10.0, 10.0);
      };
      at[0] = minimise([&](double first) { return cost((Vec(2) << first, along(first)).finished()); }, -10.0, 10.0);
      at[1] = along(at[0]);
      CHECK(cost(b) <= cost(at) + 1e-14);
      CHECK((b - at).norm() <= 1e-6);
      for (int other = 0; other < 20; ++other) {
        const Vec near = b + std::pow(10.0, any(rng) - 3.0) * random_vector(rng, 2);
        CHECK(cost(b) <= cost(near) + 1e-14);
      }
    }
  }
  CHECK(GroupNorm{1.0, 0.5}.shrinkage(0.0, 1.0) == 0.0);
  CHECK(GroupNorm{0.0, 0.0}.shrinkage(0.0, 1.0) == 0.0);
  CHECK(GroupNorm{0.0, 0.0}.shrinkage(2.0, 1.0) == 1.0);
}

TEST_CASE("group norm: conjugate is the brute-force supremum, and scales are feasible") {
  std::mt19937_64 rng(12);
  for (const GroupNorm& net : norms()) {
    CAPTURE(net.l1);
    CAPTURE(net.l2);
    for (int trial = 0; trial < 40; ++trial) {
      const Vec c = random_vector(rng, 3), b = trial % 5 == 0 ? Vec(Vec::Zero(3)) : random_vector(rng, 3);
      const double conjugate = net.conjugate(c, 1.0), s = net.feasible_scale(c);
      CHECK(net.value(b) + conjugate >= b.dot(c) - 1e-14);
      if (net.l2 == 0.0 && c.norm() > net.l1) {
        CHECK(conjugate == kInfinity);
      } else {  // attained along c
        const auto cost = [&](double length) {
          return net.value((length * c.normalized()).eval()) - length * c.norm();
        };
        CHECK(conjugate == doctest::Approx(std::max(-cost(minimise(cost, 0.0, 50.0)), 0.0)).epsilon(1e-10));
      }
      CHECK(s >= 0.0);
      CHECK(s <= 1.0);
      CHECK(std::isfinite(net.conjugate(c, s * (1.0 - 1e-16))));
      if (s < 1.0) CHECK(net.conjugate(c, s + 1e-9) == kInfinity);
    }
  }
}

TEST_CASE("group norm: the KKT violation is the distance to the subdifferential") {
  std::mt19937_64 rng(13);
  for (const GroupNorm& net : norms()) {
    for (int trial = 0; trial < 20; ++trial) {
      const Vec b = random_vector(rng, 3), e = random_vector(rng, 3), zero = Vec::Zero(3);
      const Vec gradient = net.l1 / b.norm() * b + net.l2 * b;
      CHECK(net.kkt_violation(b, gradient) <= 1e-15 * (1.0 + gradient.norm()));
      CHECK(net.kkt_violation(b, Vec(gradient + e)) == doctest::Approx(e.norm()).epsilon(1e-12));
      // At zero the subdifferential is a ball: its nearest point is a multiple of c.
      const Vec c = random_vector(rng, 3);
      const Vec nearest = std::min(1.0, net.l1 / c.norm()) * c;
      CHECK(net.kkt_violation(zero, c) == doctest::Approx((c - nearest).norm()).epsilon(1e-12));
      // Fixed points of prox have no violation.
      const double step = 0.5;
      const Vec z = b + step * c, x = net.shrinkage(z.norm(), step) * z;
      const Vec fixed = (z - x) / step;  // what c would be there
      CHECK(net.kkt_violation(x, fixed) <= 1e-13);
    }
  }
}

TEST_CASE("with one coefficient a group norm is an elastic net without bounds") {
  std::mt19937_64 rng(14);
  for (const GroupNorm& net : norms()) {
    const ElasticNet one{net.l1, net.l2};
    for (int trial = 0; trial < 20; ++trial) {
      const Vec b = trial % 3 == 0 ? Vec(Vec::Zero(1)) : random_vector(rng, 1), c = random_vector(rng, 1);
      CHECK(net.value(b) == doctest::Approx(one.value(b[0])).epsilon(1e-15));
      CHECK(std::abs(net.shrinkage(std::abs(c[0]), 0.7) * c[0] - one.prox(c[0], 0.7)) <= 1e-15);
      CHECK(net.conjugate(c, 1.0) == one.conjugate(c[0]));
      CHECK(net.feasible_scale(c) == one.feasible_scale(c[0]));
      CHECK(net.kkt_violation(b, c) == doctest::Approx(one.kkt_violation(b[0], c[0])).epsilon(1e-13));
    }
  }
}

TEST_CASE("penalties of several features are sums over coefficients or over rows") {
  std::mt19937_64 rng(15);
  const Index K = 3, features = 4;
  std::vector<GroupNorm> rows;
  std::vector<ElasticNet> entries;
  for (Index j = 0; j < features; ++j) {
    rows.push_back({j == 0 ? 0.0 : 0.3 * static_cast<double>(j), j == 2 ? 0.5 : 0.0});
    for (Index k = 0; k < K; ++k) entries.push_back({rows.back().l1, rows.back().l2, -0.4, k == 1 ? 0.0 : kInfinity});
  }
  const Penalties grouped(rows, K), single(entries);
  CHECK(grouped.grouped() != nullptr);
  CHECK(single.grouped() == nullptr);
  CHECK(grouped.units() == features);
  CHECK(grouped.begin(2) == 2 * K);
  CHECK(single.units() == features * K);
  CHECK(single.begin(2) == 2);
  CHECK(grouped.unpenalised(0));
  CHECK_FALSE(grouped.unpenalised(2));
  CHECK(single.unpenalised(2));
  CHECK_FALSE(single.unpenalised(3));
  for (int trial = 0; trial < 10; ++trial) {
    Vec b = random_vector(rng, features * K).cwiseMax(-0.4), c = random_vector(rng, features * K);
    for (Index e = 1; e < features * K; e += K) b[e] = std::min(b[e], 0.0);
    b.segment(K, K).setZero();
    double value_rows = 0.0, value_entries = 0.0, worst_rows = 0.0, worst_entries = 0.0;
    for (Index j = 0; j < features; ++j) {
      const Vec bj = b.segment(j * K, K), cj = c.segment(j * K, K);
      const GroupNorm& row = rows[static_cast<std::size_t>(j)];
      value_rows += row.value(bj);
      worst_rows = std::max(worst_rows, row.kkt_violation(bj, cj));
      CHECK(grouped.value(j, b) == row.value(bj));
      CHECK(grouped.violation(j, b, c) == row.kkt_violation(bj, cj));
      CHECK(grouped.violation_at_zero(j, c) == doctest::Approx(row.kkt_violation(Vec(Vec::Zero(K)), cj)));
      CHECK(grouped.size(j, c) == cj.norm());
      CHECK(grouped.reaches(j, c) == (cj.norm() >= row.l1));
      CHECK(grouped.feasible_scale(j, c) == row.feasible_scale(cj));
      CHECK(grouped.conjugate(j, c, 0.5) == row.conjugate(cj, 0.5));
      CHECK(grouped.product(j, b, c) == doctest::Approx(bj.dot(cj)));
    }
    for (Index e = 0; e < features * K; ++e) {
      const ElasticNet& entry = entries[static_cast<std::size_t>(e)];
      value_entries += entry.value(b[e]);
      worst_entries = std::max(worst_entries, entry.kkt_violation(b[e], c[e]));
      CHECK(single.value(e, b) == entry.value(b[e]));
      CHECK(single.violation(e, b, c) == entry.kkt_violation(b[e], c[e]));
      CHECK(single.violation_at_zero(e, c) == entry.kkt_violation(0.0, c[e]));
      CHECK(single.size(e, c) == std::abs(c[e]));
      CHECK(single.reaches(e, c) == (std::abs(c[e]) >= entry.l1));
      CHECK(single.feasible_scale(e, c) == entry.feasible_scale(c[e]));
      CHECK(single.conjugate(e, c, 0.5) == entry.conjugate(0.5 * c[e]));
      CHECK(single.product(e, b, c) == b[e] * c[e]);
    }
    CHECK(grouped.value(b) == doctest::Approx(value_rows).epsilon(1e-14));
    CHECK(single.value(b) == doctest::Approx(value_entries).epsilon(1e-14));
    CHECK(grouped.worst_violation(b, c) == worst_rows);
    CHECK(single.worst_violation(b, c) == worst_entries);

    const Vec z = random_vector(rng, features * K), step = random_vector(rng, features * K).cwiseAbs();
    Vec by_rows = z, by_entries = z;
    grouped.prox(by_rows, step.head(features));
    single.prox(by_entries, step);
    for (Index e = 0; e < features * K; ++e) {
      const Index j = e / K;
      const double share = rows[static_cast<std::size_t>(j)].shrinkage(z.segment(j * K, K).norm(), step[j]);
      CHECK(by_rows[e] == doctest::Approx(share * z[e]).epsilon(1e-15));
      CHECK(by_entries[e] == entries[static_cast<std::size_t>(e)].prox(z[e], step[e]));
    }
  }
}

namespace {

/// Sparse group norms; the last are a lasso.
std::vector<GroupNorm> sparse_norms() {
  return {{0.5, 0.0, 0.3}, {0.5, 0.4, 0.3}, {0.1, 0.0, 1.0},  {1.0, 2.0, 0.01},
          {0.0, 0.0, 0.7}, {0.0, 0.5, 0.7}, {2e-4, 0.0, 1.0}, {1e-6, 0.0, 1.0}};
}

}  // namespace

TEST_CASE("sparse group norm: prox is the brute-force minimum") {
  std::mt19937_64 rng(21);
  std::uniform_real_distribution<double> positive(0.05, 3.0);
  for (const GroupNorm& net : sparse_norms()) {
    for (int trial = 0; trial < 20; ++trial) {
      const Vec z = random_vector(rng, 2);
      const double step = positive(rng);
      const auto cost = [&](const Vec& b) { return 0.5 * (b - z).squaredNorm() / step + net.value(b); };
      Vec b = z;
      net.prox(b, step);
      Vec at(2);
      const auto along = [&](double first) {
        return minimise([&](double second) { return cost((Vec(2) << first, second).finished()); }, -10.0, 10.0);
      };
      at[0] = minimise([&](double first) { return cost((Vec(2) << first, along(first)).finished()); }, -10.0, 10.0);
      at[1] = along(at[0]);
      CHECK(cost(b) <= cost(at) + 1e-14);
      CHECK((b - at).norm() <= 1e-6);
      CHECK(net.kkt_violation(b, Vec((z - b) / step)) <= 1e-13);
    }
  }
}

TEST_CASE("sparse group norm: dual norm, conjugate and violation by their definitions") {
  std::mt19937_64 rng(22);
  for (const GroupNorm& net : sparse_norms()) {
    for (int trial = 0; trial < 40; ++trial) {
      const Vec c = random_vector(rng, 5), b = random_vector(rng, 5);
      const double norm = net.dual_norm(c);
      // The root of its equation, and so the largest c'b over value(b) without the ridge part.
      const GroupNorm pure{net.l1, 0.0, net.each};
      CHECK(pure.size(Vec(c / (norm * (1.0 + 1e-12)))) <= pure.l1 * (1.0 + 1e-12));
      CHECK(pure.size(Vec(c / (norm * (1.0 - 1e-9)))) > pure.l1);
      CHECK(c.dot(b) <= norm * pure.value(b) + 1e-13);
      CHECK(pure.feasible_scale(c) == doctest::Approx(std::min(1.0, 1.0 / norm)).epsilon(1e-14));
      const double conjugate = net.conjugate(c, 1.0);
      CHECK(net.value(b) + conjugate >= b.dot(c) - 1e-13);
      CHECK(std::isfinite(net.conjugate(c, net.feasible_scale(c) * (1.0 - 1e-16))));
      if (net.l2 > 0.0) {  // attained where b minimises value(b) - c'b
        Vec best = c / net.l2;
        net.prox(best, 1e300);
        best = Vec::Zero(5);
        for (int step = 0; step < 20000; ++step) {
          best += 0.5 / net.l2 * (c - net.l2 * best);
          GroupNorm{net.l1, 0.0, net.each}.prox(best, 0.5 / net.l2);
        }
        CHECK(c.dot(best) - net.value(best) == doctest::Approx(conjugate).epsilon(1e-9));
      }
      // Nothing else than the nearest subgradient: no step along it, nor anywhere else, lowers value(x) - c'x by more.
      Vec zeros = b;
      zeros[1] = zeros[3] = 0.0;
      const double violation = net.kkt_violation(zeros, c), h = 1e-6;
      double steepest = 0.0;
      for (int other = 0; other < 300; ++other) {
        const Vec d = random_vector(rng, 5).normalized();
        const auto cost = [&](const Vec& x) { return net.value(x) - c.dot(x); };
        steepest = std::max(steepest, (cost(zeros) - cost(Vec(zeros + h * d))) / h);
      }
      CHECK(steepest <= violation + 1e-4);
      CHECK(steepest >= 0.5 * violation - 1e-4);
    }
  }
}

TEST_CASE("MCP and SCAD: prox is the brute-force minimum, slopes are those of the value") {
  std::mt19937_64 rng(23);
  std::uniform_real_distribution<double> any(-6.0, 6.0), positive(0.05, 6.0);
  for (const Concave::Kind kind : {Concave::Kind::kMcp, Concave::Kind::kScad}) {
    for (const double gamma : {2.01, 3.0, 3.7, 1e8}) {
      for (const double l1 : {0.0, 0.4, 1.0}) {
        const Concave net{kind, l1, gamma};
        for (int trial = 0; trial < 60; ++trial) {
          const double z = any(rng), step = positive(rng);
          const auto cost = [&](double b) { return 0.5 * (b - z) * (b - z) / step + net.value(b); };
          const double b = net.prox(z, step);
          double least = cost(0.0);
          for (int k = 0; k <= 4000; ++k) least = std::min(least, cost(-8.0 + 0.004 * k));
          CHECK(cost(b) <= least + 1e-12);
          CHECK(net.kkt_violation(b, (z - b) / step) <= 1e-9 * std::max(1.0, std::abs(z) / step));
          const double at = std::abs(any(rng)) + 1e-3, h = 1e-6;
          CHECK(net.slope(at) == doctest::Approx((net.value(at + h) - net.value(at - h)) / (2.0 * h)).epsilon(1e-4));
          // Convex once the concavity is given back, and below its tangent norm.
          const double other = any(rng), k = net.concavity();
          const auto curved = [&](double x) { return net.value(x) + 0.5 * k * x * x; };
          CHECK(curved(0.5 * (at + other)) <= 0.5 * (curved(at) + curved(other)) + 1e-12);
          CHECK(net.value(other) <= net.value(at) + net.slope(at) * (std::abs(other) - at) + 1e-12);
        }
        CHECK(std::signbit(net.prox(-1e-100, 1.0)) == (l1 == 0.0));
      }
    }
  }
}

TEST_CASE("sorted l1 norm: prox, dual norm and violation by brute force over orders") {
  std::mt19937_64 rng(24);
  std::uniform_real_distribution<double> positive(0.1, 2.0);
  for (int trial = 0; trial < 60; ++trial) {
    Vec weights = random_vector(rng, 4).cwiseAbs();
    std::sort(weights.begin(), weights.end(), std::greater<>());
    if (trial % 3 == 0) weights[3] = 0.0;
    if (trial % 4 == 0) weights[2] = weights[1];
    const SortedL1 net(weights);
    Vec z = random_vector(rng, 4);
    if (trial % 5 == 0) z[1] = -z[0];
    const double step = positive(rng);
    Vec b = z;
    net.prox(b, step);
    // The value is the largest over all orders of the weights, so the norm of a vertex set: the dual ball.
    std::vector<int> place{0, 1, 2, 3};
    double largest = 0.0;
    do {
      double sum = 0.0;
      for (Index i = 0; i < 4; ++i) sum += weights[place[static_cast<std::size_t>(i)]] * std::abs(b[i]);
      largest = std::max(largest, sum);
    } while (std::next_permutation(place.begin(), place.end()));
    CHECK(net.value(b) == doctest::Approx(largest).epsilon(1e-13));
    const auto cost = [&](const Vec& x) { return 0.5 * (x - z).squaredNorm() / step + net.value(x); };
    for (int other = 0; other < 200; ++other) {
      const Vec near = b + std::pow(10.0, -static_cast<double>(other % 6)) * random_vector(rng, 4);
      CHECK(cost(b) <= cost(near) + 1e-12);
    }
    CHECK(net.kkt_violation(b, Vec((z - b) / step)) <= 1e-12);
    const Vec c = random_vector(rng, 4), at = random_vector(rng, 4);
    CHECK(c.dot(at) <= net.dual_norm(c) * net.value(at) + 1e-12);
    double attained = 0.0;  // at the indicators of the k largest
    const auto order = SortedL1::order(c);
    Vec corner = Vec::Zero(4);
    for (const Index i : order) {
      corner[i] = std::copysign(1.0, c[i]);
      if (net.value(corner) > 0.0) attained = std::max(attained, c.dot(corner) / net.value(corner));
    }
    CHECK(net.dual_norm(c) == doctest::Approx(attained).epsilon(1e-13));
    // A step of the gradient less the penalty goes as fast down as the violation says, and no faster.
    Vec clustered = at;
    clustered[1] = -clustered[0];
    clustered[3] = 0.0;
    const double violation = net.kkt_violation(clustered, c), h = 1e-7;
    const auto fall = [&](const Vec& x) { return net.value(x) - c.dot(x); };
    double steepest = 0.0;
    for (int other = 0; other < 300; ++other) {
      Vec d = random_vector(rng, 4);
      if (other % 2 == 0) d[1] = -d[0];
      if (other % 3 == 0) d[3] = 0.0;
      d /= d.lpNorm<1>();
      steepest = std::max(steepest, (fall(clustered) - fall(Vec(clustered + h * d))) / h);
    }
    CHECK(steepest <= violation + 1e-5);
  }
}

TEST_CASE("units of a sorted norm are what is free and all the rest") {
  std::mt19937_64 rng(25);
  riata::Sorted sorted{SortedL1((Vec(3) << 1.0, 0.5, 0.2).finished()), 2, 5};
  const Penalties net(sorted);
  CHECK(net.units() == 3);
  CHECK(net.begin(1) == 1);
  CHECK(net.begin(2) == 2);
  CHECK(net.begin(3) == 5);
  CHECK(net.unpenalised(1));
  CHECK_FALSE(net.unpenalised(2));
  const Vec b = random_vector(rng, 5), c = random_vector(rng, 5);
  CHECK(net.value(b) == doctest::Approx(sorted.net.value(b.tail(3))));
  CHECK(net.product(2, b, c) == doctest::Approx(b.tail(3).dot(c.tail(3))));
  CHECK(net.violation(0, b, c) == std::abs(c[0]));
  Vec z = b, rest = b.tail(3);
  net.prox(z, Vec::Constant(3, 0.7));
  sorted.net.prox(rest, 0.7);
  CHECK(z.head(2) == b.head(2));
  CHECK(z.tail(3) == rest);
}
