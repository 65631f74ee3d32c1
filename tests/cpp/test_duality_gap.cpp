#include "certify/duality_gap.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <vector>

#include "check_design.hpp"
#include "loss/binomial.hpp"
#include "loss/gaussian.hpp"
#include "penalty/penalty_family.hpp"
#include "riata/design/dense.hpp"

using namespace riata;
using namespace riata::check;

namespace {

constexpr Index kRows = 20, kCols = 5;

/// A problem whose columns are taken as they are, all of them in the working set.
struct Setup {
  Setup(const Loss& loss, bool intercept, const Vec& offset = {})
      : X(random_matrix(kRows, kCols, 51)),
        design(dense_design(X.data(), kRows, kCols, 1, kRows)),
        pool(*design, false, SharedPool::Use::kPart, Vec::Zero(kCols), Vec::Ones(kCols)),
        columns(pool, false, 1, 1, Vec::Zero(kCols), Vec::Ones(kCols)),
        work(kCols),
        predictor(loss, columns, work, intercept, offset),
        gap(loss, predictor, X.colwise().norm().maxCoeff()) {
    std::vector<Index> all(static_cast<std::size_t>(kCols));
    std::iota(all.begin(), all.end(), Index{0});
    pool.require(all, 1, counters);
    work.assign(all);
  }
  /// The point with these coefficients.
  PathPoint point(const Loss& loss, const Vec& b, double lambda) const {
    PathPoint p{};
    p.lambda = lambda;
    p.b = b;
    p.g = Vec::Zero(1);
    p.eta = predictor.without_intercepts(b);
    predictor.add_intercepts(p.eta, p.g);
    Vec ignored;
    loss.derivatives(p.eta, p.u, ignored);
    p.c = X.transpose() * p.u;
    return p;
  }
  Mat X;
  std::unique_ptr<Design> design;
  SharedPool pool;
  Counters counters;
  StandardizedColumns columns;
  WorkingSet work;
  LinearPredictor predictor;
  DualityGap gap;
};

const Vec kOmega = Vec::Constant(kRows, 1.0 / static_cast<double>(kRows));

}  // namespace

TEST_CASE("the bound of a lasso of squares is its dual objective at the residual, scaled until it is feasible") {
  const Vec y = random_matrix(kRows, 1, 52);
  const Gaussian loss(y, kOmega);
  const Setup s(loss, false);
  const Vec b{{0.3, 0.0, -0.2, 0.0, 0.1}};
  const double lambda = 0.05;
  const PathPoint p = s.point(loss, b, lambda);
  PathOptions options;
  const Features none;
  const Vec scales = Vec::Ones(kCols);
  const PenaltyFamily family(options, none, 1, scales);
  const Penalties net = family.at(s.work.features(), lambda);
  const double scale = std::min(1.0, lambda / p.c.cwiseAbs().maxCoeff());
  REQUIRE(scale < 1.0);
  const Vec u = scale * p.u;
  const double want = u.dot(y) - 0.5 * (u.array().square() / kOmega.array()).sum();
  CHECK(s.gap.dual(p, net, p.c) == doctest::Approx(want).epsilon(1e-12));
  const double primal = 0.5 * kOmega.dot((y - p.eta).cwiseAbs2()) + lambda * b.lpNorm<1>();
  CHECK(want < primal);
}

TEST_CASE("an offset takes its product with u from the bound") {
  const Vec y = random_matrix(kRows, 1, 52), offset = random_matrix(kRows, 1, 53);
  const Gaussian plain(y - offset, kOmega), loss(y, kOmega);
  const Setup without(plain, false), with(loss, false, offset);
  const Vec b{{0.3, 0.0, -0.2, 0.0, 0.1}};
  const PathOptions options;
  const Features none;
  const Vec scales = Vec::Ones(kCols);
  const PenaltyFamily family(options, none, 1, scales);
  const Penalties net = family.at(with.work.features(), 0.05);
  const PathPoint p = without.point(plain, b, 0.05), q = with.point(loss, b, 0.05);
  CHECK(with.gap.dual(q, net, q.c) == doctest::Approx(without.gap.dual(p, net, p.c)).epsilon(1e-12));
}

TEST_CASE("a feasible u is orthogonal to the free columns and the intercept, and in the domain of the conjugate") {
  Vec y = Vec::Zero(kRows);
  y.head(kRows / 2).setOnes();
  const Binomial loss(y, kOmega);
  Setup s(loss, true);
  const Mat Z = s.X.leftCols(2);
  s.gap.set_free_columns(Z);
  PathPoint p = s.point(loss, Vec{{0.4, -0.3, 0.0, 0.0, 0.0}}, 0.1);
  const double before = (Z.transpose() * p.u).cwiseAbs().maxCoeff();
  s.gap.make_dual_feasible(p);
  CHECK(before > 1e-3);
  CHECK((Z.transpose() * p.u).cwiseAbs().maxCoeff() < 1e-12);
  CHECK(std::abs(p.u.sum()) < 1e-12);
  CHECK(std::isfinite(loss.dual(p.u)));
}

TEST_CASE("a slope along a free column is rounding, and costs its product with the coefficient, or voids the bound") {
  const Gaussian loss(random_matrix(kRows, 1, 52), kOmega);
  const Setup s(loss, false);
  const Vec u = kOmega;  // of norm 1 in the weights
  const double largest = s.X.colwise().norm().maxCoeff();
  CHECK(s.gap.free_conjugate(0.5e-10 * largest, 3.0, u) == doctest::Approx(2.0 * 0.5e-10 * largest * 3.0));
  CHECK(s.gap.free_conjugate(2e-10 * largest, 3.0, u) == kInfinity);
}
