#include <doctest/doctest.h>

#include <memory>
#include <numeric>
#include <tuple>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "check_design.hpp"
#include "kernel/kernels.hpp"
#include "solver/inner_solvers.hpp"

using namespace riata;

namespace {

/// Columns of a matrix, with products that need no memory of their own: what is counted is the solvers'.
class PlainPool final : public Pool {
 public:
  PlainPool(const Mat& X, bool in_place) : Pool(X.rows(), X.cols()), X_(X), in_place_(in_place) {}

  std::string_view kind() const override { return "plain"; }
  double bytes() const override { return 8.0 * static_cast<double>(X_.size()); }
  void moments(Columns columns, const MatIn& weights, MatOut mean, MatOut variance, int /*threads*/) const override {
    for (std::size_t k = 0; k < columns.size(); ++k) {
      const auto x = X_.col(columns[k]).array();
      const double m = (x * weights.col(0).array()).sum();
      mean(static_cast<Index>(k), 0) = m;
      variance(static_cast<Index>(k), 0) = ((x - m).square() * weights.col(0).array()).sum();
    }
  }
  void correlate(Columns columns, const MatIn& R, MatOut out, int /*threads*/) const override {
    for (Index q = 0; q < R.cols(); ++q) {
      for (std::size_t k = 0; k < columns.size(); ++k) {
        out(static_cast<Index>(k), q) = dot(columns[k], R.data() + q * R.outerStride());
      }
    }
  }
  void multiply(Columns columns, const MatIn& B, MatOut out, int /*threads*/) const override {
    out.setZero();
    for (Index q = 0; q < B.cols(); ++q) {
      for (std::size_t k = 0; k < columns.size(); ++k) {
        axpy(columns[k], B(static_cast<Index>(k), q), out.data() + q * out.outerStride());
      }
    }
  }
  void gather(Columns columns, MatOut out, int /*threads*/) const override {
    for (std::size_t k = 0; k < columns.size(); ++k) out.col(static_cast<Index>(k)) = X_.col(columns[k]);
  }
  const double* contiguous(Index k) const override { return in_place_ ? X_.col(k).data() : nullptr; }
  void append(Columns /*columns*/, std::span<const double> /*shift*/, int /*threads*/) override {}
  double shift_of(Index /*k*/) const override { return 0.0; }
  double dot(Index k, const double* u) const override { return kernels().dot(X_.col(k).data(), u, rows()); }
  void axpy(Index k, double a, double* v) const override { kernels().axpy(a, X_.col(k).data(), v, rows()); }
  void axpy_weighted(Index k, double a, const double* weight, double* v) const override {
    kernels().axpy_weighted(a, weight, X_.col(k).data(), v, rows());
  }
  std::size_t memory() const override { return 0; }

 private:
  const Mat& X_;
  bool in_place_;
};

/// Couples three outputs, in place: v less a part of its mean over them, times a weight.
class Coupled final : public Curvature {
 public:
  explicit Coupled(Index rows) : rows_(rows) {}
  void multiply(MatOut columns) const override {
    for (Index c = 0; c < columns.cols(); ++c) {
      for (Index i = 0; i < rows_; ++i) {
        double* const v = columns.col(c).data() + i;
        const double mean = (v[0] + v[rows_] + v[2 * rows_]) / 3.0;
        for (Index k = 0; k < 3; ++k) v[k * rows_] = (v[k * rows_] - 0.8 * mean) / static_cast<double>(rows_);
      }
    }
  }

 private:
  Index rows_;
};

/// What a poll sees: how much is allocated from one iteration to the last.
class Watch {
 public:
  Watch() : poll_([this] { look(); }) {}
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  const Poll& poll() const { return poll_; }
  void begin() { first_ = true; }
  Index iterations() const { return iterations_; }
  std::size_t allocations() const { return allocations_; }

 private:
  void look() {
    const std::size_t now = check::allocations();
    if (!std::exchange(first_, false)) {
      ++iterations_;
      allocations_ += now - before_;
    }
    before_ = check::allocations();
  }

  Poll poll_;
  bool first_ = true;
  Index iterations_ = 0;
  std::size_t allocations_ = 0, before_ = 0;
};

struct Problem {
  Index n = 60, p = 40, outputs = 1;
  bool gram = false, in_place = true, coupled = false;
  bool descent_only = false, symmetric = false;
  double tolerance = 1e-9;
};

/// Solves under each penalty in turn from where the last one ended, all of it twice: returns what the iterations of the
/// second time allocate. Before each time `forget` is called. There are to be so many iterations.
template <class Forget>
std::size_t second_time(const Problem& given, InnerSolver& solver, const std::vector<Penalties>& penalties,
                        Index iterations, const Forget& forget) {
  const Index n = given.n, p = given.p, K = given.outputs;
  Mat X = check::random_matrix(n, p, 1);
  for (Index j = 1; j < p; ++j) X.col(j) = 0.6 * X.col(j - 1) + 0.8 * X.col(j);
  X.col(p / 2) = X.col(p / 3);
  Mat Y = 0.3 * check::random_matrix(n, K, 2);
  for (Index k = 0; k < K; ++k) {
    for (Index j = k; j < p; j += 3 + k) Y.col(k) += (j % 2 == 0 ? 1.0 : -1.5) * X.col(j);
  }
  const PlainPool pool(X, given.in_place);
  Quadratic model(pool, false, given.gram, true, 1, K);
  std::vector<Index> all(static_cast<std::size_t>(p));
  std::iota(all.begin(), all.end(), Index{0});
  model.set_working(all, std::vector<double>(all.size(), 1.0));
  const Vec h = Vec::Constant(n, 1.0 / static_cast<double>(n)), start = Vec::Zero(p * K);
  const Vec u = (Y / static_cast<double>(n)).reshaped();
  const Vec c0 = (X.transpose() * Y / static_cast<double>(n)).transpose().reshaped();
  model.expand(&h, u, start, c0, given.coupled ? std::make_unique<Coupled>(n) : nullptr);
  Counters counters;
  Watch warm, watch;
  Vec b(p * K), c(p * K);
  for (Watch* const one : {&warm, &watch}) {
    forget();
    b = start;
    c = c0;
    model.expand(nullptr, u, start, c0);
    for (const Penalties& net : penalties) {
      one->begin();
      InnerProblem problem{model, net, given.tolerance, 2000, counters, one->poll()};
      problem.descent_only = given.descent_only;
      problem.symmetric = given.symmetric;
      problem.lambda = 1.0;
      solver.solve(problem, b, c);
    }
  }
  CHECK((b.array() != 0.0).any());
  CHECK(watch.iterations() >= iterations);
  return watch.allocations();
}

std::size_t second_time(const Problem& given, InnerSolver& solver, const std::vector<Penalties>& penalties,
                        Index iterations) {
  return second_time(given, solver, penalties, iterations, [] {});
}

Penalties nets(Index p, ElasticNet net) {
  return Penalties(std::vector<ElasticNet>(static_cast<std::size_t>(p), net));
}

/// Groups of 1, 2, 3, 4, 1, ... features.
Penalties groups(Index p, GroupNorm net) {
  std::vector<GroupNorm> norms;
  std::vector<Index> first{0};
  for (Index size = 1; first.back() < p; size = size % 4 + 1) {
    norms.push_back(net);
    first.push_back(std::min(first.back() + size, p));
  }
  return {norms, first};
}

Penalties rows(Index p, Index outputs, GroupNorm net) {
  return {std::vector<GroupNorm>(static_cast<std::size_t>(p), net), outputs};
}

Penalties slope(Index p, double level) {
  return Penalties(Sorted{SortedL1(Vec::LinSpaced(p - 1, level, 0.3 * level)), 1, p});
}

/// Allocates once an iteration, and does nothing else.
class Careless final : public InnerSolver {
 public:
  InnerResult solve(InnerProblem problem, Vec& b, Vec& /*c*/) override {
    for (int k = 0; k < 10; ++k) {
      problem.poll();
      const Vec longer = 2.0 * Vec::Ones(b.size() + k);
      b = longer.head(b.size());
    }
    return {};
  }
  void working_set_changed(std::span<const Index> /*new_number*/, Index /*outputs*/) override {}
  void hessian_changed() override {}
};

#define NOTHING_ALLOCATED(...)                \
  do {                                        \
    if (!check::counts_allocations()) return; \
    CHECK(second_time(__VA_ARGS__) == 0);     \
  } while (false)

}  // namespace

// Each has its test below.
static_assert(std::is_same_v<InnerSolvers, std::tuple<ActiveSetNewton, DualNewton, BlockNewton, SlopeNewton,
                                                      GroupDescent, CoordinateDescent, ProximalGradient>>);

TEST_CASE("allocations are seen, whoever makes them") {
  if (!check::counts_allocations()) return;
  const std::size_t before = check::allocations();
  const auto one = std::make_unique<double>(1.0);
  CHECK(check::allocations() == before + 1);
  std::vector<Index> two(3, Index{1});
  CHECK(check::allocations() == before + 2);
  const Vec three = Vec::Constant(7, *one);
  CHECK(check::allocations() == before + 3);
  CHECK(three.sum() + static_cast<double>(two[1]) == 8.0);
  Careless careless;
  CHECK(second_time({}, careless, {nets(40, {0.1, 0.0})}, 9) >= 9);
}

TEST_CASE("coordinate descent allocates nothing in its iterations") {
  CoordinateDescent descent;
  for (const bool gram : {false, true}) {
    CAPTURE(gram);
    const Problem problem{.gram = gram};
    NOTHING_ALLOCATED(problem, descent, {nets(40, {0.2, 0.0}), nets(40, {0.02, 0.01}), nets(40, {0.1, 0.0, -0.5})}, 20);
    const Concave mcp{.l1 = 0.05};
    NOTHING_ALLOCATED(problem, descent, {Penalties(std::vector<Concave>(40, mcp))}, 20);
  }
}

TEST_CASE("active-set Newton allocates nothing in its iterations") {
  for (const bool keep_gram : {false, true}) {
    ActiveSetNewton newton(keep_gram);
    for (const bool gram : {false, true}) {
      CAPTURE(gram);
      CAPTURE(keep_gram);
      const double l2 = keep_gram ? 0.1 : 0.0;
      const Problem problem{.p = 80, .gram = gram};
      NOTHING_ALLOCATED(problem, newton,
                        {nets(80, {0.5, l2}), nets(80, {0.1, 0.5 * l2}), nets(80, {0.01, l2}),
                         nets(80, {0.005, 0.1 * l2, -0.5, 0.7}), nets(80, {0.2, l2})},
                        20, [&] { newton.invalidate(); });
    }
  }
}

TEST_CASE("dual Newton allocates nothing in its iterations") {
  DualNewton newton;
  const Problem problem{.n = 40, .p = 120};
  NOTHING_ALLOCATED(problem, newton, {nets(120, {0.2, 0.4}), nets(120, {0.05, 0.1}), nets(120, {0.02, 0.01})}, 3);
}

TEST_CASE("group descent allocates nothing in its iterations") {
  for (const bool in_place : {false, true}) {
    for (const double each : {0.0, 0.02}) {
      CAPTURE(in_place);
      CAPTURE(each);
      GroupDescent descent;
      const Problem problem{.in_place = in_place};
      NOTHING_ALLOCATED(problem, descent,
                        {groups(40, {0.3, 0.0, each}), groups(40, {0.05, 0.01, each}), groups(40, {0.1, 0.0, each})},
                        20);
    }
  }
}

TEST_CASE("block Newton allocates nothing in its iterations") {
  const Index p = 40, K = 3;
  std::vector<Penalties> path, entries;
  for (const double level : {0.3, 0.1, 0.03}) {
    path.push_back(rows(p, K, {level, 0.01}));
    entries.push_back(nets(p * K, {level, 0.0}));
  }
  for (const bool coupled : {false, true}) {
    for (const bool descent_only : {false, true}) {
      CAPTURE(coupled);
      CAPTURE(descent_only);
      const Problem problem{.outputs = K, .coupled = coupled, .descent_only = descent_only, .tolerance = 1e-7};
      BlockNewton by_rows, by_entries;
      NOTHING_ALLOCATED(problem, by_rows, path, 20);
      Problem symmetric = problem;
      symmetric.symmetric = coupled;
      NOTHING_ALLOCATED(symmetric, by_entries, entries, 20);
    }
  }
  BlockNewton wide;  // more active features than rows: sweeps over the columns
  for (const bool in_place : {false, true}) {
    const Problem problem{.n = 20, .p = 60, .outputs = K, .in_place = in_place};
    NOTHING_ALLOCATED(problem, wide, {rows(60, K, {0.01, 0.01})}, 20);
  }
}

TEST_CASE("SLOPE by Newton steps allocates nothing in its iterations") {
  for (const bool gram : {false, true}) {
    CAPTURE(gram);
    SlopeNewton newton;
    const Problem problem{.gram = gram};
    NOTHING_ALLOCATED(problem, newton, {slope(40, 0.5), slope(40, 0.1), slope(40, 0.02), slope(40, 0.2)}, 20);
  }
}

TEST_CASE("proximal gradient allocates nothing in its iterations") {
  for (const bool gram : {false, true}) {
    CAPTURE(gram);
    ProximalGradient proximal;
    const Problem problem{.gram = gram};
    NOTHING_ALLOCATED(problem, proximal, {nets(40, {0.1, 0.0})}, 20);
    NOTHING_ALLOCATED(problem, proximal, {groups(40, {0.05, 0.0, 0.02})}, 20);
    NOTHING_ALLOCATED(problem, proximal, {slope(40, 0.1)}, 20);
  }
}
