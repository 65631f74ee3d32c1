#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "check_design.hpp"
#include "riata/design/dense.hpp"
#include "solver/inner_solver.hpp"

/// A working set for the tests of Newton's methods, with the conditions of its minimum by definition.
namespace riata::check {

using Nets = std::vector<ElasticNet>;

/// 1/2 sum_i h_i (y_i - b0 - x_i'b)^2 + penalty, with or without b0.
template <class Solver>
struct Setting {
  Setting(Mat x, Vec target, Vec weights, bool with_intercept, int threads = 1)
      : X(std::move(x)),
        y(std::move(target)),
        h(std::move(weights)),
        intercept(with_intercept),
        design(dense_design(X.data(), X.rows(), X.cols(), 1, X.rows())),
        pool(design->make_pool()),
        model(*pool, intercept, false, true, threads) {
    std::vector<Index> all(static_cast<std::size_t>(X.cols()));
    std::iota(all.begin(), all.end(), Index{0});
    pool->append(all, std::vector<double>(all.size(), 0.0), 1);
    model.set_working(std::move(all), std::vector<double>(static_cast<std::size_t>(X.cols()), 1.0));
    b = Vec::Zero(X.cols());
    expand();
  }
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;

  /// Minus the gradient in the linear predictor, at the best intercept.
  Vec gradient() const {
    const Vec rest = y - X * b;
    const double b0 = intercept ? h.dot(rest) / h.sum() : 0.0;
    return h.array() * (rest.array() - b0);
  }
  void expand() {
    const Vec u = gradient();
    c = X.transpose() * u;
    model.expand(&h, u, b, c);
  }
  InnerResult solve(const Nets& net, double lambda, double tolerance = 1e-11, Index max_iter = 1000) {
    const Penalties penalty(net);
    InnerProblem problem{model, penalty, tolerance, max_iter, counters, poll};
    problem.lambda = lambda;
    return solver.solve(problem, b, c);
  }
  /// The largest distance from the conditions of a minimum, and of c from what it is said to be.
  double violation(const Nets& net) const {
    const Vec now = X.transpose() * gradient();
    double worst = (now - c).cwiseAbs().maxCoeff();
    for (Index j = 0; j < b.size(); ++j) {
      const ElasticNet& e = net[static_cast<std::size_t>(j)];
      const double left = now[j] - e.l2 * b[j];
      if (b[j] == 0.0 && e.lower < 0.0 && e.upper > 0.0) {
        worst = std::max(worst, std::abs(left) - e.l1);
      } else if (b[j] == 0.0) {
        worst = std::max(worst, e.upper > 0.0 ? left - e.l1 : e.lower < 0.0 ? -left - e.l1 : 0.0);
      } else {
        const double off = left - std::copysign(e.l1, b[j]);
        worst = std::max(worst, b[j] == e.upper ? -off : b[j] == e.lower ? off : std::abs(off));
      }
    }
    return worst;
  }

  Mat X;
  Vec y, h;
  bool intercept;
  std::unique_ptr<Design> design;
  std::unique_ptr<Pool> pool;
  Quadratic model;
  Solver solver;
  Counters counters;
  Poll poll;
  Vec b, c;
};

inline Nets nets(Index p, double lambda, double l1_ratio) {
  return Nets(static_cast<std::size_t>(p), {lambda * l1_ratio, lambda * (1.0 - l1_ratio)});
}

inline Vec equal(Index n) {
  return Vec::Constant(n, 1.0 / static_cast<double>(n));
}

inline Vec response(const Mat& X, unsigned seed) {
  Vec b = Vec::Zero(X.cols());
  for (Index j = 0; j < X.cols(); j += 5) b[j] = j % 2 == 0 ? 1.0 : -1.5;
  return X * b + check::random_matrix(X.rows(), 1, seed);
}

}  // namespace riata::check
