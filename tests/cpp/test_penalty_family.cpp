#include "penalty/penalty_family.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace riata;

TEST_CASE("single coefficients: lambda, l1_ratio, factors, and bounds in units of the scale") {
  PathOptions options;
  options.l1_ratio = 0.25;
  Features features;
  features.penalty_factor = Vec{{2.0, 0.0, 1.0}};
  features.lower = Vec{{-1.0, -kInfinity, -3.0}};
  const Vec scale{{10.0, 1.0, 2.0}};
  const PenaltyFamily family(options, features, 1, scale);
  CHECK(family.kind() == PenaltyKind::kSeparable);
  CHECK(family.separable_convex());
  CHECK_FALSE(family.non_separable());
  const ElasticNet net = family.entry(0, 3.0);
  CHECK(net.l1 == 1.5);
  CHECK(net.l2 == 4.5);
  CHECK(net.lower == -10.0);
  CHECK(net.upper == kInfinity);
  CHECK(family.is_free(1));
  CHECK_FALSE(family.is_free(2));
  const Penalties some = family.at(std::vector<Index>{2, 0}, 3.0);
  CHECK(some.units() == 2);
  CHECK(some.entries()[0].lower == -6.0);
  CHECK(some.entries()[1].l1 == 1.5);
}

TEST_CASE("the smallest lambda at which features are zero: by ratio, factor and the way that bounds leave") {
  PathOptions options;
  options.l1_ratio = 0.5;
  Features features;
  features.penalty_factor = Vec{{1.0, 2.0, 1.0}};
  features.upper = Vec{{kInfinity, kInfinity, 0.0}};
  const Vec scale = Vec::Ones(3);
  const PenaltyFamily family(options, features, 1, scale);
  const std::vector<Index> all{0, 1, 2};
  CHECK(family.lambda_max(all, Vec{{0.3, -1.0, 9.0}}, 1e-3) == 1.0);
  CHECK(family.lambda_max(all, Vec{{0.3, -1.0, -9.0}}, 1e-3) == 18.0);
}

TEST_CASE("rows: one norm for the coefficients of a feature") {
  PathOptions options;
  options.loss = "multigaussian";
  options.penalty = penalties::ElasticNet{true};
  const Features features;
  const Vec scale = Vec::Ones(2);
  const PenaltyFamily family(options, features, 3, scale);
  CHECK(family.kind() == PenaltyKind::kRows);
  const Vec c{{3.0, 0.0, -4.0}};
  CHECK(family.size_of(c.data()) == doctest::Approx(5.0));
  CHECK(family.upper_size(c, Vec{{0.0, 1.0, 0.0}}) == doctest::Approx(6.0));
  CHECK(family.at(std::vector<Index>{0, 1}, 1.0).begin(1) == 3);
}

TEST_CASE("groups: members lie together, weights are those of the group") {
  PathOptions options;
  options.penalty = penalties::Group{0.25};
  Features features;
  features.group = {1, 0, 1, 0};
  features.group_weights = Vec{{2.0, 4.0}};
  const Vec scale = Vec::Ones(4);
  PenaltyFamily family(options, features, 1, scale);
  family.set_groups({true, true, true, true});
  CHECK(family.non_separable());
  CHECK(family.groups().members(1) == std::vector<Index>{0, 2});
  const GroupNorm norm = family.norm_of(1, 2.0);
  CHECK(norm.l1 == 6.0);
  CHECK(norm.each == 0.5);
  const Penalties net = family.at(std::vector<Index>{1, 3, 0, 2}, 2.0);
  CHECK(net.units() == 2);
  CHECK(net.begin(1) == 2);
}

TEST_CASE("slope: the largest weights for the penalised features there are") {
  PathOptions options;
  options.penalty = "slope";
  Features features;
  features.penalty_factor = Vec{{0.0, 1.0, 1.0}};
  features.sorted_weights = Vec{{3.0, 2.0, 1.0}};
  const Vec scale = Vec::Ones(3);
  const PenaltyFamily family(options, features, 1, scale);
  const Penalties net = family.at(std::vector<Index>{0, 2}, 2.0);
  REQUIRE(net.sorted() != nullptr);
  CHECK(net.sorted()->free == 1);
  CHECK(net.value(Vec{{9.0, -0.5}}) == doctest::Approx(3.0));
  CHECK(family.lambda_max(std::vector<Index>{1, 2}, Vec{{3.0, -2.0}}, 1e-3) == doctest::Approx(1.0));
}
