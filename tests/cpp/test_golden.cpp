#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/digest.hpp"
#include "kernel/kernels.hpp"
#include "path_problems.hpp"
#include "penalty/elastic_net.hpp"
#include "riata/api.hpp"
#include "riata/design/csc.hpp"
#include "riata/design/dense.hpp"
#include "riata/design/hstack.hpp"
#include "riata/kernel/isa.hpp"

/// Whole results against a table of digests: storages x losses x penalties x solvers, with the baseline kernels. The
/// table holds a digest of every bit and, where compiler or mathematical library are others than those it was made
/// with, a few sums that such differences hardly move. Without optimisation only some of the cases are fitted.
/// RIATA_GOLDEN_WRITE=FILE writes a new table.
using namespace riata;
using namespace riata::check;

namespace {

struct Case {
  std::string name;
  const Design* X;
  std::vector<Problem> problems;
  Features features;
  PathOptions options;
};

/// A matrix of dosages in every storage.
struct Matrices : Storages {
  explicit Matrices(Mat x) : Storages(std::move(x)), single(X.cast<float>()), small(X.cast<std::int8_t>()) {
    const Index n = X.rows(), p = X.cols(), half = p / 2;
    const auto left = std::make_shared<PlinkDesign>(bed, n, p, CountedAllele::A2, std::vector<std::uint8_t>{}, 1);
    named = {{"dense", designs[0].get()}, {"csc", designs[1].get()}, {"plink", designs[2].get()}};
    add("float", dense_design(single.data(), n, p, 1, n));
    add("int8", dense_design(small.data(), n, p, 1, n));
    std::shared_ptr<const Design> right = dense_design(X.data() + half * n, n, p - half, 1, n);
    // The right half is that of the left with the other allele counted: its columns are the negatives of theirs, and
    // sums of coefficients depend on how a pair shares one, though not the minimum. See kUnique.
    add("hstack", hstack_design({left, right}));
  }
  void add(const std::string& name, std::unique_ptr<Design> design) {
    designs.push_back(std::move(design));
    named.emplace_back(name, designs.back().get());
  }
  const Design& at(const std::string& name) const {
    for (const auto& [its, design] : named) {
      if (its == name) return *design;
    }
    throw std::out_of_range(name);
  }
  Eigen::MatrixXf single;
  Eigen::Matrix<std::int8_t, Eigen::Dynamic, Eigen::Dynamic> small;
  std::vector<std::pair<std::string, const Design*>> named;
};

const std::vector<std::string> kLosses{"gaussian", "binomial", "poisson", "huber", "cox"};
const std::vector<std::string> kMultiLosses{"multigaussian", "multinomial", "multinomial grouped"};

PathOptions base_options(const std::string& loss) {
  PathOptions options = options_of(loss);
  options.n_alphas = 8;
  options.eps = 0.1;
  options.tol = 1e-8;
  return options;
}

/// Options and features of a penalty by name.
void set_penalty(Case& c, const std::string& name, Index p) {
  if (name == "elastic net" || name == "ridge") c.options.l1_ratio = name == "ridge" ? 0.0 : 0.5;
  if (name == "mcp" || name == "slope") c.options.penalty = name;
  if (name == "scad") c.options.penalty = penalties::Scad{3.7};
  if (name == "slope") c.features.sorted_weights = Vec::LinSpaced(p, 1.5, 0.5);
  if (!name.starts_with("group") && name != "sparse group") return;
  c.options.penalty = penalties::Group{name == "sparse group" ? 0.4 : 0.0};
  if (name == "group with ridge") c.options.l1_ratio = 0.5;
  const Index count = p / 4 + 1;
  Vec size = Vec::Zero(count);
  for (Index j = 0; j < p; ++j) {
    const Index g = (j * 7919 + j * j % 13) % count;
    c.features.group.push_back(g);
    size[g] += 1.0;
  }
  c.features.group_weights = size.cwiseMax(1.0).cwiseSqrt();
}

Case make_case(const Matrices& m, const std::string& shape, const std::string& storage, const std::string& loss,
               const std::string& penalty, const std::string& solver) {
  Case c{shape + "/" + storage + "/" + loss + "/" + penalty + "/" + solver,
         &m.at(storage),
         {make_problem(m.X, std::string(options_of(loss).loss.name()), 5)},
         {},
         base_options(loss)};
  set_penalty(c, penalty, c.X->cols());
  c.options.solver = solver_named(solver);
  return c;
}

/// Every loss with every penalty and solver that it takes.
void add_models(std::vector<Case>& out, const Matrices& m, const std::string& shape) {
  for (const std::string& loss : kLosses) {
    for (const char* solver : {"auto", "homotopy", "cd", "prox"}) {
      out.push_back(make_case(m, shape, "dense", loss, "lasso", solver));
    }
    for (const char* penalty : {"elastic net", "ridge", "mcp", "scad"}) {
      out.push_back(make_case(m, shape, "dense", loss, penalty, "auto"));
    }
    for (const char* solver : {"auto", "cd", "prox"}) {
      for (const char* penalty : {"group", "sparse group", "group with ridge", "slope"}) {
        if (std::string(solver) != "auto" && std::string(penalty) == "group with ridge") continue;
        out.push_back(make_case(m, shape, "dense", loss, penalty, solver));
      }
    }
  }
  for (const std::string& loss : kMultiLosses) {
    for (const char* solver : {"auto", "cd", "prox"}) {
      out.push_back(make_case(m, shape, "dense", loss, "lasso", solver));
    }
    for (const char* penalty : {"elastic net", "ridge"}) {
      out.push_back(make_case(m, shape, "dense", loss, penalty, "auto"));
    }
  }
}

void add_storages(std::vector<Case>& out, const Matrices& m, const std::string& shape) {
  for (const auto& [storage, design] : m.named) {
    if (storage == "dense") continue;
    for (const std::string& loss : kLosses) {
      for (const char* penalty : {"lasso", "mcp", "group", "slope"}) {
        if (loss == "poisson" && std::string(penalty) == "group") continue;
        out.push_back(make_case(m, shape, storage, loss, penalty, "auto"));
      }
    }
    for (const std::string& loss : kMultiLosses) out.push_back(make_case(m, shape, storage, loss, "lasso", "auto"));
  }
}

/// `count` folds that follow a fit of all rows.
std::vector<Problem> folds(const Problem& full, Index count) {
  std::vector<Problem> out{full};
  for (Index f = 0; f < count; ++f) {
    out.push_back(full);
    for (Index i = f; i < full.weights.size(); i += count) out.back().weights[i] = 0.0;
  }
  return out;
}

/// What else may be asked of a fit, one thing at a time.
void add_variants(std::vector<Case>& out, const Matrices& m, const std::string& shape) {
  const Index n = m.X.rows(), p = m.X.cols();
  using Change = std::function<void(Case&)>;
  const std::vector<std::pair<std::string, Change>> changes{
      {"no intercept", [](Case& c) { c.options.fit_intercept = false; }},
      {"not standardised", [](Case& c) { c.options.standardize = false; }},
      {"factors",
       [&](Case& c) {
         c.features.penalty_factor = Vec::Ones(p);
         c.features.penalty_factor[3] = c.features.penalty_factor[7] = 0.0;
         c.features.penalty_factor[5] = kInfinity;
         if (c.options.penalty.is<penalties::ElasticNet>()) c.features.penalty_factor[11] = 2.5;
       }},
      {"offset",
       [&](Case& c) {
         c.problems[0].offset = 0.3 * random_matrix(n, 1, 41);
         if (c.options.loss.name().starts_with("multi"))
           c.problems[0].offset = 0.3 * random_matrix(n * kOutputs, 1, 41);
       }},
      {"folds",
       [](Case& c) {
         c.problems = folds(c.problems[0], 3);
         c.options.keep_linear_predictor = true;
       }},
      {"two leaders",
       [](Case& c) {
         c.problems = folds(c.problems[0], 2);
         c.problems[2].leader = 2;
       }},
      {"alphas", [](Case& c) { c.options.alphas = {0.3, 0.1, 0.09, 0.05}; }},
      {"few iterations", [](Case& c) { c.options.max_iter = 2; }}};
  for (const char* loss : {"gaussian", "binomial", "cox", "multinomial"}) {
    for (const char* penalty : {"lasso", "group", "slope"}) {
      const bool lasso = std::string(penalty) == "lasso";
      if (!lasso && std::string(loss) == "multinomial") continue;
      for (const char* storage : {"dense", "plink"}) {
        if (!lasso && std::string(storage) == "plink") continue;
        for (const auto& [name, change] : changes) {
          out.push_back(make_case(m, shape, storage, loss, penalty, "auto"));
          out.back().name += "/" + name;
          change(out.back());
        }
      }
    }
    out.push_back(make_case(m, shape, "dense", loss, "lasso", "auto"));
    out.back().name += "/bounds";
    out.back().features.lower = Vec::Constant(p, -0.1);
    out.back().features.upper = Vec::Constant(p, 0.2);
  }
}

/// Enough columns for blocks of residuals to be forgotten and copies to pay.
void add_large(std::vector<Case>& out, const Matrices& m) {
  for (const char* storage : {"dense", "plink", "csc"}) {
    for (const char* loss : {"gaussian", "binomial"}) {
      out.push_back(make_case(m, "large", storage, loss, "lasso", "auto"));
      out.back().options.n_alphas = 100;
      out.back().options.eps = 0.05;
    }
  }
  for (const char* penalty : {"group", "mcp", "slope"}) {
    out.push_back(make_case(m, "large", "plink", "gaussian", penalty, "auto"));
  }
}

std::uint64_t digest_of(const std::vector<PathResult>& results) {
  Digest digest;
  const auto add = [&](const auto& v) {
    digest.add(static_cast<std::uint64_t>(v.size()));
    digest.add(v.data(), static_cast<std::size_t>(v.size()) * sizeof(*v.data()));
  };
  for (const PathResult& r : results) {
    add(r.alphas);
    add(r.coef_indptr);
    add(r.coef_indices);
    add(r.coef_values);
    add(r.intercepts);
    add(r.primal);
    add(r.dual);
    add(r.dual_gaps);
    add(r.locally_convex);
    add(r.deviance_ratio);
    add(r.converged);
    add(r.n_active);
    add(r.n_iter);
    for (const Solver solver : r.solver) {  // by the words that the table was made with
      add(solver == Solver::kActiveSet ? std::string_view("homotopy") : name_of(solver));
    }
    for (const double x : {r.alpha_max, r.null_objective, r.saturated_objective}) digest.add(&x, sizeof x);
    add(r.dependent);
    digest.add(static_cast<std::uint64_t>(r.exhausted ? 1 : 0));
    add(r.mean);
    add(r.scale);
    add(r.stopped);
    add(r.linear_predictor);
    const Counters& c = r.counters;
    digest.add(&c.columns_streamed, sizeof c.columns_streamed);
    for (const Index x :
         {c.columns_gathered, c.rounds, c.violators, c.newton_steps, c.factor_updates, c.cd_updates, c.prox_steps}) {
      digest.add(static_cast<std::uint64_t>(x));
    }
  }
  return digest.value();
}

/// Number of fits, largest alpha, and sums of objectives, intercepts and coefficients with signs and sizes mixed. The
/// first kUnique are those of any minimum, the others where there is one.
constexpr std::size_t kUnique = 3;
std::vector<double> sums_of(const std::vector<PathResult>& results) {
  std::vector<double> out(5, 0.0);
  for (const PathResult& r : results) {
    out[0] += static_cast<double>(r.alphas.size());
    out[1] += r.alpha_max;
    for (const double primal : r.primal) out[2] += primal;
    for (const double g : r.intercepts) out[3] += g;
    for (std::size_t e = 0; e < r.coef_values.size(); ++e) {
      out[4] += r.coef_values[e] * (1.0 + static_cast<double>(r.coef_indices[e] % 7));
    }
  }
  return out;
}

/// Tells compilers and mathematical libraries apart: where this differs from the table's, bits may.
std::string toolchain() {
  Digest digest;
  for (int k = 1; k <= 200; ++k) {
    const double x = 0.037 * k;
    for (const double v : {std::exp(-x), std::log(x), std::log1p(x), std::expm1(x), std::pow(0.01, x), std::sin(x),
                           std::cos(x), std::tanh(x), std::lgamma(x), std::hypot(x, 1.0 / x)}) {
      digest.add(&v, sizeof v);
    }
  }
  std::ostringstream out;
#if defined(__clang__)
  out << "clang-" << __clang_major__;
#elif defined(__GNUC__)
  out << "gcc-" << __GNUC__;
#else
  out << "other";
#endif
#if defined(__x86_64__)
  out << "-x86_64";
#endif
  out << "-eigen-" << EIGEN_WORLD_VERSION << EIGEN_MAJOR_VERSION << EIGEN_MINOR_VERSION << "-" << std::hex
      << digest.value();
  return out.str();
}

struct Line {
  std::string digest;
  std::vector<double> sums;
};

/// The table: the toolchain, then for each case its name, digest and sums, tab-separated.
struct Table {
  std::string made_with;
  std::map<std::string, Line> lines;

  explicit Table(const std::string& path) {
    std::ifstream in(path);
    std::getline(in, made_with);
    for (std::string text; std::getline(in, text);) {
      std::istringstream fields(text);
      std::string name;
      Line line;
      std::getline(fields, name, '\t');
      fields >> line.digest;
      for (double x = 0.0; fields >> x;) line.sums.push_back(x);
      lines[name] = line;
    }
  }
};

#if defined(__OPTIMIZE__) || defined(NDEBUG)
constexpr std::size_t kEach = 1;
#else
constexpr std::size_t kEach = 17;
#endif

struct Baseline {  // the kernels whose bits the table holds
  Baseline() { set_isa("baseline"); }
  ~Baseline() { set_isa("auto"); }
};

}  // namespace

TEST_CASE("results are those of the table") {
  const Baseline baseline;
  const Matrices wide(dosages(50, 120, 11)), tall(dosages(90, 30, 12)), large(dosages(150, 2500, 13));
  std::vector<Case> cases;
  add_models(cases, wide, "wide");
  add_models(cases, tall, "tall");
  add_storages(cases, wide, "wide");
  add_variants(cases, wide, "wide");
  add_large(cases, large);

  const char* write = std::getenv("RIATA_GOLDEN_WRITE");
  std::ofstream out;
  if (write != nullptr) out.open(write);
  out.precision(12);
  out << toolchain() << "\n";
  const Table table(RIATA_GOLDEN_TABLE);
  const bool exact = table.made_with == toolchain();
  if (write == nullptr) CHECK(table.lines.size() == cases.size());
  for (std::size_t at = 0; at < cases.size(); at += kEach) {
    const Case& c = cases[at];
    CAPTURE(c.name);
    const std::vector<PathResult> results = fit_paths(*c.X, c.problems, c.features, c.options);
    std::ostringstream digest;
    digest << std::hex << digest_of(results);
    const std::vector<double> sums = sums_of(results);
    if (write != nullptr) {
      out << c.name << "\t" << digest.str();
      for (const double x : sums) out << "\t" << x;
      out << "\n";
      continue;
    }
    const auto found = table.lines.find(c.name);
    REQUIRE(found != table.lines.end());
    REQUIRE(found->second.sums.size() == sums.size());
    if (exact) CHECK(found->second.digest == digest.str());
    const bool unique = c.name.find("/hstack/") == std::string::npos;
    for (std::size_t k = 0; k < (unique ? sums.size() : kUnique); ++k) {
      CHECK(std::abs(sums[k] - found->second.sums[k]) <= 1e-4 * (1.0 + std::abs(found->second.sums[k])));
    }
  }
}
