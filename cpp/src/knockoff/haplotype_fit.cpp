#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>

#include "knockoff/haplotype_chain_rows.hpp"
#include "knockoff/haplotype_kernels.hpp"
#include "parallel.hpp"
#include "riata/knockoff/haplotypes.hpp"

namespace riata {
namespace {

constexpr double kLeast = 1e-5;  // of theta, 1 - theta, alpha and 1 - b: messages stay within the range of floats
constexpr double kPartBytes = 256e6;

/// Numbers in [0, 1) from a counter (SplitMix64, Steele, Lea & Flood 2014).
class Counter {
 public:
  explicit Counter(std::uint64_t seed) : state_(seed) {}
  double operator()() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
  }

 private:
  std::uint64_t state_;
};

std::uint32_t code_of(const GenotypeWords& genotypes, Index sample, Index variant) {
  return genotypes.words[sample / 16 * genotypes.variants + variant] >> (2 * (sample % 16)) & 3;
}

double kept_from_0(double probability) {
  return std::clamp(probability, kLeast, 1.0 - kLeast);
}

/// The probabilities that make sum_a count_a log p_a largest among those of at least kLeast.
void maximise(const double* counts, Index K, double* p) {
  const double sum = std::accumulate(counts, counts + K, 0.0);
  if (!(sum > 0.0)) return;
  std::vector<bool> held(static_cast<std::size_t>(K), false);
  double free = sum, share = 1.0;
  for (bool again = true; again;) {
    again = false;
    for (Index a = 0; a < K; ++a) {
      if (held[static_cast<std::size_t>(a)] || counts[a] * share >= kLeast * free) continue;
      held[static_cast<std::size_t>(a)] = again = true;
    }
    free = 0.0, share = 1.0;
    for (Index a = 0; a < K; ++a) {
      if (held[static_cast<std::size_t>(a)]) {
        share -= kLeast;
      } else {
        free += counts[a];
      }
    }
  }
  for (Index a = 0; a < K; ++a) p[a] = held[static_cast<std::size_t>(a)] ? kLeast : counts[a] * share / free;
}

/// The chain that the expectations of `samples` samples make most likely.
HaplotypeChain maximise(const HaplotypeChain& chain, const std::vector<double>& sums, Index samples) {
  HaplotypeChain out = chain;
  const Index K = chain.clusters;
  for (Index j = 0; j < chain.variants; ++j) {
    const double *jumps = &sums[static_cast<std::size_t>(3 * K * j)], *copies = jumps + K, *others = copies + K;
    const auto row = static_cast<std::size_t>(j * K);
    const double jumped = std::accumulate(jumps, jumps + K, 0.0) / static_cast<double>(samples);
    out.stay[static_cast<std::size_t>(j)] = j == 0 ? 0.0 : 1.0 - std::clamp(jumped, kLeast, 1.0);
    maximise(jumps, K, &out.landing[row]);
    for (Index a = 0; a < K; ++a) {
      const double reads = copies[a] + others[a];
      if (reads > 0.0) out.allele[row + static_cast<std::size_t>(a)] = kept_from_0(copies[a] / reads);
    }
  }
  return out;
}

}  // namespace

HaplotypeChain start_haplotypes(const GenotypeWords& genotypes, Index clusters, std::uint64_t seed) {
  const Index n = genotypes.samples, p = genotypes.variants;
  if (clusters < 1) throw std::invalid_argument("clusters must be >= 1, got " + std::to_string(clusters));
  if (n < 1 || p < 1) throw std::invalid_argument("genotypes must have a sample and a variant");
  const auto size = static_cast<std::size_t>(p), K = static_cast<std::size_t>(clusters);
  HaplotypeChain out{p, clusters, std::vector<double>(size, 0.98),
                     std::vector<double>(size * K, 1.0 / static_cast<double>(clusters)), std::vector<double>(size * K)};
  out.stay[0] = 0.0;
  Counter random(seed);
  std::vector<Index> founders;
  for (Index a = 0; a < clusters; ++a) {
    founders.push_back(std::min(static_cast<Index>(random() * static_cast<double>(n)), n - 1));
  }
  for (Index j = 0; j < p; ++j) {
    double copies = 0.5, calls = 1.0;  // half a copy of each allele keeps the frequency from 0
    for (Index k = 0; k < n; ++k) {
      const std::uint32_t code = code_of(genotypes, k, j);
      if (code == 1) continue;
      copies += code == 0 ? 2.0 : code == 2 ? 1.0 : 0.0;
      calls += 2.0;
    }
    const double frequency = copies / calls;
    for (std::size_t a = 0; a < K; ++a) {
      const std::uint32_t code = code_of(genotypes, founders[a], j);
      const double own = code == 0 ? 1.0 : code == 2 ? 0.5 : code == 3 ? 0.0 : frequency;
      const double theta = 0.4 * own + 0.4 * frequency + 0.2 * random();
      out.allele[static_cast<std::size_t>(j) * K + a] = kept_from_0(theta);
    }
  }
  return out;
}

HaplotypeStep step_haplotypes(const GenotypeWords& genotypes, const HaplotypeChain& chain, int threads,
                              const Poll& poll) {
  const OwnedRows<float> rows(chain);
  const Index p = chain.variants, K = chain.clusters, batches = genotypes.batches();
  if (genotypes.variants != p) throw std::invalid_argument("genotypes must have the variants of the chain");
  const auto size = static_cast<std::size_t>(3 * K * p);
  const double most = std::floor(kPartBytes / (8.0 * static_cast<double>(size)));
  const Index parts = std::min(batches, static_cast<Index>(std::clamp(most, 4.0, 16.0)));
  std::vector<std::vector<double>> sums(static_cast<std::size_t>(parts));
  std::vector<double> likelihood(static_cast<std::size_t>(parts), 0.0);
  const HaplotypePasses& passes = haplotype_kernels().passes(genotypes.phased);
  const PollScope scope(poll);
  parallel_for(parts, threads, [&](Index part) {
    std::vector<double>& mine = sums[static_cast<std::size_t>(part)];
    mine.assign(size, 0.0);
    Eigen::ArrayXf work(expectation_work(p, K, genotypes.phased));
    for (Index k = part * batches / parts; k < (part + 1) * batches / parts; ++k) {
      PollScope::check();
      const int used = static_cast<int>(std::min<Index>(kHaplotypeBatch, genotypes.samples - k * kHaplotypeBatch));
      likelihood[static_cast<std::size_t>(part)] +=
          passes.expect(rows.view(), genotypes.words + k * p, used, work.data(), mine.data());
    }
  });
  for (std::size_t part = 1; part < sums.size(); ++part) {
    for (std::size_t k = 0; k < size; ++k) sums[0][k] += sums[part][k];
  }
  return {maximise(chain, sums[0], genotypes.samples), std::accumulate(likelihood.begin(), likelihood.end(), 0.0)};
}

}  // namespace riata
