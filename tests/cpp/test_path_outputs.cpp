#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "check_design.hpp"
#include "loss/loss.hpp"
#include "path_problems.hpp"
#include "penalty/penalties.hpp"
#include "riata/api.hpp"
#include "riata/design/dense.hpp"

using namespace riata;
using check::dosages;
using check::kOutputs;
using check::make_problem;
using check::options_of;
using check::Storages;

namespace {

const std::vector<std::string> kNames{"multigaussian", "multinomial", "multinomial grouped"};

std::unique_ptr<Design> view(const Mat& X) {
  return dense_design(X.data(), X.rows(), X.cols(), 1, X.rows());
}

PathResult fit(const Design& X, const Problem& problem, const PathOptions& options, const Features& features = {}) {
  return std::move(fit_paths(X, {problem}, features, options).front());
}

/// p x K.
Mat coefficients(const PathResult& r, std::size_t k, Index p) {
  Mat b = Mat::Zero(p, r.outputs);
  for (Index at = r.coef_indptr[k]; at < r.coef_indptr[k + 1]; ++at) {
    const Index entry = r.coef_indices[static_cast<std::size_t>(at)];
    b(entry / r.outputs, entry % r.outputs) = r.coef_values[static_cast<std::size_t>(at)];
  }
  return b;
}

Vec intercepts(const PathResult& r, std::size_t k) {
  return Eigen::Map<const Vec>(r.intercepts.data() + static_cast<Index>(k) * r.outputs, r.outputs);
}

/// n x K, without an offset.
Mat predictors(const Mat& X, const PathResult& r, std::size_t k) {
  return (X * coefficients(r, k, X.cols())).rowwise() + intercepts(r, k).transpose();
}

bool same_path(const PathResult& a, const PathResult& b) {
  return a.alphas == b.alphas && a.coef_indptr == b.coef_indptr && a.coef_indices == b.coef_indices &&
         a.coef_values == b.coef_values && a.intercepts == b.intercepts && a.dual_gaps == b.dual_gaps &&
         a.primal == b.primal && a.dual == b.dual;
}

void close_paths(const PathResult& a, const PathResult& b, Index p, double tolerance) {
  REQUIRE(a.outputs == b.outputs);
  REQUIRE(a.alphas.size() == b.alphas.size());
  for (std::size_t k = 0; k < a.alphas.size(); ++k) {
    CHECK(std::abs(a.alphas[k] - b.alphas[k]) <= 1e-10 * a.alphas[k]);
    check::close(coefficients(a, k, p), coefficients(b, k, p), tolerance);
    check::close(intercepts(a, k), intercepts(b, k), tolerance);
  }
}

/// What the coefficients of a fit say about themselves, computed here from X, y and nothing else of the library than
/// the formulas of loss and penalty.
struct Evidence {
  double primal, dual, gap;
  double worst_inactive;  // |c_j|, or the largest of K, over l1_j where coefficients are zero
  double worst_free;      // |c| of unpenalised features, which are left out of the dual
};

Evidence examine(const Mat& X, const Problem& problem, const PathOptions& o, const PathResult& r, std::size_t k,
                 const Features& features = {}) {
  const Index n = X.rows(), p = X.cols(), K = r.outputs;
  const bool grouped = o.penalty.as<penalties::ElasticNet>()->row_grouped || o.loss.is<losses::Multigaussian>();
  const Vec omega = problem.weights / problem.weights.sum();
  const auto loss = make_loss(o.loss, problem.y, omega);
  const Mat B = coefficients(r, k, p);
  const Vec offset = problem.offset.size() > 0 ? problem.offset : Vec::Zero(n * K);
  const Vec eta = Vec(predictors(X, r, k).reshaped()) + offset;
  Vec u, h, b(p * K), c(p * K);
  loss->derivatives(eta, u, h);
  if (o.fit_intercept) CHECK(u.reshaped(n, K).colwise().sum().cwiseAbs().maxCoeff() <= 1e-12);
  std::vector<GroupNorm> rows;
  std::vector<ElasticNet> entries;
  std::vector<Index> free;
  for (Index j = 0; j < p; ++j) {
    const double mean = omega.dot(X.col(j)), sd = std::sqrt(omega.dot((X.col(j).array() - mean).square().matrix()));
    const double unit = o.standardize && sd > 0.0 ? sd : 1.0;
    const double v = features.penalty_factor.size() > 0 ? features.penalty_factor[j] : 1.0;
    if (v == 0.0) free.push_back(j);
    const double l1 = v == kInfinity ? 1e300 : r.alphas[k] * o.l1_ratio * v;
    const double l2 = v == kInfinity ? 0.0 : r.alphas[k] * (1.0 - o.l1_ratio) * v;
    rows.push_back({l1, l2});
    ElasticNet one{l1, l2};
    if (features.lower.size() > 0) one.lower = features.lower[j] * unit;
    if (features.upper.size() > 0) one.upper = features.upper[j] * unit;
    entries.insert(entries.end(), static_cast<std::size_t>(K), one);
    const Vec centred = X.col(j).array() - (o.fit_intercept ? mean : 0.0);
    c.segment(j * K, K) = u.reshaped(n, K).transpose() * centred / unit;
    b.segment(j * K, K) = B.row(j).transpose() * unit;
  }
  const Penalties net = grouped ? Penalties(rows, K) : Penalties(entries);
  const auto l1_of = [&](Index unit) {
    return grouped ? rows[static_cast<std::size_t>(unit)].l1 : entries[static_cast<std::size_t>(unit)].l1;
  };
  Evidence e{loss->value(eta) + net.value(b), 0.0, 0.0, 0.0, 0.0};
  double scale = 1.0;
  for (Index i = 0; i < net.units(); ++i) {
    if (net.unpenalised(i)) {
      e.worst_free = std::max(e.worst_free, net.size(i, c));
      continue;
    }
    scale = std::min(scale, net.feasible_scale(i, c));
    if (net.value(i, b) == 0.0 && l1_of(i) > 0.0 && net.violation_at_zero(i, c) > 0.0) {
      e.worst_inactive = std::max(e.worst_inactive, net.size(i, c) / l1_of(i));
    }
  }
  e.dual = loss->dual(scale * u) - scale * offset.dot(u);
  for (Index i = 0; i < net.units(); ++i) {
    if (!net.unpenalised(i)) e.dual -= net.conjugate(i, c, scale * (1.0 - 1e-16));
  }
  e.gap = (e.primal - e.dual) / (r.null_objective - r.saturated_objective);
  return e;
}

}  // namespace

TEST_CASE("several outputs: every certificate holds, by brute force at all lambdas, in every storage") {
  const Index n = 60, p = 500;
  const Storages storages(dosages(n, p, 1));
  for (const std::string& name : kNames) {
    Problem problem = make_problem(storages.X, name, 2);
    for (Index i = 0; i < n; ++i) problem.weights[i] = 1.0 + static_cast<double>(i % 3);
    PathOptions options = options_of(name);
    options.n_alphas = 30;
    options.eps = 0.1;
    options.tol = 1e-9;
    options.stop_early = false;
    PathResult dense;
    for (const auto& X : storages.designs) {
      CAPTURE(X->kind());
      CAPTURE(name);
      const PathResult r = fit(*X, problem, options);
      REQUIRE(r.alphas.size() == 30);
      CHECK(r.outputs == kOutputs);
      CHECK(r.n_active.front() == 0);
      CHECK(r.n_active.back() >= 15);
      CHECK(r.counters.passes < 30.0);  // bounds do their work
      for (std::size_t k = 0; k < 30; ++k) {
        const Evidence e = examine(storages.X, problem, options, r, k);
        CHECK(e.worst_inactive <= 1.0 + 1e-5);
        CHECK(e.gap <= options.tol * 1.01);
        CHECK(e.gap >= -1e-12);
        CHECK(std::abs(e.gap - r.dual_gaps[k]) <= 1e-11);
        CHECK(r.primal[k] == doctest::Approx(e.primal).epsilon(1e-11));
        CHECK(r.converged[k] == 1);
        const Mat B = coefficients(r, k, p);
        CHECK((B.rowwise().squaredNorm().array() > 0.0).count() == r.n_active[k]);
        if (name != "multigaussian") CHECK(std::abs(intercepts(r, k).sum()) <= 1e-13);
        if (name == "multinomial grouped") CHECK(B.rowwise().sum().cwiseAbs().maxCoeff() <= 1e-4);
      }
      if (dense.alphas.empty()) dense = r;
      close_paths(dense, r, p, 2e-4);
    }
  }
}

TEST_CASE(
    "several outputs: certificates hold with ridge parts, factors, offsets, boxes, without intercept or scaling") {
  const Index n = 40, p = 400;
  const Mat X = check::random_matrix(n, p, 3).array() + 0.5;
  const auto design = view(X);
  for (const std::string& name : kNames) {
    for (int variant = 0; variant < 8; ++variant) {
      if (variant == 7 && name != "multinomial") continue;
      CAPTURE(name);
      CAPTURE(variant);
      Problem problem = make_problem(X, name, 4);
      PathOptions options = options_of(name);
      options.n_alphas = 10;
      options.eps = 0.1;
      options.tol = 1e-10;
      options.stop_early = false;
      Features features;
      if (variant == 1) options.l1_ratio = 0.5;
      if (variant == 2) options.l1_ratio = 0.0;
      if (variant == 3) {
        features.penalty_factor = Vec::Ones(p);
        features.penalty_factor[0] = 3.0;
        features.penalty_factor[1] = 0.01;
        features.penalty_factor[3] = kInfinity;
        problem.offset = 0.3 * check::random_matrix(n * kOutputs, 1, 5);
      }
      if (variant == 4) options.fit_intercept = options.standardize = false;
      if (variant == 5) {
        problem.weights[3] = 1e3;
        problem.weights[7] = 0.0;
      }
      if (variant == 6) {
        features.penalty_factor = Vec::Ones(p);
        features.penalty_factor[0] = features.penalty_factor[5] = 0.0;
      }
      if (variant == 7) {
        features.lower = Vec::Constant(p, -0.1);
        features.upper = Vec::Constant(p, 0.05);
        features.upper[7] = 0.0;
      }
      const PathResult r = fit(*design, problem, options, features);
      REQUIRE(r.alphas.size() == 10);
      for (std::size_t k = 0; k < 10; ++k) {
        const Evidence e = examine(X, problem, options, r, k, features);
        CHECK(r.converged[k] == 1);
        CHECK(r.primal[k] == doctest::Approx(e.primal).epsilon(1e-11));
        CHECK(r.dual_gaps[k] >= -1e-12);
        CHECK(e.worst_free <= 1e-7);
        if (variant == 6) {  // the dual point was moved to where the free features' c vanishes
          CHECK(std::abs(e.gap - r.dual_gaps[k]) <= 1e-7);
        } else {
          CHECK(e.gap <= options.tol * 1.01);
          CHECK(e.gap >= -1e-12);
          CHECK(std::abs(e.gap - r.dual_gaps[k]) <= 1e-11);
        }
        const Mat B = coefficients(r, k, p);
        if (features.lower.size() > 0) CHECK((B.colwise() - features.lower).minCoeff() >= -1e-15);
        if (features.upper.size() > 0) CHECK((B.colwise() - features.upper).maxCoeff() <= 1e-15);
        if (variant == 3) CHECK(B.row(3).isZero(0.0));
      }
    }
  }
}

TEST_CASE("several outputs: what violates outside the working set is found, on coarse grids and fine ones") {
  const Index n = 60, p = 500;  // too few for lambdas of its own between the given ones
  const Mat X = check::random_matrix(n, 12, 29) * check::random_matrix(12, p, 30) + check::random_matrix(n, p, 31);
  const auto design = view(X);
  Index violators = 0;
  for (const std::string& name : kNames) {
    CAPTURE(name);
    const Problem problem = make_problem(X, name, 32);
    PathOptions options = options_of(name);
    options.n_alphas = 2;
    const double most = fit(*design, problem, options).alpha_max;
    for (const bool coarse : {true, false}) {
      CAPTURE(coarse);
      options.alphas.clear();
      for (int k = 0; k < 20; ++k) options.alphas.push_back(0.9 * most * std::pow(0.97, k));
      if (coarse) options.alphas = {0.1 * most, 0.03 * most};
      const PathResult r = fit(*design, problem, options);
      if (coarse) violators += r.counters.violators;
      for (std::size_t k = 0; k < r.alphas.size(); ++k) {
        const Evidence e = examine(X, problem, options, r, k);
        CHECK(r.converged[k] == 1);
        CHECK(e.worst_inactive <= 1.0 + 2e-3);
        CHECK(e.gap <= options.tol * 1.01);
        CHECK(std::abs(e.gap - r.dual_gaps[k]) <= 1e-10);
      }
    }
  }
  CHECK(violators > 0);
}

TEST_CASE("several outputs: all solvers end at the same path") {
  const Index n = 40, p = 60;
  const Mat X = check::random_matrix(n, p, 6);
  const auto design = view(X);
  for (const std::string& name : kNames) {
    const Problem problem = make_problem(X, name, 7);
    PathOptions options = options_of(name);
    options.n_alphas = 8;
    options.eps = 0.15;
    options.tol = 1e-11;
    options.max_iter = 100'000;
    const PathResult reference = fit(*design, problem, options);
    CHECK(reference.solver.back() == (name == "multinomial" ? Solver::kActiveSet : Solver::kNewton));
    for (const Solver solver : {Solver::kActiveSet, Solver::kDescent, Solver::kProximal}) {
      if (name != "multinomial" && solver == Solver::kProximal) continue;
      CAPTURE(name);
      CAPTURE(solver);
      options.solver = solver;
      const PathResult r = fit(*design, problem, options);
      if (name == "multinomial" || solver == Solver::kDescent) CHECK(r.solver.back() == solver);
      close_paths(reference, r, p, 1e-4);
      for (const auto converged : r.converged) CHECK(converged == 1);
    }
  }
}

TEST_CASE("several outputs: a row of weight zero is a row left out, and its linear predictors are on request") {
  const Index n = 45, p = 100;
  const Mat X = check::random_matrix(n, p, 8);
  std::vector<Index> kept, out;
  for (Index i = 0; i < n; ++i) (i % 4 == 1 ? out : kept).push_back(i);
  const Mat less = X(kept, Eigen::all);
  for (const std::string& name : kNames) {
    CAPTURE(name);
    Problem whole = make_problem(X, name, 9), part;
    whole.offset = 0.2 * check::random_matrix(n * kOutputs, 1, 10);
    part.y = Mat(whole.y.reshaped(n, kOutputs)(kept, Eigen::all)).reshaped();
    part.weights = whole.weights(kept);
    part.offset = Mat(whole.offset.reshaped(n, kOutputs)(kept, Eigen::all)).reshaped();
    for (const Index i : out) {
      whole.weights[i] = 0.0;
      for (Index k = 0; k < kOutputs; ++k) whole.y[k * n + i] = 1e6;  // outside any domain, and of no account
    }
    PathOptions options = options_of(name);
    options.n_alphas = 10;
    options.eps = 0.2;
    options.tol = 1e-12;
    options.keep_linear_predictor = true;
    const PathResult a = fit(*view(X), whole, options), b = fit(*view(less), part, options);
    close_paths(a, b, p, 1e-5);
    CHECK(a.null_objective == doctest::Approx(b.null_objective).epsilon(1e-12));
    CHECK(b.linear_predictor.rows() == 0);
    REQUIRE(a.linear_predictor.rows() == static_cast<Index>(out.size()));
    REQUIRE(a.linear_predictor.cols() == 10 * kOutputs);
    for (std::size_t k = 0; k < a.alphas.size(); ++k) {
      Mat eta = predictors(X, a, k) + whole.offset.reshaped(n, kOutputs);
      Mat told = a.linear_predictor.middleCols(static_cast<Index>(k) * kOutputs, kOutputs);
      eta = Mat(eta(out, Eigen::all));
      if (name != "multigaussian") {  // up to what is common to the classes
        eta.colwise() -= Vec(eta.rowwise().mean());
        told.colwise() -= Vec(told.rowwise().mean());
      }
      check::close(told, eta, 1e-11);
    }
  }
}

TEST_CASE("several outputs: a weight of two is a row twice") {
  const Index n = 40, p = 80;
  const Mat X = check::random_matrix(n, p, 11);
  std::vector<Index> rows;
  for (Index i = 0; i < n; ++i) rows.insert(rows.end(), static_cast<std::size_t>(1 + i % 2), i);
  const Mat repeated = X(rows, Eigen::all);
  for (const std::string& name : kNames) {
    CAPTURE(name);
    Problem weighted = make_problem(X, name, 12), plain;
    plain.y = Mat(weighted.y.reshaped(n, kOutputs)(rows, Eigen::all)).reshaped();
    plain.weights = Vec::Ones(repeated.rows());
    for (Index i = 0; i < n; ++i) weighted.weights[i] = 1.0 + static_cast<double>(i % 2);
    PathOptions options = options_of(name);
    options.n_alphas = 8;
    options.eps = 0.2;
    options.tol = 1e-12;
    close_paths(fit(*view(X), weighted, options), fit(*view(repeated), plain, options), p, 1e-5);
  }
}

TEST_CASE("several outputs: problems fitted together equal problems fitted apart") {
  const Index n = 48, p = 600;
  const Mat X = check::random_matrix(n, p, 13);
  const auto design = view(X);
  for (const std::string& name : kNames) {
    CAPTURE(name);
    std::vector<Problem> problems(3, make_problem(X, name, 14));
    for (Index i = 0; i < n; ++i) {
      for (Index f = 1; f < 3; ++f) {
        if (i % 4 == f) problems[static_cast<std::size_t>(f)].weights[i] = 0.0;
      }
    }
    PathOptions options = options_of(name);
    options.n_alphas = 10;
    options.eps = 0.2;
    options.tol = 1e-11;
    const auto together = fit_paths(*design, problems, {}, options);
    REQUIRE(together.size() == 3);
    options.alphas = together.front().alphas;
    double passes = 0.0;
    for (std::size_t f = 0; f < 3; ++f) {
      const PathResult apart = fit(*design, problems[f], options);
      passes += apart.counters.passes;
      close_paths(together[f], apart, p, 1e-5);
      for (const auto converged : together[f].converged) CHECK(converged == 1);
    }
    CHECK(together.front().counters.passes < passes);
  }
}

TEST_CASE("several outputs: the bits do not depend on the number of threads") {
  for (const Index p : {Index{40}, Index{4000}}) {
    const Index n = 120;
    const Mat X = dosages(n, p, 15);
    const auto design = view(X);
    for (const std::string& name : kNames) {
      CAPTURE(name);
      CAPTURE(p);
      std::vector<Problem> problems(3, make_problem(X, name, 16));
      for (Index i = 0; i < n; ++i) problems[1 + static_cast<std::size_t>(i % 2)].weights[i] = 0.0;
      PathOptions options = options_of(name);
      options.n_alphas = 8;
      options.eps = 0.3;
      const auto one = fit_paths(*design, problems, {}, options);
      const PathResult alone = fit(*design, problems.front(), options);
      options.threads = 3;
      const auto three = fit_paths(*design, problems, {}, options);
      for (std::size_t f = 0; f < problems.size(); ++f) CHECK(same_path(one[f], three[f]));
      CHECK(same_path(alone, fit(*design, problems.front(), options)));
    }
  }
}

TEST_CASE("several outputs: unpenalised features stay in, excluded and constant ones out") {
  const Index n = 60, p = 30;
  Mat X = check::random_matrix(n, p, 17);
  X.col(4).setConstant(3.0);
  Features features;
  features.penalty_factor = Vec::Ones(p);
  features.penalty_factor[0] = features.penalty_factor[1] = 0.0;
  features.penalty_factor[2] = kInfinity;
  for (const std::string& name : kNames) {
    CAPTURE(name);
    const Problem problem = make_problem(X, name, 18);
    PathOptions options = options_of(name);
    options.n_alphas = 8;
    options.eps = 0.1;
    const PathResult r = fit(*view(X), problem, options, features);
    CHECK(r.n_active.front() == 2);
    for (std::size_t k = 0; k < r.alphas.size(); ++k) {
      const Mat B = coefficients(r, k, p);
      CHECK((B.topRows(2).array() != 0.0).all());
      CHECK(B.row(2).isZero(0.0));
      CHECK(B.row(4).isZero(0.0));
      CHECK(r.converged[k] == 1);
      CHECK(r.dual_gaps[k] >= -1e-12);
      CHECK(examine(X, problem, options, r, k, features).worst_free <= 1e-6);
      // Nothing else tells what is common to the classes.
      if (name != "multigaussian") CHECK(B.topRows(2).rowwise().sum().cwiseAbs().maxCoeff() <= 1e-12);
    }
  }
}

TEST_CASE("two classes are the binomial fit of the difference") {
  // |b1| + |b2| >= |b1 - b2|, and |(b1, b2)| >= |b1 - b2| / sqrt(2).
  const Index n = 50, p = 120;
  const Mat X = check::random_matrix(n, p, 19);
  const Problem single = make_problem(X, "binomial", 20);
  Problem both = single;
  both.y.resize(2 * n);
  both.y << Vec::Ones(n) - single.y, single.y;
  PathOptions options = options_of("binomial");
  options.n_alphas = 10;
  options.eps = 0.1;
  options.tol = 1e-11;
  const PathResult reference = fit(*view(X), single, options);
  for (const std::string name : {"multinomial", "multinomial grouped"}) {
    CAPTURE(name);
    PathOptions two = options_of(name);
    two.tol = 1e-11;
    for (const double alpha : reference.alphas) {
      two.alphas.push_back(name == "multinomial" ? alpha : std::sqrt(2.0) * alpha);
    }
    const PathResult r = fit(*view(X), both, two);
    REQUIRE(r.alphas.size() == reference.alphas.size());
    CHECK(r.alpha_max == doctest::Approx(reference.alpha_max * two.alphas[0] / reference.alphas[0]).epsilon(1e-9));
    for (std::size_t k = 0; k < r.alphas.size(); ++k) {
      const Mat B = coefficients(r, k, p);
      check::close(B.col(1) - B.col(0), coefficients(reference, k, p), 1e-4);
      CHECK(std::abs(intercepts(r, k)[1] - intercepts(r, k)[0] - reference.intercepts[k]) <= 1e-4);
      CHECK(r.primal[k] == doctest::Approx(reference.primal[k]).epsilon(1e-9));
    }
  }
}

TEST_CASE("the same response K times is the gaussian fit at alpha / sqrt(K), and one response is it at alpha") {
  const Index n = 50, p = 120;
  const Mat X = check::random_matrix(n, p, 21);
  const Problem single = make_problem(X, "gaussian", 22);
  PathOptions options;
  options.n_alphas = 10;
  options.eps = 0.1;
  options.tol = 1e-11;
  const PathResult reference = fit(*view(X), single, options);
  for (const Index K : {1, 3}) {
    CAPTURE(K);
    Problem several = single;
    several.y = single.y.replicate(K, 1);
    PathOptions multi = options_of("multigaussian");
    multi.tol = 1e-11;
    const double factor = std::sqrt(static_cast<double>(K));
    for (const double alpha : reference.alphas) multi.alphas.push_back(factor * alpha);
    const PathResult r = fit(*view(X), several, multi);
    REQUIRE(r.alphas.size() == reference.alphas.size());
    for (std::size_t k = 0; k < r.alphas.size(); ++k) {
      const Mat B = coefficients(r, k, p);
      for (Index output = 0; output < K; ++output) {
        check::close(B.col(output), coefficients(reference, k, p), 1e-5);
        CHECK(std::abs(intercepts(r, k)[output] - reference.intercepts[k]) <= 1e-5);
      }
      CHECK(r.primal[k] == doctest::Approx(static_cast<double>(K) * reference.primal[k]).epsilon(1e-9));
    }
  }
}

TEST_CASE("several outputs: a fit that ran out of iterations says so and never claims too small a gap") {
  const Index n = 40, p = 30;
  const Mat X = check::random_matrix(n, p, 23);
  const auto design = view(X);
  Features plain, free;
  free.penalty_factor = Vec::Ones(p);
  free.penalty_factor.head(3).setZero();
  for (const std::string& name : kNames) {
    const Problem problem = make_problem(X, name, 24);
    for (const Features& features : {plain, free}) {
      PathOptions options = options_of(name);
      options.alphas = {0.05, 0.02};
      options.tol = 1e-12;
      const PathResult exact = fit(*design, problem, options, features);
      for (const Solver solver : {Solver::kAuto, Solver::kDescent}) {
        CAPTURE(name);
        CAPTURE(solver);
        options.solver = solver;
        options.max_iter = 1;
        const PathResult r = fit(*design, problem, options, features);
        for (std::size_t k = 0; k < 2; ++k) {
          CHECK(r.dual[k] <= exact.primal[k] + 1e-12 * (r.null_objective - r.saturated_objective));
          if (!r.converged[k]) CHECK(r.dual_gaps[k] > options.tol);
        }
      }
    }
  }
}

TEST_CASE("several outputs: constant responses and copies of columns") {
  const Index n = 30;
  Mat X = check::random_matrix(n, 12, 25);
  X.col(3) = X.col(0);
  X.col(4) = -X.col(1);
  for (const std::string& name : kNames) {
    CAPTURE(name);
    PathOptions options = options_of(name);
    options.n_alphas = 10;
    options.eps = 0.02;
    const PathResult copies = fit(*view(X), make_problem(X, name, 26), options);
    for (const auto converged : copies.converged) CHECK(converged == 1);
    CHECK(copies.n_active.back() >= 3);
  }
  Problem problem = make_problem(X, "multigaussian", 26);
  problem.y.head(n).setConstant(0.25);  // one of the outputs
  PathOptions options = options_of("multigaussian");
  options.n_alphas = 5;
  PathResult r = fit(*view(X), problem, options);
  for (std::size_t k = 0; k < r.alphas.size(); ++k) {
    CHECK(std::abs(intercepts(r, k)[0] - 0.25) <= 1e-6);
    CHECK(coefficients(r, k, 12).col(0).cwiseAbs().maxCoeff() <= 1e-6);
  }
  problem.y.setConstant(0.25);  // all of them
  r = fit(*view(X), problem, options);
  for (const Index active : r.n_active) CHECK(active == 0);
}

TEST_CASE("several outputs: bad arguments are named, with what is allowed") {
  const Mat X = check::random_matrix(6, 3, 27);
  const auto design = view(X);
  const auto refused = [&](const std::string& name, const std::function<void(Problem&, Features&, PathOptions&)>& spoil,
                           const char* message) {
    Problem problem = make_problem(X, name, 28);
    if (name.starts_with("multinomial")) {
      problem.y.setZero();
      for (Index i = 0; i < 6; ++i) problem.y[i % kOutputs * 6 + i] = 1.0;
    }
    Features features;
    PathOptions options = options_of(name);
    options.n_alphas = 3;
    CHECK_NOTHROW(fit_paths(*design, {problem}, features, options));
    spoil(problem, features, options);
    CHECK_THROWS_WITH_AS(fit_paths(*design, {problem}, features, options), doctest::Contains(message),
                         std::invalid_argument);
  };
  for (const char* const loss : {"gaussian", "binomial", "huber"}) {
    refused(
        loss, [](auto&, auto&, auto& o) { o.penalty = penalties::ElasticNet{true}; },
        "row_grouped needs a loss with several outputs, got \"");
  }
  for (const char* const name : {"multigaussian", "multinomial grouped"}) {
    const char* const message = "lower and upper must be left out when the coefficients of a feature are grouped";
    refused(name, [](auto&, auto& f, auto&) { f.lower = Vec::Constant(3, -1.0); }, message);
    refused(name, [](auto&, auto& f, auto&) { f.upper = Vec::Constant(3, 1.0); }, message);
  }
  for (const std::string& name : kNames) {
    refused(
        name, [](auto& q, auto&, auto&) { q.y.conservativeResize(17); },
        "y must have the same number of values for each row of X");
    refused(
        name, [](auto& q, auto&, auto&) { q.y.resize(0); }, "y must have the same number of values for each row of X");
    refused(name, [](auto& q, auto&, auto&) { q.offset.setZero(6); }, "offset must have as many values as y");
    refused(
        name, [](auto& q, auto&, auto&) { q.weights.setOnes(18); }, "weights must have one value for each row of X");
    refused(
        name, [](auto& q, auto&, auto&) { q.y[10] = std::nan(""); }, "y must be finite, got NaN or infinity in row 4");
    refused(
        name, [](auto& q, auto&, auto&) { q.offset = Vec::Constant(18, kInfinity); },
        "offset must be finite, got NaN or infinity in row 0");
  }
  refused("multinomial", [](auto& q, auto&, auto&) { q.y[0] = 0.5; }, "y must hold shares of the classes");
  refused(
      "multinomial", [](auto& q, auto&, auto&) { q.y << Vec::Ones(6), Vec::Zero(12); },
      "y must hold every class of the multinomial loss");
  const Problem three = make_problem(X, "multigaussian", 28);
  Problem two = three;
  two.y.conservativeResize(12);
  CHECK_THROWS_AS(fit_paths(*design, {three, two}, {}, options_of("multigaussian")), std::invalid_argument);
}
