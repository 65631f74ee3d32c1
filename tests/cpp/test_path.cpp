#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "check_design.hpp"
#include "loss/loss.hpp"
#include "path_problems.hpp"
#include "penalty/elastic_net.hpp"
#include "riata/api.hpp"
#include "riata/design/dense.hpp"
#include "riata/error.hpp"

using namespace riata;
using check::dosages;
using check::make_problem;
using check::Storages;

namespace {

std::unique_ptr<Design> view(const Mat& X) {
  return dense_design(X.data(), X.rows(), X.cols(), 1, X.rows());
}

PathResult fit(const Design& X, const Problem& problem, const PathOptions& options, const Features& features = {}) {
  return std::move(fit_paths(X, {problem}, features, options).front());
}

Vec coefficients(const PathResult& r, std::size_t k, Index p) {
  Vec b = Vec::Zero(p);
  for (Index at = r.coef_indptr[k]; at < r.coef_indptr[k + 1]; ++at) {
    b[r.coef_indices[static_cast<std::size_t>(at)]] = r.coef_values[static_cast<std::size_t>(at)];
  }
  return b;
}

bool same_path(const PathResult& a, const PathResult& b) {
  return a.alphas == b.alphas && a.coef_indptr == b.coef_indptr && a.coef_indices == b.coef_indices &&
         a.coef_values == b.coef_values && a.intercepts == b.intercepts && a.dual_gaps == b.dual_gaps &&
         a.primal == b.primal && a.dual == b.dual;
}

void close_paths(const PathResult& a, const PathResult& b, Index p, double tolerance) {
  REQUIRE(a.alphas.size() == b.alphas.size());
  for (std::size_t k = 0; k < a.alphas.size(); ++k) {
    CHECK(std::abs(a.alphas[k] - b.alphas[k]) <= 1e-10 * a.alphas[k]);
    check::close(coefficients(a, k, p), coefficients(b, k, p), tolerance);
    CHECK(std::abs(a.intercepts[k] - b.intercepts[k]) <= tolerance);
  }
}

/// What the coefficients of a fit say about themselves, computed here from X, y and nothing else of the library than
/// the formulas of loss and penalty.
struct Evidence {
  double primal, dual, gap;
  double worst_inactive;  // |c_j| / l1_j over columns with coefficient zero
};

Evidence examine(const Mat& X, const Problem& problem, const PathOptions& o, const PathResult& r, std::size_t k,
                 const Features& features = {}) {
  const Index n = X.rows(), p = X.cols();
  const Vec omega = problem.weights / problem.weights.sum(), b = coefficients(r, k, p);
  const auto loss = make_loss(o.loss, problem.y, omega);
  Vec eta = (X * b).array() + r.intercepts[k], u, h;
  const Vec offset = problem.offset.size() > 0 ? problem.offset : Vec::Zero(n);
  eta += offset;
  loss->derivatives(eta, u, h);
  if (o.fit_intercept) CHECK(std::abs(u.sum()) <= 1e-12);
  Evidence e{loss->value(eta), 0.0, 0.0, 0.0};
  std::vector<ElasticNet> net;
  Vec c(p);
  double scale = 1.0;
  for (Index j = 0; j < p; ++j) {
    const double mean = omega.dot(X.col(j)), sd = std::sqrt(omega.dot((X.col(j).array() - mean).square().matrix()));
    const double unit = o.standardize && sd > 0.0 ? sd : 1.0;
    const double v = features.penalty_factor.size() > 0 ? features.penalty_factor[j] : 1.0;
    ElasticNet one{r.alphas[k] * o.l1_ratio * v, r.alphas[k] * (1.0 - o.l1_ratio) * v};
    if (features.lower.size() > 0) one.lower = features.lower[j] * unit;
    if (features.upper.size() > 0) one.upper = features.upper[j] * unit;
    net.push_back(one);
    const double centre = o.fit_intercept ? mean : 0.0;
    c[j] = (X.col(j).array() - centre).matrix().dot(u) / unit;
    e.primal += one.value(b[j] * unit);
    scale = std::min(scale, one.feasible_scale(c[j]));
    const bool tied = (c[j] > 0.0 ? one.upper : one.lower) == 0.0;
    if (b[j] == 0.0 && one.l1 > 0.0 && !tied) e.worst_inactive = std::max(e.worst_inactive, std::abs(c[j]) / one.l1);
  }
  e.dual = loss->dual(scale * u) - scale * offset.dot(u);
  for (Index j = 0; j < p; ++j) e.dual -= net[static_cast<std::size_t>(j)].conjugate(scale * c[j] * (1.0 - 1e-16));
  e.gap = (e.primal - e.dual) / (r.null_objective - r.saturated_objective);
  return e;
}

}  // namespace

TEST_CASE("every certificate holds: X'rho by brute force at all lambdas, in every storage") {
  const Index n = 50, p = 700;  // large enough for a copy of the dense X
  const Storages storages(dosages(n, p, 1));
  for (const std::string loss : {"gaussian", "binomial", "poisson", "huber"}) {
    Problem problem = make_problem(storages.X, loss, 2);
    for (Index i = 0; i < n; ++i) problem.weights[i] = 1.0 + static_cast<double>(i % 3);
    PathOptions options;
    options.loss = loss;
    options.tol = 1e-9;
    options.eps = loss == "gaussian" ? 0.01 : 0.05;
    options.stop_early = false;
    PathResult dense;
    for (const auto& X : storages.designs) {
      CAPTURE(X->kind());
      CAPTURE(loss);
      const PathResult r = fit(*X, problem, options);
      REQUIRE(r.alphas.size() == 100);
      CHECK(r.n_active.front() == 0);
      CHECK(r.n_active.back() >= 30);
      CHECK(r.counters.passes < 40.0);  // bounds do their work
      for (std::size_t k = 0; k < 100; ++k) {
        const Evidence e = examine(storages.X, problem, options, r, k);
        CHECK(e.worst_inactive <= 1.0 + 1e-8);
        CHECK(e.gap <= options.tol * 1.01);
        CHECK(e.gap >= -1e-12);
        CHECK(std::abs(e.gap - r.dual_gaps[k]) <= 1e-11);
        CHECK(r.primal[k] == doctest::Approx(e.primal).epsilon(1e-11));
        CHECK(r.dual_gaps[k] == (r.primal[k] - r.dual[k]) / (r.null_objective - r.saturated_objective));
        CHECK(r.converged[k] == 1);
      }
      if (dense.alphas.empty()) dense = r;
      close_paths(dense, r, p, 1e-6);
    }
  }
}

TEST_CASE("certificates hold with ridge parts, boxes, factors, offsets and without intercept or scaling") {
  const Index n = 40, p = 900;  // large enough for a copy of X
  const Mat X = check::random_matrix(n, p, 3).array() + 0.5;
  const auto design = view(X);
  int copies = 0;
  for (const std::string loss : {"gaussian", "binomial", "poisson", "huber"}) {
    for (int variant = 0; variant < 7; ++variant) {
      CAPTURE(loss);
      CAPTURE(variant);
      Problem problem = make_problem(X, loss, 4);
      PathOptions options;
      options.loss = loss;
      options.n_alphas = 20;
      options.eps = 0.05;
      options.tol = 1e-8;
      options.stop_early = false;
      Features features;
      if (variant == 1) options.l1_ratio = 0.5;
      if (variant == 2) features.lower = Vec::Zero(p);
      if (variant == 3) {
        features.lower = Vec::Constant(p, -0.1);
        features.upper = Vec::Constant(p, 0.05);
        features.upper[7] = 0.0;
      }
      if (variant == 4) {
        features.penalty_factor = Vec::Ones(p);
        features.penalty_factor[0] = 3.0;
        features.penalty_factor[1] = 0.01;
        problem.offset = 0.3 * check::random_matrix(n, 1, 5);
      }
      if (variant == 5) options.fit_intercept = options.standardize = false;
      if (variant == 6) {  // one row makes up much of every sum: right-hand sides round badly
        problem.weights[3] = 1e4;
        problem.weights[7] = 0.0;
      }
      const PathResult r = fit(*design, problem, options, features);
      REQUIRE(r.alphas.size() == 20);
      // A share of a column comes from the copy only.
      copies += std::floor(r.counters.columns_streamed) != r.counters.columns_streamed ? 1 : 0;
      for (std::size_t k = 0; k < 20; ++k) {
        const Evidence e = examine(X, problem, options, r, k, features);
        CHECK(e.gap <= options.tol * 1.01);
        CHECK(e.gap >= -1e-12);
        CHECK(std::abs(e.gap - r.dual_gaps[k]) <= 1e-10);
        const Vec b = coefficients(r, k, p);
        if (features.lower.size() > 0) CHECK((b - features.lower).minCoeff() >= -1e-15);
        if (features.upper.size() > 0) CHECK((features.upper - b).minCoeff() >= -1e-15);
      }
    }
  }
  CHECK(copies >= 7);
}

TEST_CASE("all solvers end at the same path") {
  const Index n = 30, p = 60;
  const Mat X = check::random_matrix(n, p, 6);
  const auto design = view(X);
  for (const std::string loss : {"gaussian", "binomial", "poisson", "huber"}) {
    const Problem problem = make_problem(X, loss, 7);
    PathOptions options;
    options.loss = loss;
    options.n_alphas = 12;
    options.eps = 0.1;
    options.tol = 1e-11;
    options.max_iter = 100'000;
    const PathResult reference = fit(*design, problem, options);
    CHECK(reference.solver.back() == Solver::kActiveSet);
    for (const Solver solver : {Solver::kActiveSet, Solver::kDescent, Solver::kProximal}) {
      CAPTURE(solver);
      options.solver = solver;
      const PathResult r = fit(*design, problem, options);
      CHECK(r.solver.back() == solver);
      close_paths(reference, r, p, 1e-5);
      for (const auto converged : r.converged) CHECK(converged == 1);
    }
  }
}

TEST_CASE("a row of weight zero is a row left out, and its linear predictor is on request") {
  const Index n = 45, p = 100;
  const Mat X = check::random_matrix(n, p, 8);
  std::vector<Index> kept, out;
  for (Index i = 0; i < n; ++i) (i % 4 == 1 ? out : kept).push_back(i);
  const Mat less = X(kept, Eigen::all);
  for (const std::string loss : {"gaussian", "binomial", "poisson", "huber"}) {
    Problem whole = make_problem(X, loss, 9), part;
    whole.offset = 0.2 * check::random_matrix(n, 1, 10);
    part.y = whole.y(kept);
    part.weights = whole.weights(kept);
    part.offset = whole.offset(kept);
    for (const Index i : out) {
      whole.weights[i] = 0.0;
      whole.y[i] = 1e6;  // outside any domain, and of no account
    }
    PathOptions options;
    options.loss = loss;
    options.n_alphas = 15;
    options.eps = 0.1;
    options.tol = 1e-12;
    options.keep_linear_predictor = true;
    const PathResult a = fit(*view(X), whole, options), b = fit(*view(less), part, options);
    close_paths(a, b, p, 1e-9);
    CHECK(a.null_objective == doctest::Approx(b.null_objective).epsilon(1e-12));
    CHECK(b.linear_predictor.rows() == 0);
    REQUIRE(a.linear_predictor.rows() == static_cast<Index>(out.size()));
    for (std::size_t k = 0; k < a.alphas.size(); ++k) {
      const Vec eta = (X * coefficients(a, k, p) + whole.offset).array() + a.intercepts[k];
      check::close(a.linear_predictor.col(static_cast<Index>(k)), Vec(eta(out)), 1e-11);
    }
  }
}

TEST_CASE("problems fitted together equal problems fitted apart") {
  const Index n = 48, p = 900;
  const Mat X = check::random_matrix(n, p, 11);
  const auto design = view(X);
  for (const std::string loss : {"gaussian", "binomial", "poisson"}) {
    CAPTURE(loss);
    std::vector<Problem> problems(4, make_problem(X, loss, 12));
    for (Index i = 0; i < n; ++i) {
      for (Index f = 1; f < 4; ++f) {
        if (i % 3 == f - 1) problems[static_cast<std::size_t>(f)].weights[i] = 0.0;
      }
    }
    PathOptions options;
    options.loss = loss;
    options.n_alphas = 15;
    options.eps = 0.1;
    options.tol = 1e-12;
    const auto together = fit_paths(*design, problems, {}, options);
    REQUIRE(together.size() == 4);
    options.alphas = together.front().alphas;
    double passes = 0.0;
    for (std::size_t f = 0; f < 4; ++f) {
      const PathResult apart = fit(*design, problems[f], options);
      passes += apart.counters.passes;
      close_paths(together[f], apart, p, 1e-10);
    }
    CHECK(together.front().counters.passes < passes);
  }
}

TEST_CASE("problems that lead have grids of their own and end on their own") {
  const Index n = 48, p = 400;
  const Mat X = check::random_matrix(n, p, 13);
  const auto design = view(X);
  // A response that is soon explained, a noisy one, and a fold of each, in any order.
  std::vector<Problem> problems(4, make_problem(X, "gaussian", 14));
  for (const std::size_t f : {0, 2}) problems[f].y = check::random_matrix(n, 1, 15).col(0);
  problems[1].y = X.col(7) - X.col(9);
  problems[3].y = problems[1].y;
  for (Index i = 0; i < n; i += 3) problems[2].weights[i] = problems[3].weights[i] = 0.0;
  problems[1].weights[5] = problems[3].weights[5] = 0.0;
  for (std::size_t f = 0; f < 4; ++f) problems[f].leader = static_cast<Index>(f % 2);
  PathOptions options;
  options.n_alphas = 30;
  options.tol = 1e-12;
  options.keep_linear_predictor = true;
  std::vector<Index> told, held;
  options.progress = [&](Index done, Index total, double, Index, double, double) {
    CHECK(total == 60);
    told.push_back(done);
    return true;
  };
  options.held_out = [&](Index, double, const std::vector<Vec>& predictors) {
    for (std::size_t f = 0; f < 4; ++f) {
      if (predictors[f].size() > 0) held.push_back(static_cast<Index>(f));
    }
    return HeldOutScore{};
  };
  const auto together = fit_paths(*design, problems, {}, options);
  CHECK(std::is_sorted(told.begin(), told.end()));
  CHECK(told.size() == together[0].alphas.size() + together[1].alphas.size());
  CHECK(std::count(held.begin(), held.end(), 3) == static_cast<std::ptrdiff_t>(together[1].alphas.size()));
  CHECK(together[1].stopped == "deviance");
  CHECK(together[1].alphas.size() < together[0].alphas.size());
  options.progress = {};
  options.held_out = {};
  double passes = 0.0;
  for (std::size_t leader = 0; leader < 2; ++leader) {
    std::vector<Problem> group = {problems[leader], problems[leader + 2]};
    for (Problem& problem : group) problem.leader = 0;
    const auto apart = fit_paths(*design, group, {}, options);
    passes += apart.front().counters.passes;
    for (std::size_t k = 0; k < 2; ++k) {
      const PathResult& mine = together[leader + 2 * k];
      CHECK(mine.stopped == apart[k].stopped);
      CHECK(mine.alpha_max == doctest::Approx(apart[k].alpha_max));
      close_paths(mine, apart[k], p, 1e-10);
    }
  }
  CHECK(together.front().counters.passes < passes);

  for (const Index wrong : {-1, 4, 2}) {
    problems[3].leader = wrong;
    const std::string message = "leader must be the number of a problem that leads, got " + std::to_string(wrong);
    CHECK_THROWS_WITH_AS(fit_paths(*design, problems, {}, options), message.c_str(), std::invalid_argument);
  }
}

TEST_CASE("problems of several outputs lead, and tell of each output") {
  const Index n = 40, p = 60, outputs = 3;
  const Mat X = check::random_matrix(n, p, 16);
  const auto design = view(X);
  std::vector<Problem> problems(2);
  for (Index f = 0; f < 2; ++f) {
    Problem& problem = problems[static_cast<std::size_t>(f)];
    problem.y = check::random_matrix(n, outputs, 17 + static_cast<unsigned>(f)).reshaped();
    problem.weights = Vec::Ones(n);
    problem.weights.segment(5 * f, 4).setZero();
    problem.leader = f;
  }
  PathOptions options;
  options.loss = "multigaussian";
  options.n_alphas = 10;
  options.eps = 0.1;
  options.tol = 1e-12;
  options.keep_linear_predictor = true;
  std::vector<std::vector<Vec>> held(2);
  options.held_out = [&](Index, double, const std::vector<Vec>& predictors) {
    for (std::size_t f = 0; f < 2; ++f) {
      if (predictors[f].size() > 0) held[f].push_back(predictors[f]);
    }
    return HeldOutScore{};
  };
  fit_paths(*design, problems, {}, options);
  options.held_out = {};
  for (std::size_t f = 0; f < 2; ++f) {
    Problem alone = problems[f];
    alone.leader = 0;
    const PathResult apart = fit_paths(*design, {alone}, {}, options).front();
    REQUIRE(held[f].size() == apart.alphas.size());
    for (std::size_t k = 0; k < held[f].size(); ++k) {
      const Vec expected = apart.linear_predictor.middleCols(static_cast<Index>(k) * outputs, outputs).reshaped();
      REQUIRE(held[f][k].size() == 4 * outputs);
      CHECK((held[f][k] - expected).cwiseAbs().maxCoeff() <= 1e-6);
    }
  }
}

TEST_CASE("tiny penalty factors do not pass for proofs") {
  const Index n = 40, p = 900;
  const Mat X = check::random_matrix(n, p, 31);
  const auto design = view(X);
  const Problem problem = make_problem(X, "gaussian", 32);
  PathOptions options;
  options.n_alphas = 10;
  options.eps = 0.1;
  const PathResult plain = fit(*design, problem, options);
  for (const double factor : {1e-41, 1e-39, 1e-20, 1e20}) {
    CAPTURE(factor);
    Features features;
    features.penalty_factor = Vec::Constant(p, factor);
    const PathResult r = fit(*design, problem, options, features);
    REQUIRE(r.n_active.size() == plain.n_active.size());
    CHECK(r.n_active.back() == plain.n_active.back());
    CHECK(r.alpha_max * factor == doctest::Approx(plain.alpha_max).epsilon(1e-9));
    for (const auto converged : r.converged) CHECK(converged == 1);
  }
}

TEST_CASE("tall problems: large means and unpenalised features in bounds still converge") {
  const Index n = 400, p = 12;
  Mat X = check::random_matrix(n, p, 33);
  X.col(1).array() += 300.0;
  const Vec noise = check::random_matrix(n, 1, 34);
  Problem problem;
  problem.y = X.col(0) - 2.0 * X.col(1) + 0.5 * X.col(4) + 0.01 * noise;
  problem.weights = Vec::Ones(n);
  const auto design = view(X);
  PathOptions options;
  options.n_alphas = 40;
  options.stop_early = false;
  options.tol = 1e-8;
  for (const bool bounded : {false, true}) {
    Features features;
    features.penalty_factor = Vec::Ones(p);
    features.penalty_factor[0] = 0.0;
    features.penalty_factor[2] = 1e-5;
    if (bounded) features.lower = Vec::Zero(p);
    const PathResult r = fit(*design, problem, options, features);
    for (const auto converged : r.converged) CHECK(converged == 1);
    for (const std::size_t k : {0u, 10u, 25u, 39u}) {  // one alpha alone keeps no Gram matrix
      CAPTURE(k);
      PathOptions alone = options;
      alone.alphas = {r.alphas[k]};
      const PathResult one = fit(*design, problem, alone, features);
      CHECK(one.converged[0] == 1);
      CHECK((coefficients(one, 0, p) - coefficients(r, k, p)).norm() <= 1e-5 * coefficients(r, k, p).norm());
      CHECK(std::abs(one.primal[0] - r.primal[k]) <= 1e-8 * r.null_objective);
    }
  }
}

TEST_CASE("large problems give the same bits on several threads") {
  const Index n = 300, p = 15000;
  const Mat X = check::random_matrix(n, p, 35);
  const auto design = view(X);
  for (const std::string loss : {"gaussian", "binomial", "poisson", "huber"}) {
    std::vector<Problem> problems(3, make_problem(X, loss, 36));
    for (Index i = 0; i < n; ++i) problems[1 + static_cast<std::size_t>(i % 2)].weights[i] = 0.0;
    PathOptions options;
    options.loss = loss;
    options.n_alphas = 12;
    options.eps = 0.2;
    const auto one = fit_paths(*design, problems, {}, options);
    options.threads = 3;
    const auto three = fit_paths(*design, problems, {}, options);
    for (std::size_t f = 0; f < 3; ++f) {
      CHECK(one[f].coef_values == three[f].coef_values);
      CHECK(one[f].coef_indices == three[f].coef_indices);
      CHECK(one[f].dual == three[f].dual);
      CHECK(one[f].counters.columns_streamed == three[f].counters.columns_streamed);
    }
    const auto alone = fit(*design, problems[0], options);  // several threads within one problem
    options.threads = 1;
    CHECK(fit(*design, problems[0], options).coef_values == alone.coef_values);
  }
}

TEST_CASE("the bits do not depend on the number of threads") {
  const Index n = 40, p = 3000;
  const Mat X = dosages(n, p, 13);
  const auto design = view(X);
  for (const std::string loss : {"gaussian", "binomial", "poisson", "huber"}) {
    std::vector<Problem> problems(3, make_problem(X, loss, 14));
    for (Index i = 0; i < n; ++i) problems[1 + static_cast<std::size_t>(i % 2)].weights[i] = 0.0;
    PathOptions options;
    options.loss = loss;
    options.n_alphas = 10;
    options.eps = 0.2;
    const auto one = fit_paths(*design, problems, {}, options);
    const PathResult alone = fit(*design, problems.front(), options);
    for (const int threads : {2, 3}) {
      CAPTURE(threads);
      options.threads = threads;
      const auto many = fit_paths(*design, problems, {}, options);
      for (std::size_t f = 0; f < problems.size(); ++f) CHECK(same_path(one[f], many[f]));
      CHECK(same_path(alone, fit(*design, problems.front(), options)));
    }
    options.threads = 1;
  }
}

TEST_CASE("unpenalised features stay in, excluded and constant ones out") {
  const Index n = 40, p = 30;
  Mat X = check::random_matrix(n, p, 15);
  X.col(4).setConstant(3.0);
  Features features;
  features.penalty_factor = Vec::Ones(p);
  features.penalty_factor[0] = features.penalty_factor[1] = 0.0;
  features.penalty_factor[2] = kInfinity;
  for (const std::string loss : {"gaussian", "binomial", "poisson", "huber"}) {
    const Problem problem = make_problem(X, loss, 16);
    PathOptions options;
    options.loss = loss;
    options.n_alphas = 10;
    options.eps = 0.05;
    const PathResult r = fit(*view(X), problem, options, features);
    for (std::size_t k = 0; k < r.alphas.size(); ++k) {
      const Vec b = coefficients(r, k, p);
      CHECK(b[0] != 0.0);
      CHECK(b[1] != 0.0);
      CHECK(b[2] == 0.0);
      CHECK(b[4] == 0.0);
      CHECK(r.converged[k] == 1);
      CHECK(r.dual_gaps[k] >= -1e-12);
      // Their gradient is zero.
      const Vec eta = (X * b).array() + r.intercepts[k];
      Vec u, h;
      make_loss(loss, problem.y, problem.weights / static_cast<double>(n))->derivatives(eta, u, h);
      CHECK(std::abs(X.col(0).dot(u)) <= 1e-6);
    }
    CHECK(r.n_active.front() == 2);
  }
}

TEST_CASE("a fit that ran out of iterations says so and never claims too small a gap") {
  const Index n = 30, p = 20;
  const Mat X = check::random_matrix(n, p, 17);
  const auto design = view(X);
  Features free, boxed;
  free.penalty_factor = Vec::Ones(p);
  free.penalty_factor.head(3).setZero();
  for (const std::string loss : {"gaussian", "binomial", "poisson", "huber"}) {
    const Problem problem = make_problem(X, loss, 18);
    for (const Features& features : {boxed, free}) {
      PathOptions options;
      options.loss = loss;
      options.alphas = {0.05, 0.02};
      options.tol = 1e-12;
      const PathResult exact = fit(*design, problem, options, features);
      for (const Solver solver : {Solver::kActiveSet, Solver::kDescent, Solver::kProximal}) {
        CAPTURE(solver);
        options.solver = solver;
        options.max_iter = 1;
        const PathResult r = fit(*design, problem, options, features);
        const double unit = r.null_objective - r.saturated_objective;
        for (std::size_t k = 0; k < 2; ++k) {
          CHECK(r.dual[k] <= exact.primal[k] + 1e-12 * unit);
          if (!r.converged[k]) CHECK(r.dual_gaps[k] > options.tol);
        }
      }
    }
  }
}

TEST_CASE("stopping early: deviance, number of active features, a callback") {
  const Index n = 30, p = 80;
  const Mat X = check::random_matrix(n, p, 19);
  const auto design = view(X);
  const Problem problem = make_problem(X, "gaussian", 20);
  PathOptions options;
  options.eps = 1e-4;
  const PathResult r = fit(*design, problem, options);
  CHECK(r.alphas.size() < 100);
  CHECK(r.deviance_ratio.back() >= 0.999);
  CHECK(r.deviance_ratio[r.deviance_ratio.size() - 2] < 0.999);
  CHECK(r.stopped == "deviance");

  options.max_active = 5;
  const PathResult few = fit(*design, problem, options);
  CHECK(*std::max_element(few.n_active.begin(), few.n_active.end()) <= 5);
  CHECK(few.alphas.size() < r.alphas.size());
  CHECK(r.n_active[few.alphas.size()] > 5);

  options.max_active = -1;
  std::vector<double> seen;
  options.progress = [&](Index done, Index total, double alpha, Index active, double gap, double passes) {
    CHECK(done == static_cast<Index>(seen.size()) + 1);
    CHECK(total == 100);
    CHECK(alpha == r.alphas[seen.size()]);
    CHECK(active == r.n_active[seen.size()]);
    CHECK(gap <= options.tol);
    CHECK(passes > 0.0);
    seen.push_back(alpha);
    return seen.size() < 7;
  };
  const PathResult prefix = fit(*design, problem, options);
  CHECK(prefix.stopped == "progress");
  REQUIRE(prefix.alphas.size() == 7);
  for (std::size_t k = 0; k < 7; ++k) CHECK(coefficients(prefix, k, p) == coefficients(r, k, p));
  CHECK(prefix.coef_indptr.size() == 8);
  CHECK(prefix.coef_indices.size() == static_cast<std::size_t>(prefix.coef_indptr.back()));
}

TEST_CASE("what poll throws comes out, whichever thread works") {
  const Index n = 30, p = 200;
  const Mat X = check::random_matrix(n, p, 21);
  const auto design = view(X);
  struct Stop {};
  for (const std::string loss : {"gaussian", "binomial", "poisson", "huber"}) {
    for (const Solver solver : {Solver::kActiveSet, Solver::kDescent, Solver::kProximal}) {
      for (const int threads : {1, 3}) {
        PathOptions options;
        options.loss = loss;
        options.solver = solver;
        options.threads = threads;
        options.n_alphas = 20;
        int calls = 0;
        options.poll = [&calls] {
          if (++calls == 10) throw Stop{};
        };
        const std::vector<Problem> problems(3, make_problem(X, loss, 22));
        CHECK_THROWS_AS(fit_paths(*design, problems, {}, options), Stop);
        CHECK(calls == 10);
      }
    }
  }
}

TEST_CASE("degenerate data: one row, one column, constant response, copies") {
  PathOptions options;
  options.n_alphas = 5;
  const Mat tiny = Mat::Constant(1, 1, 2.0);
  Problem one{Vec::Constant(1, 3.0), Vec::Ones(1), {}};
  PathResult r = fit(*view(tiny), one, options);
  CHECK(r.intercepts.front() == 3.0);
  CHECK(r.n_active.front() == 0);

  Mat X = check::random_matrix(20, 6, 23);
  Problem constant{Vec::Constant(20, 0.1), Vec::Ones(20), {}};
  r = fit(*view(X), constant, options);
  for (const double b0 : r.intercepts) CHECK(b0 == doctest::Approx(0.1));
  for (const Index active : r.n_active) CHECK(active == 0);

  X.col(3) = X.col(0);
  X.col(4) = -X.col(1);
  options.eps = 0.01;
  for (const double scale : {1e-12, 1.0, 1e12}) {
    CAPTURE(scale);
    const Mat scaled = scale * X;
    for (const bool standardize : {false, true}) {
      options.standardize = standardize;
      const PathResult copies = fit(*view(scaled), make_problem(X, "gaussian", 24), options);
      for (const auto converged : copies.converged) CHECK(converged == 1);
      CHECK(copies.n_active.back() >= 4);
    }
  }
}

TEST_CASE("bad arguments are named, with what is allowed") {
  const Mat X = check::random_matrix(6, 3, 25);
  const auto design = view(X);
  const auto refused = [&](const std::function<void(Problem&, Features&, PathOptions&)>& spoil, const char* message) {
    Problem problem = make_problem(X, "gaussian", 26);
    Features features;
    PathOptions options;
    const auto fit = [&] {
      spoil(problem, features, options);
      fit_paths(*design, {problem}, features, options);
    };
    CHECK_THROWS_WITH_AS(fit(), message, std::invalid_argument);
  };
  const double nan = std::nan("");
  refused([](auto& q, auto&, auto&) { q.y.resize(5); }, "y must have one value for each row of X");
  refused([](auto& q, auto&, auto&) { q.weights.resize(7); }, "weights must have one value for each row of X");
  refused([](auto& q, auto&, auto&) { q.offset.setZero(2); }, "offset must have one value for each row of X");
  refused([](auto& q, auto&, auto&) { q.weights[2] = -1.0; }, "weights must be finite and >= 0");
  refused([&](auto& q, auto&, auto&) { q.weights[2] = nan; }, "weights must be finite and >= 0");
  refused([](auto& q, auto&, auto&) { q.weights[2] = kInfinity; }, "weights must be finite and >= 0");
  refused([](auto& q, auto&, auto&) { q.weights.setZero(); }, "weights must not all be zero");
  refused([&](auto& q, auto&, auto&) { q.y[4] = nan; }, "y must be finite, got NaN or infinity in row 4");
  refused([](auto& q, auto&, auto&) { q.offset = Vec::Constant(6, kInfinity); },
          "offset must be finite, got NaN or infinity in row 0");
  refused([](auto&, auto& f, auto&) { f.lower.setZero(2); }, "lower must have one value for each column of X");
  refused([](auto&, auto& f, auto&) { f.upper.setZero(4); }, "upper must have one value for each column of X");
  refused([](auto&, auto& f, auto&) { f.penalty_factor.setOnes(1); },
          "penalty_factor must have one value for each column of X");
  refused([](auto&, auto& f, auto&) { f.penalty_factor = Vec::Constant(3, -1.0); }, "penalty_factor must be >= 0");
  refused([&](auto&, auto& f, auto&) { f.penalty_factor = Vec::Constant(3, nan); }, "penalty_factor must be >= 0");
  refused([](auto&, auto& f, auto&) { f.lower = Vec::Constant(3, 0.5); }, "lower must be <= 0");
  refused([](auto&, auto& f, auto&) { f.upper = Vec::Constant(3, -0.5); }, "upper must be >= 0");
  refused([](auto&, auto&, auto& o) { o.loss = "tweedie"; },
          "loss must be \"gaussian\", \"binomial\", \"poisson\", \"huber\", \"cox\", \"multigaussian\" or "
          "\"multinomial\", got \"tweedie\"");
  refused([](auto&, auto&, auto& o) { o.solver = Solver::kNewton; },
          "solver must be one of \"auto\", \"active_set\", \"cd\", \"prox\", got \"newton\"");
  refused([](auto&, auto&, auto& o) { o.l1_ratio = 1.5; }, "l1_ratio must lie in [0, 1], got 1.500000");
  refused([](auto&, auto&, auto& o) { o.tol = -1.0; }, "tol must be >= 0, got -1.000000");
  refused([](auto&, auto&, auto& o) { o.max_iter = 0; }, "max_iter must be >= 1, got 0");
  refused([](auto&, auto&, auto& o) { o.threads = 0; }, "threads must be >= 1, got 0");
  refused([](auto&, auto&, auto& o) { o.n_alphas = 0; }, "n_alphas must be >= 1, got 0");
  refused([](auto&, auto&, auto& o) { o.eps = 1.5; }, "eps must lie in (0, 1], or be 0 for the default, got 1.500000");
  refused([](auto&, auto&, auto& o) { o.alphas = {1.0, 0.0}; }, "alphas must be finite and > 0, got 0.000000");
  refused([](auto&, auto&, auto& o) { o.alphas = {1.0, 2.0}; }, "alphas must be in decreasing order");

  const PathOptions options;
  const Problem problem = make_problem(X, "gaussian", 26);
  CHECK_THROWS_WITH_AS(fit_paths(*design, {}, {}, options), "problems must not be empty", std::invalid_argument);
  const Mat empty(0, 3);
  CHECK_THROWS_WITH_AS(fit_paths(*dense_design(empty.data(), 0, 3, 1, 1), {problem}, {}, options),
                       "X must have at least one row and one column", std::invalid_argument);
  Mat broken = X;
  broken(1, 2) = nan;
  CHECK_THROWS_WITH_AS(fit(*view(broken), problem, options),
                       "X must hold finite numbers only, got NaN or infinity in column 2", NonFiniteError);
}

TEST_CASE("unstandardised columns of any scale give the same path, rescaled") {
  const Mat X = check::random_matrix(40, 120, 41);
  for (const std::string loss : {"gaussian", "binomial", "poisson", "huber"}) {
    const Problem problem = make_problem(X, loss, 42);
    PathOptions options;
    options.loss = loss;
    options.standardize = false;
    options.n_alphas = 20;
    const PathResult reference = fit(*view(X), problem, options);
    for (const double scale : {1e-100, 1e-50, 1e-35, 1e40, 1e100}) {
      CAPTURE(scale);
      const Mat scaled = X * scale;
      const PathResult r = fit(*view(scaled), problem, options);
      CHECK(r.n_active == reference.n_active);
      CHECK(r.coef_indices == reference.coef_indices);
      for (std::size_t k = 0; k < r.dual_gaps.size(); ++k) CHECK(r.dual_gaps[k] <= options.tol);
    }
  }
}

TEST_CASE("a loose fit is never certified when features are unpenalised and others bounded") {
  const Mat X = check::random_matrix(40, 60, 43);
  Features features;
  features.penalty_factor = Vec::Ones(60);
  features.penalty_factor.head(3).setZero();
  features.lower = Vec::Constant(60, -kInfinity);
  features.lower[10] = -0.1;
  features.lower[1] = -0.2;  // unpenalised and bounded on one side
  for (const std::string loss : {"gaussian", "binomial", "poisson"}) {
    CAPTURE(loss);
    const Problem problem = make_problem(X, loss, 44);
    PathOptions options;
    options.loss = loss;
    options.solver = Solver::kDescent;
    options.alphas = {0.1, 0.05};
    options.tol = 1e-8;
    const PathResult exact = fit_paths(*view(X), {problem}, features, options)[0];
    options.max_iter = 1;
    const PathResult loose = fit_paths(*view(X), {problem}, features, options)[0];
    for (std::size_t k = 0; k < options.alphas.size(); ++k) {
      CAPTURE(exact.dual_gaps[k]);
      CHECK(exact.converged[k]);
      CHECK(loose.dual[k] <= exact.primal[k] + 1e-12);
      CHECK(loose.primal[k] >= exact.dual[k] - 1e-12);
    }
  }
}

TEST_CASE("fine grids on small correlated problems: the reported gap is the true one") {
  // Everything may be in the working set at once, so that several lambdas are solved ahead, and leave it again.
  for (unsigned seed = 0; seed < 30; ++seed) {
    CAPTURE(seed);
    const Index n = 16 + seed % 13, p = 20 + static_cast<Index>(seed % 7) * 6;
    const Mat X = check::random_matrix(n, 4, seed) * check::random_matrix(4, p, seed + 50) +
                  0.2 * check::random_matrix(n, p, seed + 100);
    for (const std::string loss : {"gaussian", "binomial", "poisson", "huber"}) {
      const Problem problem = make_problem(X, loss, seed + 150);
      PathOptions options;
      options.loss = loss;
      options.standardize = false;
      options.n_alphas = 2;
      options.tol = 1e-5;
      const double largest = fit(*view(X), problem, options).alpha_max;
      options.alphas.clear();
      for (int k = 0; k < 17; ++k) options.alphas.push_back(0.1 * largest * std::pow(0.93, k));
      const PathResult r = fit(*view(X), problem, options);
      const double total = problem.weights.sum();
      for (std::size_t k = 0; k < r.alphas.size(); ++k) {
        const Vec b = coefficients(r, k, p);
        const Vec eta = (X * b).array() + r.intercepts[k];
        Vec u, h;
        make_loss(loss, problem.y, problem.weights / total)->derivatives(eta, u, h);
        const Vec c = X.transpose() * u;
        CHECK(c.cwiseAbs().maxCoeff() <= r.alphas[k] * (1.0 + 1e-3));
        CHECK(r.converged[k]);
      }
    }
  }
}

TEST_CASE("a fit cut short has finite coefficients and claims no more than it shows") {
  for (unsigned seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    const Index p = 20 + static_cast<Index>(seed), n = p + 7;
    const Mat X =
        check::random_matrix(n, p, seed) * (Mat::Identity(p, p) + 0.7 * check::random_matrix(p, p, seed + 40));
    const Problem problem = make_problem(X, "gaussian", seed + 80);
    PathOptions options;
    options.n_alphas = 30;
    options.eps = 1e-4;
    options.max_iter = 8;
    const PathResult r = fit(*view(X), problem, options);
    for (const double value : r.coef_values) CHECK(std::isfinite(value));
    for (std::size_t k = 0; k < r.alphas.size(); ++k) CHECK(r.dual[k] <= r.primal[k] + 1e-12);
  }
}

TEST_CASE("columns whose squares overflow are refused by number") {
  Mat X = check::random_matrix(20, 4, 61);
  X.col(2) *= 1e170;
  CHECK_THROWS_WITH_AS(fit(*view(X), make_problem(check::random_matrix(20, 4, 61), "gaussian", 62), PathOptions{}),
                       "X must hold numbers whose squares are finite, got larger ones in column 2",
                       std::invalid_argument);
}

TEST_CASE("of identical columns the one that entered first stays, down the whole path") {
  const Index n = 50, p = 120;
  Mat X(n, 3 * p);
  X.leftCols(p) = check::random_matrix(n, p, 90);
  X.middleCols(p, p) = X.leftCols(p);
  X.rightCols(p) = -X.leftCols(p);
  for (const std::string loss : {"gaussian", "binomial", "poisson", "huber"}) {
    const Problem problem = make_problem(X.leftCols(p), loss, 91);
    PathOptions options;
    options.loss = loss;
    options.n_alphas = 60;
    const PathResult r = fit(*view(X), problem, options);
    std::vector<Index> holder(static_cast<std::size_t>(p), -1);
    int changes = 0;
    for (const Index j : r.coef_indices) {
      Index& now = holder[static_cast<std::size_t>(j % p)];
      changes += now >= 0 && now != j;
      now = j;
    }
    CHECK(changes == 0);
    for (const double gap : r.dual_gaps) CHECK(gap <= options.tol);
  }
}
