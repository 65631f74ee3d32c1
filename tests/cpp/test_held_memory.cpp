#include <doctest/doctest.h>

#include <cstdlib>
#include <memory>
#include <numeric>
#include <tuple>
#include <utility>
#include <vector>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "check_design.hpp"
#include "checkpoint/archive.hpp"
#include "riata/design/dense.hpp"
#include "solver/inner_solvers.hpp"

using namespace riata;

namespace {

/// Bytes that this process has asked for and not given back; 0 where that cannot be told.
double live() {
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
  const auto info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
#else
  return 0.0;
#endif
}

/// Not under sanitizers, which have allocators of their own.
bool tells_live() {
  const double before = live();
  const auto block = std::make_unique<char[]>(std::size_t{1} << 20);
  return block != nullptr && live() >= before + (1 << 20);
}

/// What is counted of an object is what is given back when it goes, but for the rounding of allocations.
template <class T>
void check_count(std::unique_ptr<T> object, double at_least) {
  ArchiveCounter counter;
  counter(*object);
  const double before = live();
  object.reset();
  const double freed = before - live();
  CAPTURE(counter.total());
  CAPTURE(freed);
  CHECK(freed >= at_least);
  CHECK(counter.total() >= 0.95 * freed);
  CHECK(counter.total() <= 1.05 * freed + 40e3);
}

constexpr Index kRows = 300, kCols = 400;

/// Solves under each penalty in turn, and looks at the solver and the model then. `forget` stands between them.
template <class Solver>
void check_solver(std::unique_ptr<Solver> solver, const std::vector<Penalties>& penalties, double at_least,
                  Index outputs = 1) {
  if (!tells_live()) return;
  Mat X = check::random_matrix(kRows, kCols, 1);
  for (Index j = 1; j < kCols; ++j) X.col(j) = 0.5 * X.col(j - 1) + 0.8 * X.col(j);
  Mat Y = check::random_matrix(kRows, outputs, 2);
  for (Index k = 0; k < outputs; ++k) {
    for (Index j = k; j < kCols; j += 5) Y.col(k) += X.col(j);
  }
  const auto design = dense_design(X.data(), kRows, kCols, 1, kRows);
  const auto pool = design->make_pool();
  std::vector<Index> all(static_cast<std::size_t>(kCols));
  std::iota(all.begin(), all.end(), Index{0});
  pool->append(all, std::vector<double>(all.size(), 0.0), 1);
  auto model = std::make_unique<Quadratic>(*pool, false, false, true, 1, outputs);
  model->set_working(all, std::vector<double>(all.size(), 1.0));
  const Vec h = Vec::Constant(kRows, 1.0 / static_cast<double>(kRows));
  Vec b = Vec::Zero(kCols * outputs), c = (X.transpose() * Y / static_cast<double>(kRows)).transpose().reshaped();
  model->expand(&h, (Y / static_cast<double>(kRows)).reshaped(), b, c);
  Counters counters;
  const Poll poll;
  for (const Penalties& penalty : penalties) {
    InnerProblem problem{*model, penalty, 1e-7, 3000, counters, poll};
    problem.lambda = 1.0;
    CHECK(solver->solve(problem, b, c).converged);
  }
  CHECK((b.array() != 0.0).any());
  check_count(std::move(solver), at_least);
  check_count(std::move(model), 8.0 * kRows);
}

Penalties nets(double l1, double l2, Index outputs = 1) {
  return Penalties(std::vector<ElasticNet>(static_cast<std::size_t>(kCols * outputs), {l1, l2}));
}

Penalties groups(double level) {
  std::vector<Index> first(1, 0);
  while (first.back() < kCols) first.push_back(std::min<Index>(first.back() + 25, kCols));
  return {std::vector<GroupNorm>(first.size() - 1, {level, 0.0}), first};
}

Penalties slope(double level) {
  return Penalties(Sorted{SortedL1(Vec::LinSpaced(kCols, level, 0.5 * level)), 0, kCols});
}

}  // namespace

TEST_CASE("memory of solvers: all that active-set Newton keeps is counted, with rows that have left") {
  for (const bool keep_gram : {false, true}) {
    check_solver(std::make_unique<ActiveSetNewton>(keep_gram),
                 {nets(0.3, 0.0), nets(0.03, 0.0), nets(0.01, 0.0), nets(0.5, 0.0)}, 1e5);
  }
}

TEST_CASE("memory of solvers: all that dual Newton keeps is counted") {
  check_solver(std::make_unique<DualNewton>(), {nets(0.1, 0.1), nets(0.01, 0.05)}, 8.0 * 2 * kRows * kRows);
}

TEST_CASE("memory of solvers: all that block Newton keeps is counted") {
  std::vector<Penalties> rows;
  for (const double level : {0.3, 0.1, 0.05}) {
    rows.emplace_back(std::vector<GroupNorm>(static_cast<std::size_t>(kCols), {level, 0.01}), Index{3});
  }
  check_solver(std::make_unique<BlockNewton>(), rows, 1e5, 3);
}

TEST_CASE("memory of solvers: all that group descent keeps is counted, bases among it") {
  check_solver(std::make_unique<GroupDescent>(), {groups(0.5), groups(0.2)}, 8.0 * 25 * 25);
}

TEST_CASE("memory of solvers: all that SLOPE's steps keep is counted") {
  check_solver(std::make_unique<SlopeNewton>(), {slope(0.3), slope(0.1), slope(0.05)}, 1e4);
}

TEST_CASE("memory of solvers: coordinate descent keeps vectors, proximal gradient nothing") {
  check_solver(std::make_unique<CoordinateDescent>(), {nets(0.3, 0.0), nets(0.05, 0.0)}, 8.0 * kCols);
  check_solver(std::make_unique<ProximalGradient>(), {nets(0.3, 0.0)}, 0.0);
}
