#include <doctest/doctest.h>

#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <utility>
#include <vector>

#include "check_design.hpp"
#include "loss/multinomial.hpp"
#include "riata/design/dense.hpp"
#include "solver/block_newton.hpp"

using namespace riata;

namespace {

Mat correlated(Index n, Index p, double share, unsigned seed) {
  Mat x = check::random_matrix(n, p, seed);
  for (Index j = 1; j < p; ++j) x.col(j) = share * x.col(j - 1) + std::sqrt(1.0 - share * share) * x.col(j);
  return x;
}

/// n x K responses; every fourth feature counts, the more outputs the less alike.
Mat responses(const Mat& X, Index K, unsigned seed) {
  Mat B = Mat::Zero(X.cols(), K);
  const Mat z = check::random_matrix(X.cols(), K, seed + 100);
  for (Index j = 0; j < X.cols(); j += 4) B.row(j) = z.row(j);
  return X * B + 0.5 * check::random_matrix(X.rows(), K, seed);
}

using Rows = std::vector<GroupNorm>;
Rows same(Index p, GroupNorm net) {
  return Rows(static_cast<std::size_t>(p), net);
}

/// 1/2 sum_i omega_i |y_i - B'x_i|^2 plus group norms on the rows of B, as BlockNewton sees it.
struct Setting {
  Setting(Mat x, Mat y, Rows net)
      : X(std::move(x)),
        Y(std::move(y)),
        rows(std::move(net)),
        omega(Vec::Constant(X.rows(), 1.0 / static_cast<double>(X.rows()))),
        design(dense_design(X.data(), X.rows(), X.cols(), 1, X.rows())),
        pool(design->make_pool()),
        model(*pool, false, false, true, 1, Y.cols()) {
    std::vector<Index> all(static_cast<std::size_t>(X.cols()));
    std::iota(all.begin(), all.end(), Index{0});
    pool->append(all, std::vector<double>(all.size(), 0.0), 1);
    work = std::move(all);
    model.set_working(work, std::vector<double>(work.size(), 1.0));
    b = Vec::Zero(X.cols() * Y.cols());
    restart();
  }
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;

  Index outputs() const { return Y.cols(); }
  /// Coefficients of the working set, features x K.
  Mat coefficients() const { return b.reshaped(outputs(), b.size() / outputs()).transpose(); }
  Mat columns() const { return X(Eigen::all, work); }
  /// X'U in the order of b, from the definition.
  Vec correlations() const {
    const Mat residual = Y - columns() * coefficients();
    return (columns().transpose() * omega.asDiagonal() * residual).transpose().reshaped();
  }
  void restart() {
    c = correlations();
    const Mat u = omega.asDiagonal() * (Y - columns() * coefficients());
    model.expand(&omega, u.reshaped(), b, c);
  }
  /// Takes up another working set, with what is known of its coefficients.
  void set_work(std::vector<Index> features) {
    std::vector<Index> new_number(work.size(), -1);
    Vec next = Vec::Zero(static_cast<Index>(features.size()) * outputs());
    for (std::size_t w = 0; w < features.size(); ++w) {
      const auto old = std::find(work.begin(), work.end(), features[w]);
      if (old == work.end()) continue;
      const Index from = old - work.begin();
      new_number[static_cast<std::size_t>(from)] = static_cast<Index>(w);
      next.segment(static_cast<Index>(w) * outputs(), outputs()) = b.segment(from * outputs(), outputs());
    }
    newton.working_set_changed(new_number, outputs());
    work = std::move(features);
    model.set_working(work, std::vector<double>(work.size(), 1.0));
    b = next;
    c = correlations();
    const Mat u = omega.asDiagonal() * (Y - columns() * coefficients());
    model.expand(nullptr, u.reshaped(), b, c);
  }
  Penalties penalty() const {
    Rows mine;
    for (const Index j : work) mine.push_back(rows[static_cast<std::size_t>(j)]);
    return {mine, outputs()};
  }

  InnerResult solve(double tolerance = 1e-10, bool descent_only = false, Index max_iter = 100'000) {
    const Penalties net = penalty();
    return newton.solve({model, net, tolerance, max_iter, counters, poll, {}, {}, kInfinity, descent_only}, b, c);
  }
  double violation() const { return penalty().worst_violation(b, correlations()); }
  double objective() const {
    const Mat residual = Y - columns() * coefficients();
    return 0.5 * omega.dot(residual.rowwise().squaredNorm()) + penalty().value(b);
  }
  Index active() const { return (coefficients().rowwise().squaredNorm().array() > 0.0).count(); }

  Mat X, Y;
  Rows rows;
  Vec omega;
  std::unique_ptr<Design> design;
  std::unique_ptr<Pool> pool;
  std::vector<Index> work;
  Quadratic model;
  BlockNewton newton;
  Counters counters;
  Poll poll;
  Vec b, c;
};

/// Smallest l1 at which every row is zero.
double top(const Mat& X, const Mat& Y) {
  return (X.transpose() * Y).rowwise().norm().maxCoeff() / static_cast<double>(X.rows());
}

/// Solves to 1e-10 with and without Newton steps, checks the optimality conditions from their definition, and compares.
void compare(const Mat& X, const Mat& Y, const Rows& rows) {
  Setting by_newton(X, Y, rows), by_descent(X, Y, rows);
  CHECK(by_newton.solve().converged);
  CHECK(by_descent.solve(1e-10, true).converged);
  CHECK(by_descent.counters.newton_steps == 0);
  for (Setting* const s : {&by_newton, &by_descent}) {
    CHECK(s->violation() <= 1e-10);
    CHECK((s->c - s->correlations()).cwiseAbs().maxCoeff() <= 1e-12);
  }
  CHECK((X * by_newton.coefficients() - X * by_descent.coefficients()).cwiseAbs().maxCoeff() <= 1e-6);
  CHECK(std::abs(by_newton.objective() - by_descent.objective()) <= 1e-12);
  // Warm: nothing is left to do.
  const Vec kept = by_newton.b;
  CHECK(by_newton.solve().iterations == 0);
  CHECK(by_newton.b == kept);
}

}  // namespace

TEST_CASE("block Newton: group lasso to 1e-10, with a ridge part, free features and several factors") {
  for (const Index K : {2, 4}) {
    const Index n = 60, p = 30;
    const Mat X = correlated(n, p, 0.5, 1), Y = responses(X, K, 2);
    const double most = top(X, Y);
    CAPTURE(K);
    Setting zero(X, Y, same(p, {1.0001 * most, 0.0}));
    CHECK(zero.solve().iterations == 0);
    CHECK(zero.active() == 0);
    compare(X, Y, same(p, {0.5 * most, 0.0}));
    compare(X, Y, same(p, {0.1 * most, 0.0}));
    compare(X, Y, same(p, {0.01 * most, 0.0}));
    compare(X, Y, same(p, {0.05 * most, 0.05 * most}));
    compare(X, Y, same(p, {0.0, 0.2 * most}));  // ridge
    Rows mixed = same(p, {0.1 * most, 0.0});
    mixed[0] = mixed[5] = {};
    mixed[3].l1 *= 4.0;
    mixed[7] = {0.0, 0.3};
    compare(X, Y, mixed);
  }
}

TEST_CASE("block Newton: the coefficients of a feature enter together, and turn with the outputs") {
  const Mat X = correlated(50, 20, 0.4, 3), Y = responses(X, 3, 4);
  const double most = top(X, Y);
  Setting s(X, Y, same(20, {0.2 * most, 0.0}));
  CHECK(s.solve().converged);
  const Mat B = s.coefficients();
  CHECK(s.active() > 2);
  CHECK(s.active() < 20);
  for (Index j = 0; j < 20; ++j) {
    if (B.row(j).squaredNorm() > 0.0) CHECK((B.row(j).array() != 0.0).all());
  }
  // Turning the outputs turns the coefficients.
  const Mat turn = check::random_matrix(3, 3, 5).householderQr().householderQ();
  Setting turned(X, Y * turn, same(20, {0.2 * most, 0.0}));
  CHECK(turned.solve().converged);
  check::close(turned.coefficients(), B * turn, 1e-8);
}

TEST_CASE("block Newton: more active features than rows are swept on the columns") {
  const Index n = 20, p = 80, K = 3;
  const Mat X = check::random_matrix(n, p, 6), Y = responses(X, K, 7);
  const double most = top(X, Y);
  for (const GroupNorm net : {GroupNorm{0.02 * most, 0.0}, GroupNorm{0.05 * most, 0.02 * most}, GroupNorm{0.0, 0.1}}) {
    CAPTURE(net.l1);
    CAPTURE(net.l2);
    Setting s(X, Y, same(p, net));
    CHECK(s.solve().converged);
    CHECK(s.violation() <= 1e-10);
    if (net.l2 > 0.0) CHECK(s.active() > n);
    if (net.l1 == 0.0) CHECK(s.counters.newton_steps == 0);  // all are active from the start
    compare(X, Y, same(p, net));
  }
}

TEST_CASE("block Newton: duplicated columns change nothing but the split") {
  Mat X = correlated(40, 24, 0.3, 8);
  X.col(5) = X.col(0);
  X.col(9) = -X.col(4);
  X.col(13) = 2.0 * X.col(8);
  const Mat Y = responses(X, 3, 9);
  const double most = top(X, Y);
  compare(X, Y, same(24, {0.2 * most, 0.0}));
  compare(X, Y, same(24, {0.02 * most, 0.0}));
  compare(X, Y, same(24, {0.02 * most, 0.01}));
}

TEST_CASE("block Newton follows a decreasing lambda while the working set changes its numbers") {
  const Index n = 80, p = 40, K = 3;
  const Mat X = correlated(n, p, 0.6, 10), Y = responses(X, K, 11);
  const double most = top(X, Y);
  Setting s(X, Y, same(p, {}));
  std::vector<Index> some;
  for (Index j = 0; j < p; j += 2) some.push_back(j);
  s.set_work(some);
  for (int k = 0; k < 15; ++k) {
    CAPTURE(k);
    s.rows = same(p, {most * std::pow(0.75, k + 1), 0.0});
    CHECK(s.solve().converged);
    CHECK(s.violation() <= 1e-10);
    // Leave out what is zero, add what is not there, in another order.
    std::vector<Index> next;
    for (std::size_t w = 0; w < s.work.size(); ++w) {
      const bool zero = (s.b.segment(static_cast<Index>(w) * K, K).array() == 0.0).all();
      if (!zero || w % 3 != 0) next.push_back(s.work[w]);
    }
    for (Index j = k % 5; j < p; j += 5) {
      if (std::find(next.begin(), next.end(), j) == next.end()) next.push_back(j);
    }
    std::rotate(next.begin(), next.begin() + static_cast<std::ptrdiff_t>(next.size() / 3), next.end());
    s.set_work(next);
    Setting fresh(s.columns(), Y, same(static_cast<Index>(next.size()), s.rows[0]));
    CHECK(s.solve().converged);
    CHECK(fresh.solve().converged);
    CHECK(s.violation() <= 1e-10);
    check::close(s.coefficients(), fresh.coefficients(), 1e-7);
  }
  CHECK(s.active() > 20);
  CHECK(s.counters.newton_steps > 0);
  CHECK(s.counters.newton_steps < 300);
}

TEST_CASE("block Newton: outputs coupled by the multinomial curvature") {
  const Index n = 50, p = 24, K = 3;
  const Mat X = correlated(n, p, 0.4, 12);
  Mat y = Mat::Zero(n, K);
  for (Index i = 0; i < n; ++i) y(i, i % K) = 1.0;
  const Vec omega = Vec::Constant(n, 1.0 / static_cast<double>(n));
  const Multinomial loss(y.reshaped(), omega);
  const Vec eta = 0.7 * check::random_matrix(n * K, 1, 13);
  Vec u, h;
  loss.derivatives(eta, u, h);
  const Vec common = loss.model_curvature(eta, h, false);
  Mat hessian = Mat::Identity(n * K, n * K);
  loss.curvature(eta, 1e-9, false)->multiply(hessian);

  for (const GroupNorm net :
       {GroupNorm{0.05, 0.0}, GroupNorm{0.01, 0.0}, GroupNorm{0.01, 0.01}, GroupNorm{0.0, 0.05}}) {
    for (const bool descent_only : {false, true}) {
      CAPTURE(net.l1);
      CAPTURE(net.l2);
      CAPTURE(descent_only);
      Setting s(X, y, same(p, net));
      // c = X'(u - F'' X b), output by output.
      const auto correlations = [&] {
        const Mat t = X * s.coefficients();
        const Vec left = u - hessian * t.reshaped();
        return Vec((X.transpose() * left.reshaped(n, K)).transpose().reshaped());
      };
      s.c = correlations();
      s.model.expand(&common, u, s.b, s.c, loss.curvature(eta, 1e-9, false));
      CHECK(s.model.coupled());
      const InnerResult result = s.solve(descent_only ? 1e-6 : 1e-10, descent_only);
      CHECK(result.converged);
      check::close(s.c, correlations(), 1e-12);
      CHECK(s.penalty().worst_violation(s.b, correlations()) <= (descent_only ? 1e-6 : 1e-10));
      if (descent_only) CHECK(s.counters.newton_steps == 0);
    }
  }
}

TEST_CASE("block Newton stops at its iteration limit, when told that it is enough, or by the poll") {
  const Mat X = correlated(60, 40, 0.95, 14), Y = responses(X, 3, 15);
  const double most = top(X, Y);
  for (const bool descent_only : {false, true}) {
    Setting s(X, Y, same(40, {1e-3 * most, 0.0}));
    const InnerResult result = s.solve(1e-14, descent_only, 2);
    CHECK_FALSE(result.converged);
    CHECK((s.c - s.correlations()).cwiseAbs().maxCoeff() <= 1e-11);  // c belongs to b all the same
  }
  Setting s(X, Y, same(40, {1e-3 * most, 0.0}));
  const Penalties net = s.penalty();
  int asked = 0;
  const auto enough = [&](const Vec&, const Vec&) { return ++asked < 3 ? 100.0 : 1.0; };
  CHECK(s.newton.solve({s.model, net, 1e-14, 1000, s.counters, s.poll, enough}, s.b, s.c).converged);
  CHECK(asked == 3);
  s.poll = [] { throw std::runtime_error("stop"); };
  CHECK_THROWS_WITH_AS(s.solve(1e-15), "stop", std::runtime_error);
}

TEST_CASE("block Newton: an empty working set, and columns that are zero") {
  Setting none(Mat(5, 0), Mat::Ones(5, 2), {});
  CHECK(none.solve().converged);
  Mat X = check::random_matrix(30, 6, 16);
  X.col(2).setZero();
  const Mat Y = responses(X, 2, 17);
  compare(X, Y, same(6, {0.05, 0.0}));
  Rows rows = same(6, {0.05, 0.0});
  rows[2] = {};
  compare(X, Y, rows);
}
