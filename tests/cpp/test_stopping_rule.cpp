#include "solver/stopping_rule.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "penalty/penalty_family.hpp"

using namespace riata;

namespace {

ColumnNorms two_columns(const PathOptions& options) {
  Vec variance = Vec::Ones(2);
  return {options, Features{}, 1.0, Vec::Zero(2), variance, {}};
}

}  // namespace

TEST_CASE("the inner tolerance follows lambda, is tightened after a refusal and comes back") {
  PathOptions options;
  options.loss = "binomial";
  options.tol = 1e-6;
  StoppingRule rule(options, two_columns(options));
  rule.set_residual_norm(2.0);
  CHECK(rule.kkt_tolerance(0.5) == doctest::Approx(1e-7 * 0.5));
  CHECK(rule.kkt_tolerance(kInfinity) == doctest::Approx(2e-12));  // nothing is penalised there
  rule.tighten();
  CHECK(rule.tries() == 1);
  CHECK(rule.kkt_tolerance(0.5) == doctest::Approx(0.05 * 1e-7 * 0.5));
  rule.relax();
  CHECK(rule.tries() == 0);
  CHECK(rule.kkt_tolerance(0.5) == doctest::Approx(1e-7 * 0.5));
  for (int k = 0; k < 100; ++k) rule.tighten();
  CHECK(rule.kkt_tolerance(0.5) == doctest::Approx(1e-15 * 2.0));  // never below the rounding of c
}

TEST_CASE("a point is as far from good enough as its gap over what the tolerance allows") {
  // One feature, b = 0.5, lambda = 1: with c = 1.25, |c| passes the threshold, and the scale at which u is feasible is
  // 0.8. The gap is then l1 |b| - 0.8 c b = 0.5 - 0.5 = 0, and what scaling costs, taken as 0.02 here.
  PathOptions options;
  options.tol = 1e-2;
  options.loss = "binomial";
  StoppingRule rule(options, two_columns(options));
  rule.set_residual_norm(1.0);
  rule.set_gap_unit(5.0);
  const Vec scale = Vec::Ones(1);
  const Features none;
  const PenaltyFamily family(options, none, 1, scale);
  const std::vector<Index> features{0}, units{0};
  const Penalties net = family.at(features, 1.0);
  double asked = 0.0;
  const auto cost = [&](double at) {
    asked = at;
    return 0.02;
  };
  const Vec b = Vec::Constant(1, 0.5), c = Vec::Constant(1, 1.25);
  // Allowed: a fifth of tol times the unit, 0.01. The violation, 0.25, may be 0.1 sqrt(tol) lambda = 0.01.
  CHECK(rule.distance(net, b, c, units, 1.0, cost) == doctest::Approx(25.0));
  CHECK(asked == doctest::Approx(0.8));
  // At the solution, where c is the threshold, nothing is left.
  CHECK(rule.distance(net, b, Vec::Ones(1), units, 1.0, cost) == 0.0);
  // Where a gap cannot be told the violation over its tolerance, 1e-6 lambda, is what counts.
  rule.set_gap_unit(0.0);
  CHECK(rule.distance(net, b, c, units, 1.0, cost) == doctest::Approx(0.25 / 1e-6));
}
