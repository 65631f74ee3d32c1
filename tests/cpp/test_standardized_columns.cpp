#include "solver/standardized_columns.hpp"

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <vector>

#include "check_design.hpp"
#include "riata/design/dense.hpp"

using namespace riata;
using namespace riata::check;

namespace {

constexpr Index kRows = 9, kCols = 6;

/// One column is so far from zero that pools hold it less its mean.
Mat matrix() {
  Mat X = random_matrix(kRows, kCols, 31);
  X.col(4).array() += 1e5;
  return X;
}

/// Columns of a matrix, all of them in the pool.
struct Setup {
  explicit Setup(Index outputs, bool centred = true, SharedPool::Use use = SharedPool::Use::kPart)
      : X(matrix()), design(dense_design(X.data(), kRows, kCols, 1, kRows)) {
    const Vec mean = X.colwise().mean().transpose();
    const Vec scale = Vec::LinSpaced(kCols, 0.5, 3.0);
    scaled = X;
    if (centred) scaled.rowwise() -= mean.transpose();
    scaled = scaled * scale.cwiseInverse().asDiagonal();
    pool.emplace(*design, centred, use, mean, scale);
    std::vector<Index> all(static_cast<std::size_t>(kCols));
    std::iota(all.rbegin(), all.rend(), Index{0});  // in another order than X
    pool->require(all, 1, counters);
    columns.emplace(*pool, centred, outputs, 1, mean, scale);
  }
  Mat X, scaled;
  std::unique_ptr<Design> design;
  Counters counters;
  std::optional<SharedPool> pool;
  std::optional<StandardizedColumns> columns;
};

constexpr std::array<Index, 3> kFeatures{4, 0, 5};

bool close(const Mat& a, const Mat& b) {
  return (a - b).cwiseAbs().maxCoeff() <= 1e-9 * (1.0 + b.cwiseAbs().maxCoeff());
}

}  // namespace

TEST_CASE("columns are those of X less the mean over the scale") {
  for (const bool centred : {true, false}) {
    const Setup s(1, centred);
    const Mat want = s.scaled(Eigen::all, std::vector<Index>(kFeatures.begin(), kFeatures.end()));
    CHECK(close(s.columns->gather(kFeatures), want));
    CHECK(s.columns->centre(4) == (centred ? s.columns->mean()[4] : 0.0));
  }
}

TEST_CASE("products with several coefficient vectors, one and several outputs") {
  for (const Index K : {1, 3}) {
    CAPTURE(K);
    const Setup s(K);
    const Mat want = s.scaled(Eigen::all, std::vector<Index>(kFeatures.begin(), kFeatures.end()));
    Vec a = random_matrix(3 * K, 1, 32), b = random_matrix(3 * K, 1, 33);
    a.segment(K, K).setZero();
    b.segment(K, K).setZero();  // a feature that nobody uses is not read
    const std::array<const Vec*, 2> both{&a, &b};
    const Mat out = s.columns->multiply(kFeatures, both);
    REQUIRE(out.cols() == 2 * K);
    for (Index q = 0; q < 2; ++q) {
      const Mat B = both[static_cast<std::size_t>(q)]->reshaped(K, 3).transpose();  // feature by feature
      CHECK(close(out.middleCols(q * K, K), want * B));
    }
    const Vec zero = Vec::Zero(3 * K);
    const std::array<const Vec*, 1> none{&zero};
    CHECK(s.columns->multiply(kFeatures, none) == Mat::Zero(kRows, K));
  }
}

TEST_CASE("correlations with vectors that sum to zero, whole and by entries") {
  for (const Index K : {1, 3}) {
    CAPTURE(K);
    const Setup s(K);
    const Mat want = s.scaled(Eigen::all, std::vector<Index>(kFeatures.begin(), kFeatures.end()));
    Mat u = random_matrix(kRows, K, 34);
    u.rowwise() -= u.colwise().mean().eval();
    const Mat c = want.transpose() * u;  // features x K
    const Vec flat = u.reshaped();
    CHECK(close(s.columns->correlate(kFeatures, flat), c.transpose().reshaped()));
    Vec some = Vec::Constant(3 * K, 7.0);
    const std::vector<Index> entries{2 * K, K - 1};
    s.columns->correlate_entries(kFeatures, flat, entries, some);
    CHECK(some[2 * K] == doctest::Approx(c(2, 0)));
    CHECK(some[K - 1] == doctest::Approx(c(0, K - 1)));
    CHECK((some.array() == 7.0).count() == 3 * K - 2);
  }
}

TEST_CASE("the error of leaving the centring out bounds what it is") {
  const Setup s(1, true, SharedPool::Use::kMany);  // columns are used where they are, with their means
  Vec u = random_matrix(kRows, 1, 35);
  u.array() -= u.mean() - 1e-7;  // sums to 9e-7
  const Mat want = s.scaled(Eigen::all, std::vector<Index>(kFeatures.begin(), kFeatures.end()));
  const Vec error = s.columns->correlate(kFeatures, u) - want.transpose() * u;
  CHECK(error.cwiseAbs().maxCoeff() > 1e-9);
  CHECK(error.cwiseAbs().maxCoeff() <= s.columns->centring_error(kFeatures, u) + 1e-12);
  CHECK(Setup(1, false).columns->centring_error(kFeatures, u) == 0.0);
}
