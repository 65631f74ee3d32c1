#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "path/fit_in_parts.hpp"
#include "path_problems.hpp"
#include "same_paths.hpp"

using namespace riata;
using namespace riata::check;

namespace {

/// Whether two paths of one problem are solutions to the same tolerance: primal values, which a gap bounds from below,
/// of the same alphas.
void same_solutions(const PathResult& a, const PathResult& b, double tol) {
  REQUIRE(a.alphas.size() == b.alphas.size());
  const double unit = a.null_objective - a.saturated_objective;
  for (std::size_t k = 0; k < a.alphas.size(); ++k) {
    CAPTURE(k);
    CHECK(a.alphas[k] == doctest::Approx(b.alphas[k]).epsilon(1e-12));
    CHECK(std::abs(a.primal[k] - b.primal[k]) <= 2.0 * tol * unit);
    CHECK(b.dual_gaps[k] <= tol);
    CHECK(b.converged[k]);
  }
}

PathOptions long_path(Index alphas, Index alphas_per_pass) {
  PathOptions options;
  options.n_alphas = alphas;
  options.eps = 0.05;
  options.stop_early = false;
  options.alphas_per_pass = alphas_per_pass;
  return options;
}

}  // namespace

TEST_CASE("several alphas a pass: few rounds, and less of X read") {
  const Storages storages(dosages(250, 6000, 81));
  const std::vector<Problem> problems{make_problem(storages.X, "gaussian", 7)};
  for (const auto& design : storages.designs) {
    CAPTURE(design->kind());
    const auto one = fit_paths(*design, problems, {}, long_path(100, 1)).front();
    const auto ten = fit_paths(*design, problems, {}, long_path(100, 10)).front();
    same_solutions(one, ten, 1e-6);
    CAPTURE(one.counters.passes);
    CAPTURE(ten.counters.passes);
    CHECK(one.counters.rounds >= 100);
    CHECK(ten.counters.rounds <= 20);
    CHECK(ten.counters.passes < one.counters.passes);
  }
}

TEST_CASE("several alphas a pass: the same bits however columns are divided, and for any number of threads") {
  const Storages storages(dosages(70, 300, 82));
  const Index p = storages.X.cols();
  const std::vector<std::pair<std::string, std::string>> cases{{"gaussian", ""},
                                                               {"binomial", ""},
                                                               {"poisson", ""},
                                                               {"cox", ""},
                                                               {"multigaussian", ""},
                                                               {"multinomial", ""},
                                                               {"multinomial grouped", ""},
                                                               {"gaussian", "mcp"},
                                                               {"gaussian", "group"},
                                                               {"gaussian", "elastic net"},
                                                               {"gaussian", "bounds"},
                                                               {"multigaussian", "group"},
                                                               {"gaussian", "factors"}};
  for (const auto& [loss, kind] : cases) {
    CAPTURE(loss);
    CAPTURE(kind);
    PathOptions options = quick(loss);
    options.alphas_per_pass = 6;
    Features features;
    if (kind == "elastic net") options.l1_ratio = 0.5;
    if (kind == "mcp") options.penalty = "mcp";
    if (kind == "group") {
      options.penalty = "group";
      for (Index j = 0; j < p; ++j) features.group.push_back(j / 4);
      features.group_weights = Vec::Constant(p / 4, 2.0);
    }
    if (kind == "bounds") features.lower = Vec::Constant(p, -0.05);
    if (kind == "factors") {
      features.penalty_factor = Vec::Ones(p);
      features.penalty_factor[3] = 0.0;
      features.penalty_factor[200] = std::numeric_limits<double>::infinity();
    }
    std::vector<Problem> problems{make_problem(storages.X, std::string(options.loss.name()), 4)};
    if (!loss.starts_with("multi") && loss != "cox") problems = with_folds(problems.front(), 3);
    for (const std::size_t storage : {std::size_t{0}, std::size_t{2}}) {
      const Design& X = *storages.designs[storage];
      options.threads = 1;
      const auto whole = fit_paths_in_parts(X, problems, features, options, 1);
      CHECK(whole.front().counters.rounds < options.n_alphas);
      for (const Index parts : {2, 3, 7}) {
        CAPTURE(parts);
        options.threads = parts == 3 ? 2 : 1;
        CHECK(same(fit_paths_in_parts(X, problems, features, options, parts), whole));
      }
      if (kind == "mcp") continue;  // local minima
      PathOptions alone = options;
      alone.alphas_per_pass = 1;
      const auto single = fit_paths(X, problems, features, alone);
      for (std::size_t f = 0; f < whole.size(); ++f) same_solutions(single[f], whole[f], options.tol);
    }
  }
}

TEST_CASE("several alphas a pass end a path where one would") {
  const Storages storages(dosages(80, 400, 83));
  const Design& X = *storages.designs[2];
  for (const std::string rule : {"max_active", "deviance", "patience", "progress"}) {
    CAPTURE(rule);
    std::vector<Problem> problems{make_problem(storages.X, "gaussian", 9)};
    const auto fit = [&](Index alphas_per_pass) {
      PathOptions options = long_path(60, alphas_per_pass);
      if (rule == "max_active") options.max_active = 11;
      if (rule == "deviance") {
        options.stop_early = true;
        options.eps = 1e-4;
      }
      Index told = 0;
      if (rule == "progress") {
        options.progress = [](Index done, Index, double, Index, double, double) { return done < 13; };
      }
      if (rule == "patience") {
        problems = with_folds(problems.front(), 2);
        options.keep_linear_predictor = true;
        options.patience = 3;
        options.held_out = [&](Index, double, const std::vector<Vec>&) {
          ++told;
          return HeldOutScore{std::abs(static_cast<double>(told) - 10.0), 0.5};
        };
      }
      const PathResult out = fit_paths(X, problems, {}, options).front();
      if (rule == "patience") CHECK(told == static_cast<Index>(out.alphas.size()));
      return out;
    };
    const PathResult one = fit(1), several = fit(16);
    CHECK(one.stopped == rule);
    CHECK(several.stopped == rule);
    CHECK(one.alphas.size() < 60);
    CHECK(several.counters.rounds < one.counters.rounds);
    same_solutions(one, several, 1e-6);
    CHECK(one.n_active == several.n_active);
    problems.resize(1);
  }
}

TEST_CASE("several alphas a pass keep within the memory allowed") {
  const Storages storages(dosages(400, 500, 84));
  const std::vector<Problem> problems{make_problem(storages.X, "gaussian", 9)};
  PathOptions options = long_path(40, 32);
  const auto free = fit_paths(*storages.designs[2], problems, {}, options).front();
  options.alphas_per_pass = 1;
  const double least = fit_paths(*storages.designs[2], problems, {}, options).front().counters.memory;
  options.alphas_per_pass = 32;
  options.memory = 0.8 * least + 0.2 * free.counters.memory;
  const auto bound = fit_paths(*storages.designs[2], problems, {}, options).front();
  CHECK(bound.counters.memory <= options.memory);
  CHECK(free.counters.memory > 1.1 * options.memory);
  same_solutions(free, bound, 1e-6);  // the whole path, by fewer alphas at a time
}

TEST_CASE("SLOPE takes one alpha a pass, whatever is asked") {
  const Storages storages(dosages(60, 100, 85));
  const std::vector<Problem> problems{make_problem(storages.X, "gaussian", 9)};
  Features features;
  features.sorted_weights = Vec::LinSpaced(100, 2.0, 1.0);
  PathOptions options = quick("gaussian");
  options.penalty = "slope";
  const auto one = fit_paths(*storages.designs[0], problems, features, options);
  options.alphas_per_pass = 8;
  CHECK(same(fit_paths(*storages.designs[0], problems, features, options), one));
}
