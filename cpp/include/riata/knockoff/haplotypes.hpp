#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "riata/types.hpp"

namespace riata {

/// Haplotypes along a chromosome as mosaics of those of K clusters (Scheet & Stephens 2006):
///   z_0 ~ alpha_0,   P(z_j = l | z_(j-1) = k) = b_j [k = l] + (1 - b_j) alpha_jl,   allele with probability theta_jz,
/// and genotypes as sums of two independent ones.
struct HaplotypeChain {
  Index variants = 0, clusters = 0;
  std::vector<double> stay;     // b, (variants,); b_0 = 0
  std::vector<double> landing;  // alpha, (variants, clusters), row after row; rows sum to 1
  std::vector<double> allele;   // theta, as alpha
};

/// Genotypes of samples, 16 in a word of PLINK's 2-bit codes: word j of batch k is words[k * variants + j], its sample
/// i at bits 2i. Codes of samples that there are not are those of missing calls. When `phased`, each sample is one
/// haplotype, its allele two copies and the other none.
struct GenotypeWords {
  Index samples = 0, variants = 0;
  const std::uint32_t* words = nullptr;
  bool phased = false;

  Index batches() const { return (samples + 15) / 16; }
};

/// Words of some samples of variants in PLINK's 2-bit codes, `stride` bytes each; out[k * step + j] as GenotypeWords.
void gather_samples(const std::uint8_t* packed, Index stride, Index variants, std::span<const Index> samples,
                    std::uint32_t* out, Index step);
/// The other way round: sets the codes of these samples in the variants `columns` of `packed`, and no others.
void scatter_samples(const GenotypeWords& genotypes, std::span<const Index> samples, std::span<const Index> columns,
                     std::uint8_t* packed, Index stride, int threads);

/// Where EM starts: clusters are haplotypes near genotypes of samples drawn by `seed`.
HaplotypeChain start_haplotypes(const GenotypeWords& genotypes, Index clusters, std::uint64_t seed);

struct HaplotypeStep {
  HaplotypeChain chain;
  double log_likelihood = 0.0;  // of the chain that the step began with
};

/// One step of EM over unordered pairs of clusters, or over clusters when haplotypes are known; the likelihood does not
/// fall (but for rounding: messages are floats). theta, alpha and 1 - b are kept from 0 by 1e-5. The same numbers for
/// any number of threads. Time is about 30 K^2 operations a genotype, or 30 K a haplotype that is known; memory 24 K
/// bytes a variant for each of up to 16 parts of the samples.
HaplotypeStep step_haplotypes(const GenotypeWords& genotypes, const HaplotypeChain& chain, int threads,
                              const Poll& poll);

/// Which random numbers are used: none are shared by other keys or batches.
struct KnockoffKey {
  std::uint64_t key = 0;
  std::uint32_t first_batch = 0;  // of the batches in hand
};

/// Knockoffs of genotypes. Latent haplotypes are drawn given the genotypes, a knockoff of each so that the columns of
/// any set of groups can be swapped with theirs (Sesia, Sabatti & Candes 2019; Sesia et al. 2020), and alleles from
/// those. `ends` are the ends of groups of consecutive variants. Missing calls stay missing; variants that are `fixed`
/// are copied. Writes words as `genotypes` has them; the same for any number of threads, and of batches in hand.
void knock_off_haplotypes(const GenotypeWords& genotypes, const HaplotypeChain& chain, std::span<const Index> ends,
                          std::span<const std::uint8_t> fixed, const KnockoffKey& key, std::uint32_t* out, int threads,
                          const Poll& poll);

/// The law that knockoffs of one haplotype are drawn from, in double: for each variant of `path` the probabilities
/// (variants, clusters) of its knockoff's cluster, given the path and, of `knockoff`, groups before and later variants
/// of its own group.
std::vector<double> haplotype_law(const HaplotypeChain& chain, std::span<const Index> ends, std::span<const Index> path,
                                  std::span<const Index> knockoff);

}  // namespace riata
