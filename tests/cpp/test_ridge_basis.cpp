#include <doctest/doctest.h>

#include <Eigen/Cholesky>
#include <random>
#include <vector>

#include "path/ridge_basis.hpp"

using namespace riata;

namespace {

Mat normal_numbers(Index rows, Index cols, unsigned seed) {
  std::mt19937 rng(seed);
  std::normal_distribution<double> normal;
  Mat out(rows, cols);
  for (double& v : out.reshaped()) v = normal(rng);
  return out;
}

/// Weighted squares with an intercept and one free column, and K of rank `rank`.
struct Setting {
  explicit Setting(Index rank) : K(n, n), z(normal_numbers(n, 2, 3)), weights(n), y(normal_numbers(n, 1, 5).col(0)) {
    const Mat X = normal_numbers(n, rank, 2);
    K = X * X.transpose();
    z.col(0).setOnes();
    for (Index i = 0; i < n; ++i) weights[i] = static_cast<double>(i % 4);
    weights /= weights.sum();
  }
  /// Weighted residuals at K a, intercept and free column where they are best for it.
  Vec residual(const Vec& Ka) const {
    const Mat weighted = weights.asDiagonal() * z;
    const Vec left = y - Ka;
    const Vec free = (z.transpose() * weighted).ldlt().solve(weighted.transpose() * left);
    return weights.cwiseProduct(left - z * free);
  }
  static constexpr Index n = 40;
  Mat K, z;
  Vec weights, y;
};

RidgeBasis grown(const Setting& of, Index most, Index steps) {
  RidgeBasis out(of.weights, of.z, of.residual(Vec::Zero(Setting::n)), most, 0);
  while (out.size() < steps && !out.complete()) out.add(of.K * out.side());
  return out;
}

}  // namespace

TEST_CASE("ridge basis: with all vectors the solutions have no residual, at any lambda") {
  const std::vector<double> lambdas{1e3, 1.0, 1e-3};
  for (const Index rank : {5, 60}) {
    const Setting of(rank);
    const RidgeBasis basis = grown(of, 40, 40);
    CHECK(basis.size() <= rank + 2);
    const Mat t = basis.solutions(lambdas), a = basis.sides() * t, Ka = basis.images() * t;
    for (Index k = 0; k < 3; ++k) {
      const double lambda = lambdas[static_cast<std::size_t>(k)];
      CHECK((Ka.col(k) - of.K * a.col(k)).norm() <= 1e-12 * Ka.col(k).norm());
      CHECK((lambda * a.col(k) - of.residual(Ka.col(k))).norm() <= 1e-12 * of.residual(Vec::Zero(40)).norm());
    }
  }
}

TEST_CASE("ridge basis: what is left of the gap is known at every size") {
  const Setting of(60);
  for (Index size = 1; size < 12; ++size) {
    const RidgeBasis basis = grown(of, 20, size);
    REQUIRE(basis.size() == size);
    for (const double lambda : {10.0, 1.0, 0.1}) {
      const Mat t = basis.solutions(std::span(&lambda, 1));
      const Vec a = basis.sides() * t, left = lambda * a - of.residual(basis.images() * t);
      double half_square = 0.0;  // of Fenchel's inequality of the squares, between the residual and lambda a
      for (Index i = 0; i < Setting::n; ++i) {
        if (of.weights[i] > 0.0) half_square += 0.5 * left[i] * left[i] / of.weights[i];
      }
      CHECK(basis.rest(lambda) == doctest::Approx(half_square).epsilon(1e-6));
    }
  }
}

TEST_CASE("ridge basis: small differences of its images are seen") {
  Setting of(60);
  of.K *= 1e-9;
  of.K += 1e6 * normal_numbers(Setting::n, 1, 9) * normal_numbers(Setting::n, 1, 9).transpose();
  const RidgeBasis basis = grown(of, 10, 3);
  const std::vector<double> large{1e7}, small{1e-12};
  CHECK(basis.accurate(large));
  CHECK_FALSE(basis.accurate(small));
}

TEST_CASE("ridge basis: no more vectors than are asked for, and free columns may depend on each other") {
  const Setting of(60);
  CHECK(grown(of, 6, 40).size() == 6);
  Setting more = of;
  more.z.conservativeResize(Eigen::NoChange, 4);
  more.z.col(2) = 2.0 * of.z.col(1) - of.z.col(0);
  more.z.col(3).setZero();
  RidgeBasis basis(of.weights, more.z, of.residual(Vec::Zero(Setting::n)), 40, 0);
  while (!basis.complete()) basis.add(of.K * basis.side());
  const std::vector<double> lambdas{1.0};
  const Vec a = basis.sides() * basis.solutions(lambdas);
  CHECK((a - of.residual(of.K * a)).norm() <= 1e-12 * of.residual(Vec::Zero(40)).norm());
}
