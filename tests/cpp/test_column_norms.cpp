#include "solver/column_norms.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using namespace riata;

namespace {

// Columns with mean and variance (1, 4), (5, 0), (0, 9) and (0, 0).
const Vec kMean{{1.0, 5.0, 0.0, 0.0}}, kVariance{{4.0, 0.0, 9.0, 0.0}};

}  // namespace

TEST_CASE("standardised columns have norm 1, and constant ones take no part") {
  Vec scale = kVariance;
  const ColumnNorms norms(PathOptions{}, Features{}, 1.0, kMean, scale, {});
  CHECK(scale == Vec{{2.0, 1.0, 3.0, 1.0}});
  CHECK(norms.usable == std::vector<bool>{true, false, true, false});
  CHECK(norms.norm == Vec{{1.0, 0.0, 1.0, 0.0}});
  CHECK(norms.n_usable == 2);
  CHECK(norms.largest_norm == 1.0);
  CHECK(norms.spread.size() == 0);
  CHECK(norms.unpenalised.empty());
  // Rounding is that of the column as it is stored: sqrt(4 + 1) / 2 for the first, 1 for the third.
  CHECK(norms.noise[0] == doctest::Approx(kProductError * std::sqrt(5.0) / 2.0));
  CHECK(norms.noise[2] == doctest::Approx(kProductError));
  CHECK(norms.largest_noise == norms.noise[0]);
}

TEST_CASE("columns that are not standardised keep their scale, and their spread is told") {
  PathOptions options;
  options.standardize = false;
  Vec scale = kVariance;
  const ColumnNorms norms(options, Features{}, 1.0, kMean, scale, {});
  CHECK(scale == Vec::Ones(4));
  CHECK(norms.spread == Vec{{2.0, 0.0, 3.0, 0.0}});
  CHECK(norms.norm == Vec{{2.0, 0.0, 3.0, 0.0}});
  CHECK(norms.largest_norm == 3.0);
}

TEST_CASE("without an intercept the mean counts, and a constant column that is not penalised is of use") {
  PathOptions options;
  options.fit_intercept = false;
  options.standardize = false;
  Vec scale = kVariance;
  const ColumnNorms norms(options, Features{}, 1.0, kMean, scale, {});
  CHECK(norms.usable == std::vector<bool>{true, true, true, false});
  CHECK(norms.norm.isApprox(Vec{{std::sqrt(5.0), 5.0, 3.0, 0.0}}, 1e-15));
}

TEST_CASE(
    "penalty factors: 0 is without penalty, infinity leaves out, the smallest that is not tiny is the usual one") {
  Features features;
  const Vec mean = Vec::Zero(5);
  Vec scale = Vec::Ones(5);
  features.penalty_factor = Vec{{0.0, kInfinity, 2.0, 4.0, 1e-9}};
  const ColumnNorms norms(PathOptions{}, features, 1.0, mean, scale, {});
  CHECK(norms.unpenalised == std::vector<Index>{0});
  CHECK(norms.usable == std::vector<bool>{true, false, true, true, true});
  CHECK(norms.typical_factor == doctest::Approx(4e-3));
  features.penalty_factor[4] = 1.0;
  scale.setOnes();
  CHECK(ColumnNorms(PathOptions{}, features, 1.0, mean, scale, {}).typical_factor == 1.0);
}

TEST_CASE("errors of a copy are weighted and scaled as its columns are") {
  Vec scale = kVariance;
  const ColumnNorms norms(PathOptions{}, Features{}, 0.5, kMean, scale, Vec{{0.4, 0.0, 0.6, 0.0}});
  CHECK(norms.copy_error.isApprox(Vec{{0.5 * 0.4 / 2.0, 0.0, 0.5 * 0.6 / 3.0, 0.0}}, 1e-15));
}
