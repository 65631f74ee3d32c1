#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "check_design.hpp"
#include "checkpoint/checkpoint.hpp"
#include "io/atomic_file.hpp"
#include "path_problems.hpp"
#include "riata/api.hpp"
#include "riata/design/dense.hpp"
#include "riata/error.hpp"

using namespace riata;
using check::dosages;
using check::make_problem;
using check::Storages;
namespace fs = std::filesystem;

namespace {

/// An empty folder that goes when the test ends.
struct Folder {
  Folder() : path(fs::temp_directory_path() / ("riata_" + std::to_string(std::random_device{}()))) {
    fs::create_directory(path);
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string file(const std::string& name) const { return (path / name).string(); }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), fs::directory_iterator()));
  }

  fs::path path;
};

/// Everything of a result but clocks, to the bit.
void same_bits(const PathResult& a, const PathResult& b) {
  CHECK(a.alphas == b.alphas);
  CHECK(a.coef_indptr == b.coef_indptr);
  CHECK(a.coef_indices == b.coef_indices);
  CHECK(a.coef_values == b.coef_values);
  CHECK(a.intercepts == b.intercepts);
  CHECK(a.primal == b.primal);
  if (a.locally_convex.empty()) CHECK(a.dual == b.dual);  // else NaN
  CHECK(a.locally_convex == b.locally_convex);
  CHECK(a.dual_gaps == b.dual_gaps);
  CHECK(a.deviance_ratio == b.deviance_ratio);
  CHECK(a.converged == b.converged);
  CHECK(a.n_active == b.n_active);
  CHECK(a.n_iter == b.n_iter);
  CHECK(a.solver == b.solver);
  CHECK(a.alpha_max == b.alpha_max);
  CHECK(a.null_objective == b.null_objective);
  CHECK(a.saturated_objective == b.saturated_objective);
  CHECK(a.mean == b.mean);
  CHECK(a.scale == b.scale);
  CHECK(a.stopped == b.stopped);
  CHECK(a.linear_predictor.cols() == b.linear_predictor.cols());
  CHECK((a.linear_predictor.array() == b.linear_predictor.array()).all());
  CHECK(a.counters.memory == b.counters.memory);
  CHECK(a.counters.columns_streamed == b.counters.columns_streamed);
  CHECK(a.counters.passes == b.counters.passes);
  CHECK(a.counters.products == b.counters.products);
  CHECK(a.counters.columns_gathered == b.counters.columns_gathered);
  CHECK(a.counters.rounds == b.counters.rounds);
  CHECK(a.counters.violators == b.counters.violators);
  CHECK(a.counters.newton_steps == b.counters.newton_steps);
  CHECK(a.counters.factor_updates == b.counters.factor_updates);
  CHECK(a.counters.cd_updates == b.counters.cd_updates);
  CHECK(a.counters.prox_steps == b.counters.prox_steps);
}

void same_bits(const std::vector<PathResult>& a, const std::vector<PathResult>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t f = 0; f < a.size(); ++f) same_bits(a[f], b[f]);
}

/// Runs with a checkpoint after every batch of lambdas, goes on from the first, the last and every third of them, and
/// compares with a run that has none. `again` is the same X, elsewhere in memory perhaps. Returns how many there were.
std::size_t resume_from_each(const Design& X, const Design& again, const std::vector<Problem>& problems,
                             const Features& features, PathOptions options) {
  const Folder folder;
  const auto expected = fit_paths(X, problems, features, options);
  options.checkpoint = folder.file("state");
  options.checkpoint_seconds = 0.0;
  std::vector<std::string> copies;
  Index last = -1;
  options.progress = [&](Index, Index, double, Index, double, double) {
    if (!fs::exists(options.checkpoint)) return true;
    const Index done = checkpoint_progress(options.checkpoint).done;
    if (done == last) return true;
    last = done;
    copies.push_back(folder.file(std::to_string(done)));
    fs::copy_file(options.checkpoint, copies.back());
    return true;
  };
  same_bits(expected, fit_paths(X, problems, features, options));
  CHECK_FALSE(fs::exists(options.checkpoint));
  options.threads = 3 - options.threads;
  for (std::size_t i = 0; i < copies.size(); ++i) {
    if (i % 3 != 0 && i + 1 != copies.size()) continue;
    fs::copy_file(copies[i], options.checkpoint);
    const CheckpointProgress left = checkpoint_progress(options.checkpoint);
    const auto leads = [&](const Problem& problem) {
      return &problem == &problems[static_cast<std::size_t>(problem.leader)];
    };
    CHECK(left.total == options.count() * std::count_if(problems.begin(), problems.end(), leads));
    Index first = -1;
    options.progress = [&](Index done, Index, double, Index, double, double) {
      if (first < 0) first = done;
      return true;
    };
    same_bits(expected, fit_paths(again, problems, features, options));
    CHECK(first == left.done + 1);  // nothing that was done is done again
    CHECK_FALSE(fs::exists(options.checkpoint));
  }
  CHECK(folder.files() == copies.size());  // nothing else is left
  return copies.size();
}

PathOptions options_for(const std::string& loss) {
  PathOptions options = check::options_of(loss);
  options.n_alphas = 14;
  options.eps = 0.05;
  return options;
}

/// The problem with the rows of one fold of three left out of each copy but the first.
std::vector<Problem> with_folds(const Problem& problem) {
  std::vector<Problem> out(4, problem);
  for (Index f = 0; f < 3; ++f) {
    for (Index i = f; i < problem.weights.size(); i += 3) out[static_cast<std::size_t>(f + 1)].weights[i] = 0.0;
  }
  return out;
}

}  // namespace

TEST_CASE("a fit goes on from a checkpoint to the same bits, for every storage, loss and shape") {
  for (const Index p : {40, 300}) {
    const Storages storages(dosages(90, p, 3));
    for (const std::string loss : {"gaussian", "binomial", "poisson", "cox"}) {
      const Problem problem = make_problem(storages.X, loss, 5);
      for (const auto& design : storages.designs) {
        for (const double l1_ratio : {1.0, 0.5}) {
          CAPTURE(p);
          CAPTURE(loss);
          CAPTURE(design->kind());
          CAPTURE(l1_ratio);
          PathOptions options = options_for(loss);
          options.l1_ratio = l1_ratio;
          options.n_alphas = p < 90 && loss == "gaussian" ? 90 : 14;  // batches of 32
          CHECK(resume_from_each(*design, *design, {problem}, {}, options) >= 2);
        }
      }
    }
  }
}

TEST_CASE("a fit of several alphas a pass goes on from a checkpoint to the same bits") {
  const Storages storages(dosages(90, 300, 3));
  for (const std::string loss : {"gaussian", "cox", "folds"}) {
    const Problem problem = make_problem(storages.X, loss == "folds" ? "gaussian" : loss, 5);
    for (const auto& design : storages.designs) {
      CAPTURE(loss);
      CAPTURE(design->kind());
      PathOptions options = options_for(loss == "folds" ? "gaussian" : loss);
      options.n_alphas = 60;
      options.alphas_per_pass = 12;
      options.stop_early = false;
      const auto problems = loss == "folds" ? with_folds(problem) : std::vector<Problem>{problem};
      CHECK(resume_from_each(*design, *design, problems, {}, options) >= 4);
    }
  }
}

TEST_CASE("a fit that held-out rows end goes on from a checkpoint to the same end") {
  for (const Index p : {40, 300}) {
    for (const bool every_row : {false, true}) {
      CAPTURE(p);
      CAPTURE(every_row);
      const Mat X = dosages(90, p, 3);
      const auto design = dense_design(X.data(), 90, p, 1, 90);
      std::vector<Problem> problems = with_folds(make_problem(X, "gaussian", 5));
      problems[2].leader = problems[3].leader = 2;
      PathOptions options = options_for("gaussian");
      options.n_alphas = 40;
      options.keep_linear_predictor = !every_row;
      options.tell_every_row = every_row;
      options.patience = 4;
      options.held_out = [&](Index leader, double alpha, const std::vector<Vec>& predictors) {
        // made up, but of the predictions: the worse the further they are from some level
        const Vec& eta = predictors[static_cast<std::size_t>(leader + 1)];
        const double spread = (eta.array() - eta.mean()).square().mean();
        return HeldOutScore{std::abs(spread - (leader == 0 ? 0.2 : 0.1)) + 1e-3 * alpha, 1e-3};
      };
      const auto fits = fit_paths(*design, problems, {}, options);
      CHECK(fits[0].stopped == "patience");
      CHECK(fits[2].stopped == "patience");
      CHECK(fits[0].alphas.size() != fits[2].alphas.size());
      CHECK(resume_from_each(*design, *design, problems, {}, options) > 1);
    }
  }
}

TEST_CASE("a fit whose scorer throws goes on from its checkpoint") {
  const Mat X = dosages(90, 60, 3);
  const auto design = dense_design(X.data(), 90, 60, 1, 90);
  for (const Index patience : {0, 4}) {
    for (const bool every_row : {false, true}) {
      CAPTURE(patience);
      CAPTURE(every_row);
      const std::vector<Problem> problems = with_folds(make_problem(X, "gaussian", 5));
      PathOptions options = options_for("gaussian");
      options.n_alphas = 40;
      options.keep_linear_predictor = !every_row;
      options.tell_every_row = every_row;
      options.patience = patience;
      Index calls = 0, last = -1;
      double seen = 0.0;
      options.held_out = [&](Index, double, const std::vector<Vec>& predictors) {
        if (calls++ == last) throw std::runtime_error("enough");
        seen += predictors[1].squaredNorm();
        return HeldOutScore{1.0 / (1.0 + static_cast<double>(calls)), 1e-3};
      };
      const auto whole = fit_paths(*design, problems, {}, options);
      const double all = seen;
      const Folder folder;
      options.checkpoint = folder.file("fit");
      calls = 0, last = 6, seen = 0.0;
      CHECK_THROWS_WITH_AS(fit_paths(*design, problems, {}, options), "enough", std::runtime_error);
      CHECK(folder.files() == 1);
      const auto rest = fit_paths(*design, problems, {}, options);
      for (std::size_t k = 0; k < whole.size(); ++k) CHECK(rest[k].coef_values == whole[k].coef_values);
      CHECK(seen == doctest::Approx(all).epsilon(1e-12));
    }
  }
}

TEST_CASE("a fit goes on from a checkpoint to the same bits with every solver") {
  const Storages storages(dosages(80, 240, 11));
  for (const std::string loss : {"gaussian", "binomial", "cox"}) {
    const Problem problem = make_problem(storages.X, loss, 6);
    for (const Solver solver : {Solver::kAuto, Solver::kActiveSet, Solver::kDescent, Solver::kProximal}) {
      CAPTURE(loss);
      CAPTURE(solver);
      PathOptions options = options_for(loss);
      options.solver = solver;
      options.threads = 2;
      CHECK(resume_from_each(*storages.designs[0], *storages.designs[0], {problem}, {}, options) >= 8);
    }
  }
}

TEST_CASE("folds go on from a checkpoint to the same bits, with what is kept of their held-out rows") {
  for (const Index p : {30, 200}) {
    const Storages storages(dosages(120, p, 21));
    for (const std::string loss : {"gaussian", "binomial", "cox"}) {
      for (const auto& design : storages.designs) {
        CAPTURE(p);
        CAPTURE(loss);
        CAPTURE(design->kind());
        PathOptions options = options_for(loss);
        options.keep_linear_predictor = true;
        const auto problems = with_folds(make_problem(storages.X, loss, 7));
        CHECK(resume_from_each(*design, *design, problems, {}, options) >= (p > 120 ? 8u : 0u));
      }
    }
  }
}

TEST_CASE("penalty factors, bounds and offsets are part of what goes on") {
  const Storages storages(dosages(80, 200, 31));
  Features features;
  features.penalty_factor = Vec::Ones(200);
  features.penalty_factor[0] = features.penalty_factor[7] = 0.0;
  features.penalty_factor[9] = std::numeric_limits<double>::infinity();
  features.penalty_factor[20] = 0.3;
  features.lower = Vec::Constant(200, -0.4);
  features.upper = Vec::Constant(200, 0.3);
  features.lower[0] = -std::numeric_limits<double>::infinity();
  features.upper[0] = std::numeric_limits<double>::infinity();
  for (const std::string loss : {"gaussian", "binomial", "cox"}) {
    for (const bool standardize : {true, false}) {
      Problem problem = make_problem(storages.X, loss, 8);
      problem.offset = 0.1 * check::random_matrix(80, 1, 9);
      problem.weights = check::random_matrix(80, 1, 10).cwiseAbs();
      CAPTURE(loss);
      CAPTURE(standardize);
      PathOptions options = options_for(loss);
      options.standardize = standardize;
      CHECK(resume_from_each(*storages.designs[0], *storages.designs[0], {problem}, features, options) >= 8);
      CHECK(resume_from_each(*storages.designs[2], *storages.designs[2], {problem}, features, options) >= 8);
    }
  }
}

TEST_CASE("fits of several outputs go on from a checkpoint to the same bits") {
  const Index n = 50, p = 150;
  const Storages storages(dosages(n, p, 61));
  Features features;
  features.penalty_factor = Vec::Ones(p);
  features.penalty_factor[1] = 0.0;
  features.penalty_factor[2] = std::numeric_limits<double>::infinity();
  for (const std::string name : {"multigaussian", "multinomial", "multinomial grouped"}) {
    CAPTURE(name);
    const Problem problem = make_problem(storages.X, name, 62);
    PathOptions options = options_for(name);
    options.n_alphas = 6;
    options.eps = 0.2;
    options.keep_linear_predictor = true;
    const Design &X = *storages.designs[0], &packed = *storages.designs[2];
    CHECK(resume_from_each(X, X, {problem}, {}, options) >= 3);
    options.solver = Solver::kDescent;
    CHECK(resume_from_each(X, X, {problem}, {}, options) >= 3);
    options.solver = Solver::kAuto;
    options.l1_ratio = 0.5;
    CHECK(resume_from_each(packed, packed, {with_folds(problem)[0], with_folds(problem)[1]}, features, options) >= 3);
  }
}

TEST_CASE("fits with every penalty go on from a checkpoint to the same bits") {
  const Index n = 50, p = 160;
  const Mat X = check::random_matrix(n, p, 31);
  const auto design = dense_design(X.data(), n, p, 1, n);
  for (const std::string loss : {"gaussian", "binomial"}) {
    const Problem problem = make_problem(X, loss, 32);
    for (const std::string penalty : {"group", "mcp", "scad", "slope"}) {
      CAPTURE(loss);
      CAPTURE(penalty);
      PathOptions options = check::options_of(loss);
      options.penalty = penalty;
      if (penalty == "group") options.penalty = penalties::Group{loss == std::string("binomial") ? 0.3 : 0.0};
      if (penalty == "mcp") options.penalty = penalties::Mcp{3.7};
      if (penalty == "scad") options.penalty = penalties::Scad{3.7};
      options.n_alphas = 8;
      options.eps = 0.3;
      Features features;
      if (penalty == "group") {
        for (Index j = 0; j < p; ++j) features.group.push_back(j * 7 % 40);
        features.group_weights = Vec::Constant(40, 2.0);
      }
      if (penalty == "slope") features.sorted_weights = Vec::LinSpaced(p, 1.5, 0.5);
      CHECK(resume_from_each(*design, *design, {problem}, features, options) >= 5);
    }
  }
}

TEST_CASE("a dense X that a copy is made of may lie elsewhere in memory") {
  const Index n = 150, p = 500;
  const Mat X = check::random_matrix(n, p, 41);
  Vec shifted(n * p + 3);
  std::copy_n(X.data(), n * p, shifted.data() + 3);
  const auto here = dense_design(X.data(), n, p, 1, n), there = dense_design(shifted.data() + 3, n, p, 1, n);
  for (const std::string loss : {"gaussian", "binomial", "cox"}) {
    CAPTURE(loss);
    PathOptions options = options_for(loss);
    options.n_alphas = 30;
    options.eps = 0.01;  // down to many active features, whose columns lie in several blocks
    CHECK(resume_from_each(*here, *there, {make_problem(X, loss, 4)}, {}, options) >= 15);
    CHECK(resume_from_each(*here, *there, with_folds(make_problem(X, loss, 4)), {}, options) >= 15);
  }
}

TEST_CASE("a path that memory ends does so at the same alpha when it is resumed") {
  const Storages storages(dosages(120, 700, 3));
  for (std::size_t k = 0; k < storages.designs.size(); ++k) {
    CAPTURE(k);
    const Design& X = *storages.designs[k];
    PathOptions options = options_for("gaussian");
    options.n_alphas = 40;
    options.eps = 0.01;
    const Problem problem = make_problem(storages.X, "gaussian", 5);
    const PathResult whole = fit_paths(X, {problem}, {}, options).front();
    options.memory = 0.9 * whole.counters.memory;
    const PathResult part = fit_paths(X, {problem}, {}, options).front();
    CHECK(part.stopped == "memory");
    CHECK(part.alphas.size() < whole.alphas.size());
    CHECK(resume_from_each(X, X, {problem}, {}, options) >= 5);
  }
}

TEST_CASE("blocks of the bounds that were forgotten are forgotten by a fit that goes on") {
  const Mat X = check::random_matrix(60, 1500, 51);
  const auto design = dense_design(X.data(), 60, 1500, 1, 60);
  PathOptions options = options_for("gaussian");
  options.n_alphas = 100;  // more than the blocks that are kept
  options.eps = 0.01;
  options.stop_early = false;
  CHECK(resume_from_each(*design, *design, {make_problem(X, "gaussian", 4)}, {}, options) >= 64);
}

TEST_CASE("a path that progress stops can go on; the alpha it stopped at is told again") {
  const Folder folder;
  const Storages storages(dosages(90, 40, 3));
  for (const std::string loss : {"gaussian", "binomial", "cox"}) {
    const Problem problem = make_problem(storages.X, loss, 5);
    PathOptions options = options_for(loss);
    options.n_alphas = 50;
    const auto expected = fit_paths(*storages.designs[0], {problem}, {}, options);
    options.checkpoint = folder.file("state");
    Index first = 0;
    options.progress = [](Index done, Index, double, Index, double, double) { return done < 7; };
    const auto part = fit_paths(*storages.designs[0], {problem}, {}, options);
    CHECK(part.front().alphas.size() == 7);
    CHECK(part.front().stopped == "progress");
    REQUIRE(fs::exists(options.checkpoint));
    options.progress = [&](Index done, Index, double, Index, double, double) -> bool {
      if (first == 0) first = done;
      if (done == 20) throw std::runtime_error("enough");
      return true;
    };
    CHECK_THROWS_WITH_AS(fit_paths(*storages.designs[0], {problem}, {}, options), "enough", std::runtime_error);
    CHECK(first == 7);
    REQUIRE(fs::exists(options.checkpoint));
    CHECK(checkpoint_progress(options.checkpoint).done == 19);
    options.progress = nullptr;
    same_bits(expected, fit_paths(*storages.designs[0], {problem}, {}, options));
    CHECK(folder.files() == 0);
  }
}

TEST_CASE("a checkpoint kept at the end holds the whole path, however it ended") {
  const Storages storages(dosages(90, 40, 3));
  const Problem problem = make_problem(storages.X, "gaussian", 5);
  for (const int end : {0, 1, 2}) {
    CAPTURE(end);
    const Folder folder;
    PathOptions options = options_for("gaussian");
    options.n_alphas = 70;
    if (end == 1) options.max_active = 9;
    if (end == 2) options.eps = 1e-9;  // saturated long before
    const auto expected = fit_paths(*storages.designs[0], {problem}, {}, options);
    options.checkpoint = folder.file("state");
    options.keep_checkpoint = true;
    same_bits(expected, fit_paths(*storages.designs[0], {problem}, {}, options));
    REQUIRE(fs::exists(options.checkpoint));
    Index told = 0;
    options.progress = [&](Index, Index, double, Index, double, double) { return ++told > 0; };
    same_bits(expected, fit_paths(*storages.designs[0], {problem}, {}, options));
    CHECK(told <= 1);
    options.keep_checkpoint = false;
    same_bits(expected, fit_paths(*storages.designs[0], {problem}, {}, options));
    CHECK(folder.files() == 0);
  }
}

TEST_CASE("a checkpoint of another fit is refused, and kept") {
  const Folder folder;
  Mat X = dosages(60, 100, 3);
  const auto design = dense_design(X.data(), 60, 100, 1, 60);
  const Problem problem = make_problem(X, "gaussian", 5);
  PathOptions options = options_for("gaussian");
  options.checkpoint = folder.file("state");
  options.progress = [](Index done, Index, double, Index, double, double) { return done < 5; };
  fit_paths(*design, {problem}, {}, options);
  REQUIRE(fs::exists(options.checkpoint));

  const auto refused = [&](const Design& x, const Problem& given, const PathOptions& o, const Features& features,
                           const char* what) {
    const std::string message = "checkpoint '" + options.checkpoint +
                                "' was made by another fit; what differs: " + what +
                                ". Give what was given then, or remove the file to start anew";
    CHECK_THROWS_WITH_AS(fit_paths(x, {given}, features, o), message.c_str(), std::invalid_argument);
    CHECK(fs::exists(options.checkpoint));
    CHECK(folder.files() == 1);
  };
  const Eigen::Matrix<std::int8_t, -1, -1> small = X.cast<std::int8_t>();
  refused(*dense_design(small.data(), 60, 100, 1, 60), problem, options, {}, "the kind of X");
  Problem other = problem;
  other.y[3] += 1e-12;
  refused(*design, other, options, {}, "y");
  PathOptions changed = options;
  changed.tol = 1e-7;
  refused(*design, problem, changed, {}, "tol");
  changed.solver = Solver::kDescent;
  refused(*design, problem, changed, {}, "solver and tol");
  changed = options;
  changed.n_alphas = 15;
  refused(*design, problem, changed, {}, "alphas");
  refused(*design, problem, options, {Vec::Ones(100), {}, {}}, "penalty_factor");
  refused(*dense_design(X.data(), 60, 99, 1, 60), problem, options, {}, "the shape of X");
  std::swap(X(2, 40), X(5, 40));  // the same means and variances
  while (X(2, 40) == X(5, 40)) X(2, 40) += 1.0;
  refused(*design, problem, options, {}, "the values of X");
}

namespace {

/// Options with one more, listed where the others are.
struct MoreOptions : PathOptions {
  double temper = 1.0;
  bool loud = false;

  template <class Self, class Visit>
  static void describe(Self& self, Visit&& visit) {
    PathOptions::describe(self, visit);
    visit(Option{"temper", kNotNegative}, self.temper);
    visit(Option{"loud", kAnything, false}, self.loud);
  }
};

}  // namespace

TEST_CASE("an option that is added where options are described is one that a checkpoint is refused for") {
  const Folder folder;
  MoreOptions options;
  options.checkpoint = folder.file("state");
  const auto identity = [](const MoreOptions& o) {
    Identity out;
    out.add_options(o);
    return out;
  };
  double state = 42.0, again = 0.0;
  Checkpoint(options, identity(options)).save(state, {1, 2});
  MoreOptions other = options;
  other.loud = true;
  Checkpoint same(other, identity(other));
  CHECK(same.found());
  same.load(again);
  CHECK(again == 42.0);
  other.temper = 2.0;
  CHECK_THROWS_WITH_AS(Checkpoint(other, identity(other)), doctest::Contains("what differs: temper. Give"),
                       std::invalid_argument);
  other.loss = losses::Huber{1.0};
  CHECK_THROWS_WITH_AS(Checkpoint(other, identity(other)),
                       doctest::Contains("what differs: loss, huber_delta and temper. Give"), std::invalid_argument);
}

TEST_CASE("what belongs to survival times is part of what goes on, and of what a checkpoint is refused for") {
  const Folder folder;
  const Mat X = dosages(60, 100, 3);
  const auto design = dense_design(X.data(), 60, 100, 1, 60);
  Problem problem = make_problem(X, "cox", 5);
  problem.survival.start = problem.y.array() - 20.0;
  PathOptions options = options_for("cox");
  CHECK(resume_from_each(*design, *design, {problem}, {}, options) >= 8);
  options.checkpoint = folder.file("state");
  options.progress = [](Index done, Index, double, Index, double, double) { return done < 5; };
  fit_paths(*design, {problem}, {}, options);
  const auto refused = [&](const Survival& survival, const char* what) {
    Problem other = problem;
    other.survival = survival;
    CHECK_THROWS_WITH_AS(fit_paths(*design, {other}, {}, options),
                         doctest::Contains(("what differs: " + std::string(what) + ". Give").c_str()),
                         std::invalid_argument);
  };
  Survival other = problem.survival;
  other.event[3] = 1.0 - other.event[3];
  refused(other, "y");
  other = problem.survival;
  other.start[3] -= 1.0;
  refused(other, "start");
  other = problem.survival;
  other.stratum = Vec();
  refused(other, "strata");
  other.efron = false;
  refused(other, "strata and ties");
}

TEST_CASE("a file that is damaged, or no checkpoint, is refused, and kept as it is") {
  const Folder folder;
  const Mat X = dosages(60, 100, 3);
  const auto design = dense_design(X.data(), 60, 100, 1, 60);
  const Problem problem = make_problem(X, "gaussian", 5);
  PathOptions options = options_for("gaussian");
  options.checkpoint = folder.file("state");
  options.progress = [](Index done, Index, double, Index, double, double) { return done < 5; };
  fit_paths(*design, {problem}, {}, options);
  std::string good;
  {
    std::ifstream in(options.checkpoint, std::ios::binary);
    good.assign(std::istreambuf_iterator<char>(in), {});
  }
  const auto refused = [&](const std::string& content) {
    std::ofstream(options.checkpoint, std::ios::binary) << content;
    CHECK_THROWS_AS(fit_paths(*design, {problem}, {}, options), FileError);
    CHECK_THROWS_AS(checkpoint_progress(options.checkpoint), FileError);
    CHECK(fs::file_size(options.checkpoint) == content.size());
    CHECK(folder.files() == 1);
  };
  for (const std::size_t at : {std::size_t{0}, std::size_t{9}, good.size() / 2, good.size() - 1}) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 16);
    refused(bad);
  }
  refused(good.substr(0, good.size() - 8));
  refused(good.substr(0, 12));
  refused(good + std::string(8, '\0'));
  refused("");
  refused("a file of somebody's that is not to be lost");
}

TEST_CASE("a checkpoint that cannot be written is refused before any work") {
  const Folder folder;
  const Mat X = dosages(60, 100, 3);
  const auto design = dense_design(X.data(), 60, 100, 1, 60);
  PathOptions options = options_for("gaussian");
  options.checkpoint = folder.file("none/state");
  Index told = 0;
  options.progress = [&](Index, Index, double, Index, double, double) { return ++told > 0; };
  CHECK_THROWS_AS(fit_paths(*design, {make_problem(X, "gaussian", 5)}, {}, options), FileError);
  CHECK(told == 0);
  CHECK(folder.files() == 0);
}

TEST_CASE("a write that fails leaves the checkpoint before it") {
  const Folder folder;
  const Mat X = dosages(60, 100, 3);
  const auto design = dense_design(X.data(), 60, 100, 1, 60);
  const Problem problem = make_problem(X, "gaussian", 5);
  PathOptions options = options_for("gaussian");
  const auto expected = fit_paths(*design, {problem}, {}, options);
  options.checkpoint = folder.file("state");
  options.checkpoint_seconds = 0.0;
  options.progress = [&](Index done, Index, double, Index, double, double) {
    if (done == 6) fs::create_directory(options.checkpoint + ".part");  // where the next one would be written
    return done < 9;
  };
  std::vector<std::string> told;
  options.warn = [&](const std::string& message) { told.push_back(message); };
  CHECK(fit_paths(*design, {problem}, {}, options).front().alphas.size() == 9);  // it goes on
  REQUIRE(told.size() == 1);
  CHECK(told.front().find("cannot write '" + options.checkpoint) == 0);
  CHECK(checkpoint_progress(options.checkpoint).done == 5);
  fs::remove(options.checkpoint + ".part");
  options.progress = nullptr;
  same_bits(expected, fit_paths(*design, {problem}, {}, options));
}

#ifndef _WIN32
TEST_CASE("what lies under the name of the part is removed, never written to") {
  const Folder folder;
  const std::string precious = folder.file("precious"), target = folder.file("state");
  std::ofstream(precious) << "kept";
  const auto write = [&] {
    AtomicFile file(target);
    file.write("new", 3);
    file.commit();
  };
  const auto content = [](const std::string& path) {
    std::ifstream file(path);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  fs::create_symlink(precious, target + ".part");
  write();
  CHECK(content(precious) == "kept");
  CHECK(content(target) == "new");
  fs::create_hard_link(precious, target + ".part");
  write();
  CHECK(content(precious) == "kept");
  std::ofstream(target + ".part") << "of a run that was killed";
  write();
  CHECK(content(target) == "new");
  CHECK(!fs::exists(target + ".part"));
  {
    const AtomicFile other(target);  // a run that is under way
    CHECK_THROWS_AS(AtomicFile{target}, FileError);
  }
  fs::create_directory(target + ".part");
  CHECK_THROWS_AS(AtomicFile{target}, FileError);
  CHECK(fs::is_directory(target + ".part"));
}
#endif
