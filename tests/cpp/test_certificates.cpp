#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "check_design.hpp"
#include "path_problems.hpp"
#include "penalty/elastic_net.hpp"
#include "riata/api.hpp"
#include "riata/design/csc.hpp"
#include "riata/design/dense.hpp"
#include "riata/design/hstack.hpp"

using namespace riata;
using check::kOutputs;
using check::make_problem;
using check::random_matrix;
using check::Storages;

namespace {

/// A dense matrix as CSC with every entry that is not zero.
struct Sparse {
  explicit Sparse(const Mat& X) {
    indptr.push_back(0);
    for (Index j = 0; j < X.cols(); ++j) {
      for (Index i = 0; i < X.rows(); ++i) {
        if (X(i, j) == 0.0) continue;
        indices.push_back(static_cast<std::int32_t>(i));
        values.push_back(X(i, j));
      }
      indptr.push_back(static_cast<std::int32_t>(values.size()));
    }
    design = csc_design(X.rows(), X.cols(), indptr.back(), indptr.data(), indices.data(), values.data());
  }
  std::vector<std::int32_t> indptr, indices;
  std::vector<double> values;
  std::unique_ptr<Design> design;
};

std::unique_ptr<Design> view(const Mat& X) {
  return dense_design(X.data(), X.rows(), X.cols(), 1, X.rows());
}

PathResult fit(const Design& X, const Problem& problem, const PathOptions& options, const Features& features) {
  return std::move(fit_paths(X, {problem}, features, options).front());
}

/// p x K coefficients at one alpha.
Mat coefficients(const PathResult& r, std::size_t k, Index p) {
  Mat b = Mat::Zero(r.outputs, p);
  for (Index at = r.coef_indptr[k]; at < r.coef_indptr[k + 1]; ++at) {
    b.data()[r.coef_indices[static_cast<std::size_t>(at)]] = r.coef_values[static_cast<std::size_t>(at)];
  }
  return b.transpose();
}

/// Linear predictors, n x K.
Mat predictors(const Mat& X, const PathResult& r, std::size_t k) {
  Mat eta = X * coefficients(r, k, X.cols());
  for (Index q = 0; q < r.outputs; ++q) {
    eta.col(q).array() += r.intercepts[k * static_cast<std::size_t>(r.outputs) + static_cast<std::size_t>(q)];
  }
  return eta;
}

/// As many free features first, the others with a penalty.
Features free_first(Index p, Index q) {
  Features features;
  features.penalty_factor = Vec::Ones(p);
  features.penalty_factor.head(q).setZero();
  return features;
}

/// The same span as `years`, tidy and raw: powers of a year, and of what it is from the middle one.
Mat powers(const Vec& years, double middle, double unit) {
  Mat out(years.size(), 3);
  for (Index k = 0; k < 3; ++k) out.col(k) = ((years.array() - middle) / unit).pow(static_cast<double>(k + 1));
  return out;
}

const std::vector<std::string> kLosses = {"gaussian", "binomial",      "poisson",     "huber",
                                          "cox",      "multigaussian", "multinomial", "multinomial grouped"};

}  // namespace

TEST_CASE("a null residual of exactly zero leaves nothing to multiply with, in any storage") {
  const Storages s(check::dosages(24, 9, 3));
  Features features = free_first(9, 1);
  features.group = {0, 0, 0, 1, 1, 1, 2, 2, 2};
  features.group_weights = Vec::Ones(3);
  features.sorted_weights = Vec::LinSpaced(9, 2.0, 1.0);
  for (const auto& X : s.designs) {
    CAPTURE(X->kind());
    for (const std::string loss : {"gaussian", "huber", "multigaussian"}) {
      for (const std::string penalty : {"elastic_net", "group", "slope", "mcp"}) {
        if (loss == "multigaussian" && penalty != "elastic_net") continue;
        CAPTURE(loss);
        CAPTURE(penalty);
        PathOptions options = check::options_of(loss);
        options.penalty = penalty;
        options.n_alphas = 3;
        const Index outputs = loss == "multigaussian" ? kOutputs : 1;
        Problem problem;
        problem.weights = Vec::Ones(24);
        problem.y = Vec::Constant(24 * outputs, 3.0);
        const PathResult constant = fit(*X, problem, options, features);
        CHECK(constant.coef_values.empty());
        CHECK(constant.intercepts.front() == doctest::Approx(3.0));
        problem.y = (2.0 * s.X.col(0)).replicate(outputs, 1);
        const PathResult explained = fit(*X, problem, options, features);
        REQUIRE(!explained.alphas.empty());
        CHECK(explained.exhausted);
        CHECK(explained.converged.front() == 1);
        check::close(predictors(s.X, explained, 0).col(0), 2.0 * s.X.col(0), 1e-12);
      }
    }
  }
}

TEST_CASE("sparse columns far from zero: no dual value above a primal value") {
  using Long = long double;
  for (const double far : {1e3, 1e5, 1e7}) {
    CAPTURE(far);
    Mat X = random_matrix(34, 6, 5);
    Vec y = X.col(0) + X.col(1) + random_matrix(34, 1, 6).col(0);
    X.col(0).array() += far;
    const Sparse sparse(X);
    for (const std::string loss : {"gaussian", "multigaussian"}) {
      for (const double ratio : {1.0, 0.0}) {
        CAPTURE(loss);
        CAPTURE(ratio);
        PathOptions options = check::options_of(loss);
        options.l1_ratio = ratio;
        options.tol = 1e-8;
        options.n_alphas = 6;
        options.standardize = false;
        Problem problem;
        problem.weights = Vec::Ones(34);
        problem.y = y;
        if (loss == "multigaussian") {
          problem.y.resize(68);
          problem.y << y, -0.5 * y + random_matrix(34, 1, 7).col(0);
        }
        const PathResult r = fit(*sparse.design, problem, options, {});
        const double unit = r.null_objective - r.saturated_objective;
        for (std::size_t k = 0; k < r.alphas.size(); ++k) {
          CHECK(r.converged[k] == 1);
          const Mat b = coefficients(r, k, 6);
          Long value = 0.0L;
          for (Index q = 0; q < r.outputs; ++q) {
            for (Index i = 0; i < 34; ++i) {
              Long residual = problem.y[q * 34 + i];
              residual -= r.intercepts[k * static_cast<std::size_t>(r.outputs) + static_cast<std::size_t>(q)];
              for (Index j = 0; j < 6; ++j) residual -= static_cast<Long>(X(i, j)) * b(j, q);
              value += residual * residual / 68.0L;
            }
          }
          for (Index j = 0; j < 6; ++j) {
            const double norm = b.row(j).norm();
            value += static_cast<Long>(r.alphas[k] * (ratio * norm + 0.5 * (1.0 - ratio) * norm * norm));
          }
          CHECK(static_cast<Long>(r.dual[k]) <= value + static_cast<Long>(1e-9 * unit));
        }
      }
    }
  }
}

TEST_CASE("free features that are nearly collinear give the fit of tidy ones, with every loss and storage") {
  const Index n = 90, p = 12;
  const Vec years = Vec::LinSpaced(n, 1990.0, 2019.0).array().round();
  Mat rest = check::dosages(n, p - 3, 8), raw(n, p), tidy(n, p);
  tidy << powers(years, 2005.0, 10.0), rest;
  raw << powers(years, 0.0, 1.0), rest;
  const Sparse sparse(raw);
  const auto whole = view(raw), good = view(tidy);
  for (const std::string& loss : kLosses) {
    for (const bool standardize : {true, false}) {
      CAPTURE(loss);
      CAPTURE(standardize);
      PathOptions options = check::options_of(loss);
      options.n_alphas = 5;
      options.eps = 0.1;
      options.tol = 1e-9;
      options.standardize = standardize;
      Problem problem = make_problem(tidy, loss, 4);
      problem.weights.tail(5).setZero();
      options.keep_linear_predictor = true;
      const PathResult right = fit(*good, problem, options, free_first(p, 3));
      for (const Design* X : {whole.get(), sparse.design.get()}) {
        CAPTURE(X->kind());
        const PathResult r = fit(*X, problem, options, free_first(p, 3));
        REQUIRE(r.alphas.size() == right.alphas.size());
        CHECK(r.dependent.empty());
        CHECK(r.mean.size() == p);
        for (std::size_t k = 0; k < r.alphas.size(); ++k) {
          CHECK(r.converged[k] == 1);
          CHECK(std::abs(r.primal[k] - right.primal[k]) <= 1e-8 * std::abs(right.primal[k]));
          const Mat found = coefficients(r, k, p), want = coefficients(right, k, p);
          check::close(found.bottomRows(p - 3), want.bottomRows(p - 3), 2e-4);
          CHECK(r.n_active[k] == (found.rowwise().norm().array() > 0.0).count());
          if (loss == "cox") continue;  // predictors are known up to a constant
          check::close(predictors(raw, r, k), predictors(tidy, right, k), 2e-3);
        }
        if (loss == "cox") {
          for (std::size_t k = 0; k < r.alphas.size(); ++k) {
            const Index column = static_cast<Index>(k);
            check::close(r.linear_predictor.col(column), (raw * coefficients(r, k, p)).bottomRows(5), 1e-4);
          }
        }
      }
    }
  }
}

TEST_CASE("free features that depend on each other are told, and stay at zero") {
  Mat X = random_matrix(40, 6, 2);
  X.leftCols(3) = X.leftCols(3).cwiseAbs();
  for (Index i = 0; i < 40; ++i) X.row(i).head(3) /= X.row(i).head(3).sum();  // with the intercept one too many
  const Vec y = X * Vec::LinSpaced(6, 1.0, 2.0) + random_matrix(40, 1, 3).col(0);
  Problem problem;
  problem.y = y;
  problem.weights = Vec::Ones(40);
  PathOptions options;
  options.alphas = {0.1};
  options.tol = 1e-10;
  const PathResult r = fit(*view(X), problem, options, free_first(6, 3));
  REQUIRE(r.dependent.size() == 1);
  CHECK(coefficients(r, 0, 6)(r.dependent.front(), 0) == 0.0);
  Mat two = X.rightCols(5);
  const PathResult right = fit(*view(two), problem, options, free_first(5, 2));
  check::close(predictors(X, r, 0), predictors(two, right, 0), 1e-8);
  CHECK(r.converged.front() == 1);
}

TEST_CASE("as many free features as rows leave nothing, at once") {
  const Mat X = random_matrix(20, 40, 9);
  const auto design = view(X);
  for (const std::string loss : {"gaussian", "binomial", "multinomial"}) {
    for (const Index q : {19, 20, 40}) {
      CAPTURE(loss);
      CAPTURE(q);
      const Problem problem = make_problem(X, loss, 1);
      PathOptions options = check::options_of(loss);
      options.n_alphas = 3;
      const PathResult r = fit(*design, problem, options, free_first(40, q));
      CHECK(r.exhausted);
      CHECK(r.converged.front() == 1);
      CHECK(std::abs(r.dual_gaps.front()) <= options.tol);
      if (loss == "gaussian") check::close(predictors(X, r, 0), problem.y, 1e-8);
    }
  }
}

TEST_CASE("without an intercept a free column of ones takes its place") {
  const Mat G = random_matrix(30, 3, 4);
  Mat X(30, 4);
  X << Mat::Ones(30, 1), G;
  Problem problem;
  problem.y = (10.0 + G.col(0).array()).matrix() + random_matrix(30, 1, 5).col(0);
  problem.weights = Vec::Ones(30);
  for (const bool standardize : {false, true}) {
    PathOptions options;
    options.alphas = {0.05};
    options.tol = 1e-12;
    options.standardize = standardize;
    const PathResult with = fit(*view(G), problem, options, {});
    options.fit_intercept = false;
    const PathResult own = fit(*view(X), problem, options, free_first(4, 1));
    CHECK(coefficients(own, 0, 4)(0, 0) == doctest::Approx(with.intercepts.front()).epsilon(1e-6));
    check::close(coefficients(own, 0, 4).bottomRows(3), coefficients(with, 0, 3), 1e-6);
  }
}

TEST_CASE("no alpha takes more than max_iter iterations, with any solver and penalty") {
  Mat X = random_matrix(50, 120, 6);
  for (Index j = 1; j < X.cols(); ++j) X.col(j) = 0.99 * X.col(j - 1) + 0.14 * X.col(j);
  const auto design = view(X);
  Features features;
  for (Index j = 0; j < 120; ++j) features.group.push_back(j / 4);
  features.group_weights = Vec::Ones(30);
  features.sorted_weights = Vec::LinSpaced(120, 2.0, 1.0);
  for (const std::string loss : {"gaussian", "binomial", "multigaussian", "multinomial"}) {
    const Problem problem = make_problem(X, loss, 2);
    for (const std::string penalty : {"elastic_net", "group", "slope", "scad"}) {
      if (loss.starts_with("multi") && penalty != "elastic_net") continue;
      for (const Solver solver : {Solver::kAuto, Solver::kDescent, Solver::kProximal}) {
        for (const Index most : {1, 7}) {
          CAPTURE(loss);
          CAPTURE(penalty);
          CAPTURE(solver);
          PathOptions options = check::options_of(loss);
          options.penalty = penalty;
          if (penalty == "mcp") options.penalty = penalties::Mcp{3.7};
          if (penalty == "scad") options.penalty = penalties::Scad{3.7};
          options.solver = solver;
          options.max_iter = most;
          options.tol = 1e-12;
          options.n_alphas = 4;
          const PathResult r = fit(*design, problem, options, features);
          CHECK(*std::max_element(r.n_iter.begin(), r.n_iter.end()) <= most);
        }
      }
    }
  }
}

TEST_CASE("y in any unit: the proximal solver takes the same path") {
  const Mat X = random_matrix(40, 12, 7);
  const auto design = view(X);
  const Vec y = X.col(0) - X.col(1) + random_matrix(40, 1, 8).col(0);
  Problem problem;
  problem.weights = Vec::Ones(40);
  PathOptions options;
  options.solver = Solver::kProximal;
  options.tol = 1e-9;
  Mat right;
  for (const double unit : {1.0, 1e-100, 1e100}) {
    CAPTURE(unit);
    problem.y = unit * y;
    options.alphas = {0.3 * unit, 0.05 * unit};
    const PathResult r = fit(*design, problem, options, {});
    CHECK(std::count(r.converged.begin(), r.converged.end(), 1) == 2);
    const Mat b = coefficients(r, 1, 12) / unit;
    if (right.size() == 0) right = b;
    check::close(b, right, 1e-9);
  }
}

TEST_CASE("numbers whose squares leave the range of doubles are refused by name") {
  const Mat X = random_matrix(20, 3, 1);
  Problem problem;
  problem.weights = Vec::Ones(20);
  problem.y = random_matrix(20, 1, 2).col(0);
  const auto refused = [&](const Mat& columns, const Problem& given, const char* word) {
    try {
      fit(*view(columns), given, {}, {});
    } catch (const std::invalid_argument& error) {
      return std::string(error.what()).starts_with(word);
    }
    return false;
  };
  for (const double unit : {1e-161, 1e-200, 1e160}) CHECK(refused(unit * X, problem, "X must hold"));
  for (const double unit : {1e-170, 1e170}) {
    Problem scaled = problem;
    scaled.y *= unit;
    CHECK(refused(X, scaled, "y must hold"));
    scaled = problem;
    scaled.weights *= unit * unit;
    CHECK(refused(X, scaled, "weights must"));
  }
}
