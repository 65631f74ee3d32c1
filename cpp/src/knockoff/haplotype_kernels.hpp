#pragma once

#include <cstddef>
#include <cstdint>

namespace riata {

constexpr int kHaplotypeBatch = 16;  // samples whose messages are computed together
constexpr int kHaplotypeBlock = 64;  // variants whose messages are kept; those before are computed again from the last

/// A chain of K clusters along the variants of a chromosome. Row j holds b_j, then alpha_j1 .. alpha_jK, then
/// theta_j1 .. theta_jK (b_0 = 0).
template <class Real>
struct ChainRows {
  std::ptrdiff_t variants, clusters;
  const Real* rows;
};

/// Where knockoffs of a batch of samples come from and go to.
struct KnockoffTask {
  ChainRows<float> chain;
  const std::ptrdiff_t* ends;  // of the groups of consecutive variants
  std::ptrdiff_t groups;
  std::uint64_t key;
  std::uint32_t batch;         // of random numbers
  const std::uint32_t* codes;  // a word of 16 codes for each variant
  std::uint32_t* out;          // the same of the knockoffs
  float* work;                 // knockoff_work() floats
};

/// The loops along a chain for samples of one kind.
struct HaplotypePasses {
  /// Adds to `sums`, 3K numbers for each variant: the expected jumps of one haplotype that land in each cluster,
  /// expected copies of the allele read from it, and of the other allele, over the first `used` samples of a batch.
  /// Returns their log-likelihood. `work` has expectation_work() floats.
  double (*expect)(ChainRows<float> chain, const std::uint32_t* codes, int used, float* work, double* sums);
  void (*knock_off)(const KnockoffTask& task);
};

/// Those of one instruction set. Results do not depend on it but for rounding.
struct HaplotypeKernels {
  HaplotypePasses unphased;  // of samples of two haplotypes that are not told apart
  HaplotypePasses phased;    // of samples that are one haplotype each
  /// For each variant the law of its knockoff's cluster given the path, and of the knockoff what was drawn before it:
  /// the knockoffs of groups before, and of later variants of its group.
  void (*law)(ChainRows<double> chain, const std::ptrdiff_t* ends, std::ptrdiff_t groups, const double* path,
              const double* knockoff, double* work, double* out);

  const HaplotypePasses& passes(bool are_phased) const { return are_phased ? phased : unphased; }
};

/// Floats of f over all pairs of clusters (none of haplotypes that are known), sums over one of them, and the total,
/// for a batch.
constexpr std::ptrdiff_t message_size(std::ptrdiff_t clusters, bool phased) {
  return ((phased ? 0 : clusters * (clusters + 1) / 2) + clusters + 1) * kHaplotypeBatch;
}
/// Floats of the messages that a pass keeps: before each block, and of a block.
constexpr std::ptrdiff_t kept_messages(std::ptrdiff_t variants, std::ptrdiff_t clusters, bool phased) {
  return ((variants + kHaplotypeBlock - 1) / kHaplotypeBlock + kHaplotypeBlock + 4) * message_size(clusters, phased);
}
constexpr std::ptrdiff_t expectation_work(std::ptrdiff_t variants, std::ptrdiff_t clusters, bool phased) {
  return kept_messages(variants, clusters, phased) + 2 * message_size(clusters, phased) +
         12 * clusters * kHaplotypeBatch;
}
/// Floats (or doubles) for knockoffs of one haplotype of a batch, with groups of at most `widest` variants.
constexpr std::ptrdiff_t chain_work(std::ptrdiff_t clusters, std::ptrdiff_t widest) {
  return (widest + 3) * clusters * kHaplotypeBatch;
}
constexpr std::ptrdiff_t knockoff_work(std::ptrdiff_t variants, std::ptrdiff_t clusters, std::ptrdiff_t widest,
                                       bool phased) {
  return kept_messages(variants, clusters, phased) + 4 * variants * kHaplotypeBatch + chain_work(clusters, widest) +
         12 * clusters * kHaplotypeBatch;
}

/// One table per instruction set; null where the compiler does not target it.
extern const HaplotypeKernels* const haplotype_baseline;
extern const HaplotypeKernels* const haplotype_avx2;
extern const HaplotypeKernels* const haplotype_avx512;

/// The one that isa() names.
const HaplotypeKernels& haplotype_kernels();

}  // namespace riata
