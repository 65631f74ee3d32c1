#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "riata/design/hardy_weinberg.hpp"

using riata::GenotypeCounts;
using riata::hardy_weinberg;

namespace {

/// From the definition: the probability of each number of heterozygotes given the allele counts.
double by_enumeration(const GenotypeCounts& c) {
  const double n = c.zero + c.one + c.two, rare = c.one + 2.0 * std::min(c.zero, c.two);
  const auto log_probability = [&](double het) {
    const double homozygotes = (rare - het) / 2.0;
    return het * std::log(2.0) - std::lgamma(homozygotes + 1.0) - std::lgamma(het + 1.0) -
           std::lgamma(n - het - homozygotes + 1.0);
  };
  const double observed = log_probability(c.one);
  double all = 0.0, extreme = 0.0;
  for (double het = std::fmod(rare, 2.0); het <= rare; het += 2.0) {
    const double log_p = log_probability(het);
    all += std::exp(log_p - observed);
    if (log_p <= observed + 1e-7) extreme += std::exp(log_p - observed);
  }
  return extreme / all;
}

}  // namespace

TEST_CASE("the exact test of Hardy-Weinberg equilibrium agrees with its definition") {
  std::mt19937_64 rng(3);
  std::vector<GenotypeCounts> some = {{10, 0, 0, 1}, {0, 0, 7, 0}, {0, 9, 0, 0}, {1, 0, 1, 0}, {40, 1, 0, 0}};
  for (const std::uint32_t top : {4u, 30u, 150u})
    for (int k = 0; k < 100; ++k) {
      const auto draw = [&] { return static_cast<std::uint32_t>(rng() % top); };
      some.push_back({draw() + 1, draw(), draw(), draw()});
    }
  const riata::Vec together = hardy_weinberg(some, 2);
  for (std::size_t k = 0; k < some.size(); ++k) {
    CAPTURE(k);
    const double p = hardy_weinberg(some[k]);
    CHECK(p == doctest::Approx(by_enumeration(some[k])).epsilon(1e-8));
    CHECK(together[static_cast<riata::Index>(k)] == p);
    const GenotypeCounts swapped{some[k].two, some[k].one, some[k].zero, 0};
    CHECK(hardy_weinberg(swapped) == p);
  }
  CHECK(std::isnan(hardy_weinberg(GenotypeCounts{0, 0, 0, 5})));
  CHECK(hardy_weinberg(GenotypeCounts{10, 0, 0, 1}) == 1.0);
}

TEST_CASE("the exact test holds for half a million samples") {
  CHECK(hardy_weinberg({125000, 250000, 125000, 0}) == doctest::Approx(1.0));
  CHECK(hardy_weinberg({250000, 0, 250000, 0}) == 0.0);
  const double p = hardy_weinberg({126000, 248000, 126000, 0});
  const double normal = std::erfc(std::sqrt(500000.0) * 0.008 / std::sqrt(2.0));  // chi-square, one degree of freedom
  CHECK(p == doctest::Approx(normal).epsilon(0.05));
}
