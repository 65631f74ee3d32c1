#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "loss/cox.hpp"
#include "loss/loss.hpp"
#include "path_problems.hpp"
#include "penalty/penalties.hpp"

using namespace riata;
using namespace riata::check;

namespace {

const std::vector<std::string> kLosses{"gaussian", "binomial", "poisson", "cox"};

/// A penalty by name, with what it needs of the features: groups of 1 to 7 scattered columns, weights that fall.
struct Case {
  std::string name;
  PathOptions options;
  Features features;
};

Case make_case(const std::string& name, const std::string& loss, Index p) {
  Case out{name, options_of(loss), {}};
  const bool group = name.starts_with("group") || name.starts_with("sparse");
  out.options.penalty = group ? "group" : name;
  if (name == "sparse group") out.options.penalty = penalties::Group{0.4};
  if (name == "group with ridge") out.options.l1_ratio = 0.5;
  if (name == "scad") out.options.penalty = penalties::Scad{3.7};
  if (group) {
    const Index count = p / 4 + 1;
    Vec size = Vec::Zero(count);
    for (Index j = 0; j < p; ++j) {
      const Index g = (j * 7919 + j * j % 13) % count;
      out.features.group.push_back(g);
      size[g] += 1.0;
    }
    out.features.group_weights = size.cwiseMax(1.0).cwiseSqrt();
  }
  if (name == "slope") out.features.sorted_weights = Vec::LinSpaced(p, 1.5, 0.5);
  return out;
}

PathResult fit(const Design& X, const Problem& problem, const Case& c) {
  return fit_paths(X, {problem}, c.features, c.options).front();
}

Vec coefficients(const PathResult& r, std::size_t k, Index p) {
  Vec b = Vec::Zero(p);
  for (Index e = r.coef_indptr[k]; e < r.coef_indptr[k + 1]; ++e) {
    b[r.coef_indices[static_cast<std::size_t>(e)]] = r.coef_values[static_cast<std::size_t>(e)];
  }
  return b;
}

/// What a fit says about itself, computed from X, y and the formulas of loss and penalty alone: all features are in one
/// vector, those without penalty first and then group by group.
struct Evidence {
  double primal = 0.0, gap = 0.0, violation = 0.0;
};

Evidence examine(const Mat& X, const Problem& problem, const Case& test, const PathResult& r, std::size_t k) {
  const Index p = X.cols();
  const PathOptions& o = test.options;
  const Vec omega = problem.weights / problem.weights.sum();
  const std::unique_ptr<Loss> loss =
      o.loss.is<losses::Cox>() ? std::make_unique<Cox>(problem.y, problem.survival, omega, problem.weights.sum())
                               : make_loss(o.loss, problem.y, omega);
  const Vec raw = coefficients(r, k, p);
  Vec eta = X * raw;
  eta.array() += r.intercepts[k];
  if (problem.offset.size() > 0) eta += problem.offset;
  Vec u, h;
  loss->derivatives(eta, u, h);
  const bool centred = o.fit_intercept || o.loss.is<losses::Cox>();
  const auto factor = [&](Index j) {
    return test.features.penalty_factor.size() > 0 ? test.features.penalty_factor[j] : 1.0;
  };
  std::vector<Index> features(static_cast<std::size_t>(p));
  std::iota(features.begin(), features.end(), Index{0});
  std::erase_if(features, [&](Index j) { return factor(j) == kInfinity; });
  const auto place = [&](Index j) {
    return factor(j) == 0.0 ? -1 : test.features.group.empty() ? 0 : test.features.group[static_cast<std::size_t>(j)];
  };
  std::stable_sort(features.begin(), features.end(), [&](Index a, Index b) { return place(a) < place(b); });
  const Index count = static_cast<Index>(features.size());
  Vec b(count), c(count);
  std::vector<GroupNorm> norms;
  std::vector<Index> first{0};
  std::vector<Concave> concave;
  const auto* const mcp = o.penalty.as<penalties::Mcp>();
  const auto* const scad = o.penalty.as<penalties::Scad>();
  const auto* const group = o.penalty.as<penalties::Group>();
  const double gamma = mcp    ? mcp->gamma
                       : scad ? scad->gamma
                              : 3.0,
               l1_within_ratio = group ? group->l1_within_ratio : 0.0;
  Index free = 0;
  for (Index w = 0; w < count; ++w) {
    const Index j = features[static_cast<std::size_t>(w)];
    const double mean = omega.dot(X.col(j)), sd = std::sqrt(omega.dot((X.col(j).array() - mean).square().matrix()));
    const double unit = o.standardize ? sd : 1.0, alpha = r.alphas[k];
    b[w] = raw[j] * unit;
    c[w] = u.dot((X.col(j).array() - (centred ? mean : 0.0)).matrix()) / unit;
    concave.push_back({mcp ? Concave::Kind::kMcp : Concave::Kind::kScad, alpha * factor(j), gamma});
    if (factor(j) == 0.0) ++free;
    if (w > 0 && place(j) >= 0 && place(j) == place(features[static_cast<std::size_t>(w - 1)])) {
      ++first.back();
      continue;
    }
    first.push_back(w + 1);
    if (!group || place(j) < 0) {
      norms.push_back({});
      continue;
    }
    const double weight = alpha * (1.0 - l1_within_ratio) * test.features.group_weights[place(j)];
    norms.push_back({o.l1_ratio * weight, (1.0 - o.l1_ratio) * weight, o.l1_ratio * l1_within_ratio * alpha});
  }
  const Penalties net =
      group ? Penalties(norms, first)
      : o.penalty.is<penalties::Slope>()
          ? Penalties(Sorted{SortedL1(r.alphas[k] * test.features.sorted_weights.head(count - free)), free, count})
          : Penalties(concave);
  Evidence out;
  out.primal = loss->value(eta) + net.value(b);
  out.violation = net.worst_violation(b, c) / r.alphas[k];
  if (!net.convex()) return out;
  double scale = 1.0;
  for (Index i = 0; i < net.units(); ++i) {
    if (!net.unpenalised(i)) scale = std::min(scale, net.feasible_scale(i, c));
  }
  double dual = loss->dual_at(eta, u, scale);
  if (problem.offset.size() > 0) dual -= scale * problem.offset.dot(u);
  for (Index i = 0; i < net.units(); ++i) {
    if (!net.unpenalised(i)) dual -= net.conjugate(i, c, scale * (1.0 - 1e-15));
  }
  out.gap = (out.primal - dual) / (r.null_objective - r.saturated_objective);
  return out;
}

}  // namespace

TEST_CASE("structure: every certificate holds, by brute force over all columns, in every storage") {
  const Index n = 60, p = 300;
  const Storages storages(dosages(n, p, 1));
  for (const std::string& loss : kLosses) {
    Problem problem = make_problem(storages.X, loss, 2);
    for (Index i = 0; i < n; ++i) problem.weights[i] = 1.0 + static_cast<double>(i % 3);
    for (const std::string name : {"group", "group with ridge", "sparse group", "slope", "mcp", "scad"}) {
      Case test = make_case(name, loss, p);
      test.options.n_alphas = 15;
      const bool concave = name == "mcp" || name == "scad";
      test.options.eps = concave ? 0.4 : 0.2;
      test.options.tol = 1e-8;
      test.options.stop_early = false;
      for (const auto& X : storages.designs) {
        CAPTURE(X->kind());
        CAPTURE(name);
        CAPTURE(loss);
        const PathResult r = fit(*X, problem, test);
        REQUIRE(r.alphas.size() == 15);
        CHECK(r.n_active.front() == 0);
        CHECK(r.n_active.back() > 0);
        for (std::size_t k = 0; k < r.alphas.size(); ++k) {
          CAPTURE(k);
          const Evidence e = examine(storages.X, problem, test, r, k);
          CHECK(r.converged[k] == 1);
          CHECK(r.primal[k] == doctest::Approx(e.primal).epsilon(1e-11));
          if (r.locally_convex.empty()) {
            CHECK(e.gap <= test.options.tol * 1.01);
            CHECK(e.gap >= -1e-12);
            CHECK(std::abs(e.gap - r.dual_gaps[k]) <= 1e-10);
          } else {
            CHECK(std::isnan(r.dual[k]));
            CHECK(e.violation <= test.options.tol * 1.01);
            CHECK(std::abs(e.violation - r.dual_gaps[k]) <= 1e-10);
          }
        }
        CHECK(r.locally_convex.empty() == (name != std::string("mcp") && name != std::string("scad")));
      }
    }
  }
}

TEST_CASE("structure: factors, offsets, no intercept, no scaling, every solver") {
  const Index n = 50, p = 120;
  const Mat X = random_matrix(n, p, 3).array() + 0.5;
  const auto design = dense_design(X.data(), n, p, 1, n);
  for (const std::string loss : {"gaussian", "binomial", "cox"}) {
    for (const std::string name : {"group", "sparse group", "slope", "mcp", "scad"}) {
      for (int variant = 0; variant < 6; ++variant) {
        CAPTURE(loss);
        CAPTURE(name);
        CAPTURE(variant);
        Problem problem = make_problem(X, loss, 4);
        Case test = make_case(name, loss, p);
        PathOptions& o = test.options;
        o.n_alphas = 8;
        o.eps = 0.4;
        o.tol = 1e-7;
        o.stop_early = false;
        if (variant == 1) {
          test.features.penalty_factor = Vec::Ones(p);
          test.features.penalty_factor[0] = test.features.penalty_factor[7] = 0.0;
          test.features.penalty_factor[3] = kInfinity;
          if (o.penalty.is<penalties::Mcp>() || o.penalty.is<penalties::Scad>()) test.features.penalty_factor[5] = 0.5;
        }
        if (variant == 2) problem.offset = 0.3 * random_matrix(n, 1, 5);
        if (variant == 3) o.fit_intercept = o.standardize = false;
        if (variant == 4) o.solver = Solver::kDescent;
        if (variant == 5) o.solver = Solver::kProximal;
        if (variant == 5 && loss != std::string("gaussian")) o.tol = 1e-5;
        const PathResult r = fit(*design, problem, test);
        for (std::size_t k = 0; k < r.alphas.size(); ++k) {
          CAPTURE(k);
          const Evidence e = examine(X, problem, test, r, k);
          CHECK(r.converged[k] == 1);
          CHECK((r.locally_convex.empty() ? e.gap : e.violation) <= o.tol * 1.01);
          // Here c of free features is as the solver left it, not zero as a dual point asks.
          CHECK(e.gap >= (variant == 1 ? -1e-8 : -1e-12));
        }
      }
    }
  }
}

TEST_CASE("structure: special cases are the lasso") {
  const Index n = 60, p = 200;
  const Mat X = random_matrix(n, p, 6);
  const auto design = dense_design(X.data(), n, p, 1, n);
  for (const std::string loss : {"gaussian", "binomial", "poisson"}) {
    const Problem problem = make_problem(X, loss, 7);
    Case lasso{"lasso", options_of(loss), {}};
    lasso.options.n_alphas = 20;
    lasso.options.eps = 0.1;
    lasso.options.tol = 1e-10;
    const PathResult expected = fit(*design, problem, lasso);
    for (const std::string name : {"group of one", "sparse group of all", "slope", "mcp", "scad"}) {
      CAPTURE(loss);
      CAPTURE(name);
      Case test{name, lasso.options, {}};
      test.options.penalty = name.starts_with("group") || name.starts_with("sparse") ? "group" : name;
      if (name == "mcp") test.options.penalty = penalties::Mcp{1e10};
      if (name == "scad") test.options.penalty = penalties::Scad{1e10};
      if (test.options.penalty.is<penalties::Group>()) {
        test.features.group.resize(static_cast<std::size_t>(p));
        for (Index j = 0; j < p; ++j) test.features.group[static_cast<std::size_t>(j)] = (j * 77) % p;
        test.features.group_weights = Vec::Ones(p);
      }
      if (name == "sparse group of all") {
        test.options.penalty = penalties::Group{1.0};
        std::fill(test.features.group.begin(), test.features.group.end(), Index{0});
        test.features.group_weights = Vec::Ones(1);
      }
      if (name == "slope") test.features.sorted_weights = Vec::Ones(p);
      const PathResult r = fit(*design, problem, test);
      REQUIRE(r.alphas.size() == expected.alphas.size());
      CHECK(r.alpha_max == doctest::Approx(expected.alpha_max).epsilon(1e-12));
      for (std::size_t k = 0; k < r.alphas.size(); ++k) {
        close(coefficients(r, k, p), coefficients(expected, k, p), 1e-4);
      }
    }
  }
}

TEST_CASE("structure: any number of threads gives the same bits, folds too") {
  const Index n = 80, p = 9000;  // more than a chunk of bounds
  const Mat X = random_matrix(n, p, 8);
  const auto design = dense_design(X.data(), n, p, 1, n);
  for (const std::string name : {"group", "sparse group", "slope", "mcp"}) {
    CAPTURE(name);
    std::vector<Problem> problems(3, make_problem(X, "gaussian", 9));
    for (Index i = 0; i < n; ++i) problems[static_cast<std::size_t>(1 + i % 2)].weights[i] = 0.0;
    Case test = make_case(name, "gaussian", p);
    test.options.n_alphas = 12;
    test.options.eps = 0.3;
    const auto one = fit_paths(*design, problems, test.features, test.options);
    test.options.threads = 3;
    const auto three = fit_paths(*design, problems, test.features, test.options);
    for (std::size_t f = 0; f < one.size(); ++f) {
      CHECK(one[f].coef_values == three[f].coef_values);
      CHECK(one[f].coef_indices == three[f].coef_indices);
      CHECK(one[f].dual_gaps == three[f].dual_gaps);
    }
  }
}

TEST_CASE("structure: a fit that was cut short does not call itself stationary") {
  const Index n = 100, p = 40;
  const Mat X = random_matrix(n, p, 14);
  const auto design = dense_design(X.data(), n, p, 1, n);
  for (const std::string loss : {"gaussian", "binomial"}) {
    const Problem problem = make_problem(X, loss, 15);
    for (const Index max_iter : {1, 5, 1000}) {
      Case test = make_case("mcp", loss, p);
      test.options.max_iter = max_iter;
      test.options.n_alphas = 6;
      test.options.eps = 0.3;
      test.features.penalty_factor = Vec::Ones(p);
      test.features.penalty_factor.head(3).setZero();
      const PathResult r = fit(*design, problem, test);
      for (std::size_t k = 0; k < r.alphas.size(); ++k) {
        CAPTURE(loss);
        CAPTURE(max_iter);
        CHECK(std::abs(examine(X, problem, test, r, k).violation - r.dual_gaps[k]) <= 1e-9);
      }
    }
  }
}

TEST_CASE("structure: groups of ridge have a grid") {
  const Index n = 30, p = 12;
  const Mat X = random_matrix(n, p, 16);
  const auto design = dense_design(X.data(), n, p, 1, n);
  const Problem problem = make_problem(X, "gaussian", 17);
  Case test = make_case("group", "gaussian", p);
  test.options.l1_ratio = 0.0;
  test.options.n_alphas = 5;
  const PathResult r = fit(*design, problem, test);
  CHECK(std::isfinite(r.alpha_max));
  for (std::size_t k = 0; k < r.alphas.size(); ++k) CHECK(examine(X, problem, test, r, k).gap <= 1e-6);
}

TEST_CASE("structure: a common factor, large means and folds do not stop the solvers") {
  const Index n = 120, p = 240;
  Mat X = random_matrix(n, p, 18);
  X = (0.3 * X).colwise() + random_matrix(n, 1, 19).col(0);
  Mat far = random_matrix(n, p, 20);
  for (Index j = 0; j < p; ++j) far.col(j).array() += static_cast<double>(100 + j % 900);
  const auto close_by = dense_design(X.data(), n, p, 1, n), shifted = dense_design(far.data(), n, p, 1, n);
  const Problem problem = make_problem(X, "gaussian", 21);
  for (const double share : {0.0, 0.5}) {
    Case test{"group", options_of("gaussian"), {}};
    test.options.penalty = penalties::Group{share};
    test.options.n_alphas = 30;
    for (Index j = 0; j < p; ++j) test.features.group.push_back(j / 4);
    test.features.group_weights = Vec::Constant(p / 4, 2.0);
    const PathResult r = fit(*close_by, problem, test);
    CHECK(*std::max_element(r.dual_gaps.begin(), r.dual_gaps.end()) <= test.options.tol);
  }
  std::vector<Problem> problems(2, make_problem(far, "gaussian", 22));
  for (Index i = 0; i < n; i += 3) problems[1].weights[i] = 0.0;
  Case test = make_case("slope", "gaussian", p);
  test.options.n_alphas = 20;
  test.options.eps = 0.05;
  for (const PathResult& r : fit_paths(*shifted, problems, test.features, test.options)) {
    CHECK(*std::max_element(r.dual_gaps.begin(), r.dual_gaps.end()) <= test.options.tol);
  }
}

TEST_CASE("structure: SLOPE clusters of very many members take no Gram matrix") {
  const Index n = 40, p = 6000;
  Mat X = random_matrix(n, p, 23);
  X = (0.3 * X).colwise() + random_matrix(n, 1, 24).col(0);
  const auto design = dense_design(X.data(), n, p, 1, n);
  const Problem problem = make_problem(X, "gaussian", 25);
  Case test{"slope", options_of("gaussian"), {}};
  test.options.penalty = "slope";
  test.options.n_alphas = 5;
  test.options.eps = 0.5;
  test.features.sorted_weights = Vec::LinSpaced(p, 1.0, 1e-3);
  const PathResult r = fit(*design, problem, test);
  CHECK(r.counters.memory < 6.0 * static_cast<double>(n * p) * sizeof(double));
  for (std::size_t k = 0; k < r.alphas.size(); ++k) CHECK(examine(X, problem, test, r, k).gap <= 1.01e-6);
}

TEST_CASE("structure: a large group takes the way without eigenvectors") {
  const Index n = 40, p = 700;
  const Mat X = random_matrix(n, p, 10);
  const auto design = dense_design(X.data(), n, p, 1, n);
  const Problem problem = make_problem(X, "gaussian", 11);
  for (const double share : {0.0, 0.3}) {
    Case test{"group", options_of("gaussian"), {}};
    test.options.penalty = penalties::Group{share};
    test.options.n_alphas = 6;
    test.options.eps = 0.5;
    for (Index j = 0; j < p; ++j) test.features.group.push_back(j < 300 ? 0 : 1 + j % 100);
    test.features.group_weights = Vec::Ones(101);
    test.features.group_weights[0] = 4.0;
    const PathResult r = fit(*design, problem, test);
    CHECK(r.n_active.back() >= (share == 0.0 ? 300 : 20));
    for (std::size_t k = 0; k < r.alphas.size(); ++k) {
      CHECK(examine(X, problem, test, r, k).gap <= test.options.tol * 1.01);
    }
  }
}

TEST_CASE("structure: refuses what it cannot do") {
  const Mat X = random_matrix(10, 4, 12);
  const auto design = dense_design(X.data(), 10, 4, 1, 10);
  const Problem problem = make_problem(X, "gaussian", 13);
  const auto refused = [&](const std::string& name, const std::function<void(Case&)>& spoil, const char* why) {
    Case test = make_case(name, "gaussian", 4);
    const auto spoiled = [&] {
      spoil(test);
      fit(*design, problem, test);
    };
    CHECK_THROWS_WITH_AS(spoiled(), doctest::Contains(why), std::invalid_argument);
  };
  refused(
      "mcp", [](Case& c) { c.options.penalty = "cap"; },
      "penalty must be \"elastic_net\", \"group\", \"mcp\", \"scad\" or \"slope\", got \"cap\"");
  refused("mcp", [](Case& c) { c.options.penalty = penalties::Mcp{1.0}; }, "gamma must be finite and > 1");
  refused("scad", [](Case& c) { c.options.penalty = penalties::Scad{2.0}; }, "gamma must be finite and > 2");
  refused("mcp", [](Case& c) { c.options.l1_ratio = 0.5; }, "l1_ratio must be 1");
  refused("mcp", [](Case& c) { c.options.solver = Solver::kActiveSet; }, "solver \"active_set\"");
  refused("mcp", [](Case& c) { c.features.lower = Vec::Zero(4); }, "lower and upper");
  refused("group", [](Case& c) { c.features.penalty_factor = Vec::Constant(4, 2.0); }, "penalty_factor must be 0, 1");
  refused("group", [](Case& c) { c.features.group.pop_back(); }, "group must have one number");
  refused("group", [](Case& c) { c.features.group[0] = 9; }, "numbers of group_weights");
  refused("group", [](Case& c) { c.features.group_weights[0] = 0.0; }, "group_weights must be");
  refused("group", [](Case& c) { c.options.penalty = penalties::Group{1.5}; }, "l1_within_ratio");
  refused("slope", [](Case& c) { c.features.sorted_weights = Vec::Ones(3); }, "sorted_weights must have one");
  refused("slope", [](Case& c) { c.features.sorted_weights = Vec::LinSpaced(4, 0.0, 1.0); }, "in decreasing order");
  refused("slope", [](Case& c) { c.features.sorted_weights = Vec::Zero(4); }, "not all be zero");
}
