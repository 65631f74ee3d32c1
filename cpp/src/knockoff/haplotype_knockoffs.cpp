#include <Eigen/Core>
#include <algorithm>
#include <stdexcept>
#include <string>

#include "knockoff/haplotype_chain_rows.hpp"
#include "knockoff/haplotype_kernels.hpp"
#include "parallel.hpp"
#include "riata/knockoff/haplotypes.hpp"

namespace riata {
namespace {

constexpr std::uint32_t kMissing = 0x55555555u;  // 16 codes 1
constexpr Index kColumnBlock = 1024;             // variants written by one thread at a time

/// The largest group; throws unless the ends are those of groups that cover all variants.
Index widest_of(std::span<const Index> ends, Index variants) {
  Index widest = 0, before = 0;
  for (const Index end : ends) {
    if (end <= before) throw std::invalid_argument("ends of groups must increase");
    widest = std::max(widest, end - before);
    before = end;
  }
  if (before != variants) throw std::invalid_argument("groups must cover all variants");
  return widest;
}

}  // namespace

void gather_samples(const std::uint8_t* packed, Index stride, Index variants, std::span<const Index> samples,
                    std::uint32_t* out, Index step) {
  const Index n = static_cast<Index>(samples.size());
  for (Index j = 0; j < variants; ++j, packed += stride) {
    for (Index first = 0; first < n; first += 16) {
      std::uint32_t word = kMissing;
      for (Index k = first; k < std::min(first + 16, n); ++k) {
        const Index i = samples[static_cast<std::size_t>(k)];
        const std::uint32_t code = packed[i / 4] >> (2 * (i % 4)) & 3;
        word ^= (code ^ 1u) << (2 * (k - first));
      }
      out[first / 16 * step + j] = word;
    }
  }
}

void scatter_samples(const GenotypeWords& genotypes, std::span<const Index> samples, std::span<const Index> columns,
                     std::uint8_t* packed, Index stride, int threads) {
  const Index p = genotypes.variants, n = genotypes.samples;
  parallel_for((p + kColumnBlock - 1) / kColumnBlock, threads, [&](Index block) {
    for (Index j = block * kColumnBlock; j < std::min((block + 1) * kColumnBlock, p); ++j) {
      std::uint8_t* const row = packed + columns[static_cast<std::size_t>(j)] * stride;
      for (Index k = 0; k < n; ++k) {
        const Index i = samples[static_cast<std::size_t>(k)];
        const std::uint32_t code = genotypes.words[k / 16 * p + j] >> (2 * (k % 16)) & 3;
        const int at = static_cast<int>(2 * (i % 4));
        row[i / 4] = static_cast<std::uint8_t>((row[i / 4] & ~(3u << at)) | code << at);
      }
    }
  });
}

void knock_off_haplotypes(const GenotypeWords& genotypes, const HaplotypeChain& chain, std::span<const Index> ends,
                          std::span<const std::uint8_t> fixed, const KnockoffKey& key, std::uint32_t* out, int threads,
                          const Poll& poll) {
  const OwnedRows<float> rows(chain);
  const Index p = chain.variants, K = chain.clusters;
  if (genotypes.variants != p) throw std::invalid_argument("genotypes must have the variants of the chain");
  if (static_cast<Index>(fixed.size()) != p) throw std::invalid_argument("fixed must have an entry a variant");
  const Index widest = widest_of(ends, p);
  const HaplotypePasses& passes = haplotype_kernels().passes(genotypes.phased);
  const PollScope scope(poll);
  parallel_for(genotypes.batches(), threads, [&](Index k) {
    Eigen::ArrayXf work(knockoff_work(p, K, widest, genotypes.phased));
    const std::uint32_t* codes = genotypes.words + k * p;
    std::uint32_t* mine = out + k * p;
    passes.knock_off({rows.view(), ends.data(), static_cast<Index>(ends.size()), key.key,
                      key.first_batch + static_cast<std::uint32_t>(k), codes, mine, work.data()});
    for (Index j = 0; j < p; ++j) {
      if (fixed[static_cast<std::size_t>(j)] != 0) mine[j] = codes[j];
    }
  });
}

std::vector<double> haplotype_law(const HaplotypeChain& chain, std::span<const Index> ends, std::span<const Index> path,
                                  std::span<const Index> knockoff) {
  const OwnedRows<double> rows(chain);
  const Index p = chain.variants, K = chain.clusters;
  if (static_cast<Index>(path.size()) != p || static_cast<Index>(knockoff.size()) != p) {
    throw std::invalid_argument("path and knockoff must have a cluster for each variant");
  }
  const std::vector<double> one(path.begin(), path.end()), two(knockoff.begin(), knockoff.end());
  std::vector<double> out(static_cast<std::size_t>(p * K));
  std::vector<double> work(static_cast<std::size_t>(p + chain_work(K, widest_of(ends, p))));
  haplotype_baseline->law(rows.view(), ends.data(), static_cast<Index>(ends.size()), one.data(), two.data(),
                          work.data(), out.data());
  return out;
}

}  // namespace riata
