#include "solver/dual_hessian.hpp"

#include <doctest/doctest.h>

#include <Eigen/LU>
#include <vector>

#include "check_design.hpp"
#include "newton_setting.hpp"
#include "solver/dual_newton.hpp"

using namespace riata;

namespace {

/// I + H^1/2 K H^1/2 / lambda by its definition, K the sum of x_j x_j' / (l2_j / lambda) over features with a sign.
Mat by_definition(const Mat& X, const Vec& h, const std::vector<signed char>& sign, const check::Nets& net) {
  const Mat W = h.cwiseSqrt().asDiagonal() * X;
  Mat out = Mat::Identity(h.size(), h.size());
  for (Index j = 0; j < X.cols(); ++j) {
    const auto i = static_cast<std::size_t>(j);
    if (sign[i] != 0) out += W.col(j) * W.col(j).transpose() / net[i].l2;
  }
  return out;
}

}  // namespace

TEST_CASE("steps solve the Newton equations, at the first Hessian and at those that follow it") {
  const Index n = 30, p = 50;
  Mat X = check::random_matrix(n, p, 1);
  X.array() += 0.5;
  for (const bool intercept : {false, true}) {
    CAPTURE(intercept);
    check::Setting<DualNewton> s(X, check::response(X, 2), check::random_matrix(n, 1, 3).cwiseAbs(), intercept);
    DualHessian hessian;
    std::vector<signed char> sign(static_cast<std::size_t>(p), 0);
    for (const double lambda : {1.0, 0.7, 0.05}) {
      for (std::size_t j = 0; j < sign.size(); ++j) sign[j] = j % 3 == 0 ? 0 : lambda < 0.5 && j % 4 == 0 ? -1 : 1;
      s.h *= 1.1;
      s.expand();
      const check::Nets net = check::nets(p, lambda, 0.2);
      hessian.set_curvature(s.model);
      hessian.assign(s.model, sign, net, lambda);
      const Vec root = s.h.cwiseSqrt(), unit = root.normalized();
      CHECK(hessian.root().isApprox(root, 1e-14));
      Vec gradient = check::random_matrix(n, 1, 4), step;
      hessian.project(gradient);
      if (intercept) CHECK(std::abs(gradient.dot(unit)) < 1e-13);
      REQUIRE(hessian.solve(gradient, 0.0, step));
      Vec rest = by_definition(X, s.h, sign, net) * step + gradient;
      if (intercept) rest -= unit.dot(rest) * unit;
      CHECK(rest.norm() <= 1e-6 * gradient.norm());
      if (intercept) CHECK(std::abs(step.dot(unit)) < 1e-10 * step.norm());
    }
  }
}
