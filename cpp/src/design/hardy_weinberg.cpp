#include "riata/design/hardy_weinberg.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "parallel.hpp"

namespace riata {
namespace {

constexpr double kTie = 1.0 + 1e-9;    // probabilities closer than this are equal but for rounding
constexpr double kNegligible = 1e-18;  // terms this small beside the sum end it
constexpr Index kVariantsPerChunk = 4096;

/// Numbers of heterozygotes in steps of two, and their probabilities relative to the one the walk starts at.
struct Walk {
  double het, rare, common;  // genotypes
  double probability = 1.0;

  void up() {
    probability *= 4.0 * rare * common / ((het + 2.0) * (het + 1.0));
    het += 2.0, rare -= 1.0, common -= 1.0;
  }
  void down() {
    probability *= het * (het - 1.0) / (4.0 * (rare + 1.0) * (common + 1.0));
    het -= 2.0, rare += 1.0, common += 1.0;
  }
};

}  // namespace

double hardy_weinberg(const GenotypeCounts& counts) {
  const std::int64_t het = counts.one, fewer = std::min(counts.zero, counts.two);
  const std::int64_t n = het + counts.zero + counts.two, rare = 2 * fewer + het;
  if (n == 0) return std::numeric_limits<double>::quiet_NaN();
  std::int64_t likely = static_cast<std::int64_t>(static_cast<double>(rare) * static_cast<double>(2 * n - rare) /
                                                  static_cast<double>(2 * n));
  likely += (likely ^ rare) & 1;
  const double rare_homozygotes = static_cast<double>((rare - likely) / 2);
  const Walk start{static_cast<double>(likely), rare_homozygotes, static_cast<double>(n - likely) - rare_homozygotes};
  const double observed = static_cast<double>(het);

  Walk seen = start;
  while (seen.het < observed) seen.up();
  while (seen.het > observed) seen.down();
  const double limit = seen.probability * kTie;

  double all = 1.0, extreme = 1.0 <= limit ? 1.0 : 0.0;
  const auto add = [&](double p) {
    all += p;
    if (p <= limit) extreme += p;
    return p > 0.0 && p >= kNegligible * extreme;
  };
  Walk walk = start;
  while (walk.het > 1.0) {
    walk.down();
    if (!add(walk.probability)) break;
  }
  walk = start;
  while (walk.rare > 0.0) {
    walk.up();
    if (!add(walk.probability)) break;
  }
  return std::min(1.0, extreme / all);
}

Vec hardy_weinberg(std::span<const GenotypeCounts> counts, int threads) {
  const Index total = static_cast<Index>(counts.size());
  Vec out(total);
  parallel_for((total + kVariantsPerChunk - 1) / kVariantsPerChunk, threads, [&](Index chunk) {
    const Index end = std::min(total, (chunk + 1) * kVariantsPerChunk);
    for (Index j = chunk * kVariantsPerChunk; j < end; ++j)
      out[j] = hardy_weinberg(counts[static_cast<std::size_t>(j)]);
  });
  return out;
}

}  // namespace riata
