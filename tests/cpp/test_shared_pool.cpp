#include "design/shared_pool.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "check_design.hpp"
#include "riata/design/dense.hpp"

using namespace riata;

TEST_CASE("columns come into the pool once, in the order in which they are asked for") {
  const Mat X = check::random_matrix(12, 8, 1);
  const auto design = dense_design(X.data(), 12, 8, 1, 12);
  const Vec mean = X.colwise().mean(), spread = Vec::Ones(8);
  SharedPool pool(*design, true, SharedPool::Use::kPart, mean, spread);
  Counters counters;
  pool.require(std::vector<Index>{5, 2}, 1, counters);
  pool.require(std::vector<Index>{2, 7, 5}, 1, counters);
  CHECK(counters.columns_gathered == 3);
  CHECK(pool.features() == std::vector<Index>{5, 2, 7});
  CHECK(pool.batches() == std::vector<Index>{2, 1});
  CHECK(pool.position(7) == 2);
  CHECK(pool.position(0) == -1);
  const Mat held = check::gather(pool.pool(), std::vector<Index>{0, 1, 2});
  for (const Index j : {5, 2, 7}) {
    const Index at = pool.position(j);
    check::close(held.col(at).array() + pool.pool().shift_of(at), X.col(j), 1e-15);
    CHECK(pool.pool().shift_of(at) == mean[j]);
  }
}

TEST_CASE("columns are referenced in place where many are needed, but not those far off zero") {
  Mat X = check::random_matrix(12, 3, 2);
  X.col(1).array() += 1e6;
  const auto design = dense_design(X.data(), 12, 3, 1, 12);
  const Vec mean = X.colwise().mean(), spread = Vec::Ones(3);
  SharedPool pool(*design, true, SharedPool::Use::kMany, mean, spread);
  Counters counters;
  pool.require(std::vector<Index>{0, 1}, 1, counters);
  CHECK(pool.pool().shift_of(0) == 0.0);
  CHECK(pool.pool().contiguous(0) == X.col(0).data());
  CHECK(pool.pool().shift_of(1) == mean[1]);
  CHECK_FALSE(pool.small_means());
}
