#pragma once

// Knockoffs of the genotypes of a batch of samples: haplotypes that the genotypes may have come from, a knockoff of
// each, and alleles read from those. In the namespace of an instruction set.

#include "knockoff/haplotype_chain.hpp"
#include "knockoff/haplotype_messages.hpp"
#include "knockoff/haplotype_random.hpp"
#include "knockoff/haplotype_single.hpp"

namespace riata::RIATA_ISA {
namespace {

enum Purpose : std::uint32_t { kWhoJumped, kFirstCluster, kSecondCluster, kKnockoff, kAllele = kKnockoff + 2 };

RIATA_INLINE Index pair_number(Index a, Index c) {
  return a >= c ? a * (a + 1) / 2 + c : c * (c + 1) / 2 + a;
}

/// One sample within a message.
struct Sample {
  Message message;
  Index K;
  int lane;

  float pair(Index a, Index c) const { return message.pairs[pair_number(a, c) * kLanes + lane]; }
  float sum_over_partners(Index a) const { return message.sums[a * kLanes + lane]; }

  /// Draws a cluster by the sums over partners.
  Index draw(float u) const {
    float bound = 0.0f, passed = 0.0f;
    for (Index a = 0; a < K; ++a) bound += sum_over_partners(a);
    bound *= u;
    Index a = 0;
    for (; a + 1 < K; ++a) {
      passed += sum_over_partners(a);
      if (bound < passed) break;
    }
    return a;
  }
  /// Draws the partner of a cluster.
  Index draw_partner(Index a, float u) const {
    float bound = 0.0f, passed = 0.0f;
    for (Index c = 0; c < K; ++c) bound += pair(a, c);
    bound *= u;
    Index c = 0;
    for (; c + 1 < K; ++c) {
      passed += pair(a, c);
      if (bound < passed) break;
    }
    return c;
  }
};

/// Numbers of the draws of one variant, made when they are first asked for.
struct Uniforms {
  RandomPlace place;
  Index variant;
  int first;
  bool made = false;
  float numbers[2 * kLanes];

  float get(int which, int lane) {
    if (!made) {
      place.purpose = kFirstCluster;
      uniforms(place, variant, first, kLanes, numbers);
      place.purpose = kSecondCluster;
      uniforms(place, variant, first, kLanes, numbers + kLanes);
      made = true;
    }
    return numbers[which * kLanes + lane];
  }
};

/// The clusters of two haplotypes at the last variant.
RIATA_INLINE void draw_last(Pair, Sample at, Uniforms& more, Index* clusters) {
  clusters[0] = at.draw(more.get(0, at.lane));
  clusters[1] = at.draw_partner(clusters[0], more.get(1, at.lane));
}
RIATA_INLINE void draw_last(Single, Sample at, Uniforms& more, Index* clusters) {
  clusters[0] = at.draw(more.get(0, at.lane));
}

/// The clusters of two haplotypes at a variant, given those at the next one: four cases, by who jumped between them.
RIATA_INLINE void draw_before(Pair, const float* next_row, Sample at, float u, Uniforms& more, Index* clusters) {
  Index &one = clusters[0], &two = clusters[1];
  const float b = next_row[0], jump = 1.0f - b, inverse = at.message.inverse[at.lane];
  const float to_one = jump * next_row[1 + one], to_two = jump * next_row[1 + two];
  const float none = b * b * inverse * at.pair(one, two);
  const float only_one = b * to_one * inverse * at.sum_over_partners(two);
  const float only_two = b * to_two * inverse * at.sum_over_partners(one);
  const float bound = u * (none + only_one + only_two + to_one * to_two);
  if (bound < none) return;
  if (bound < none + only_one) {
    one = at.draw_partner(two, more.get(0, at.lane));
  } else if (bound < none + only_one + only_two) {
    two = at.draw_partner(one, more.get(0, at.lane));
  } else {
    one = at.draw(more.get(0, at.lane));
    two = at.draw_partner(one, more.get(1, at.lane));
  }
}

RIATA_INLINE void draw_before(Single, const float* next_row, Sample at, float u, Uniforms& more, Index* clusters) {
  const float b = next_row[0], landed = (1.0f - b) * next_row[1 + clusters[0]];
  const float stayed = b * at.message.inverse[at.lane] * at.sum_over_partners(clusters[0]);
  if (u * (stayed + landed) < stayed) return;
  clusters[0] = at.draw(more.get(0, at.lane));
}

/// Draws the clusters of each haplotype given the genotypes, (variants, lanes).
template <class Model>
inline void draw_paths(const KnockoffTask& task, int first, float* work, float* const* paths) {
  const Index K = task.chain.clusters, p = task.chain.variants, size = message_floats<Model>(K), width = 2 * K + 1;
  const Index blocks = (p + kHaplotypeBlock - 1) / kHaplotypeBlock;
  float* const starts = work;
  float* const kept = starts + blocks * size;  // the message before a block, then those of its variants
  float* const scratch = kept + (kHaplotypeBlock + 2) * size;
  const auto pass = [&](Index start, Index stop) {
    for (Index j = start; j < stop; ++j) {
      const Message before = message_at<Model>(kept + (j - start) * size, K);
      const Message after = message_at<Model>(kept + (j - start + 1) * size, K);
      const Codes codes = codes_of(task.codes[j], first);
      forward<false>(Model{}, task.chain.rows + j * width, K, codes, before, after, nullptr, scratch);
    }
  };
  const auto end_of = [&](Index block) {
    const Index stop = (block + 1) * kHaplotypeBlock;
    return stop < p ? stop : p;
  };
  const Message begin = message_at<Model>(kept, K);
  clear<Model>(begin, K);
  for (Index block = 0; block < blocks; ++block) {
    copy<Model>(begin, message_at<Model>(starts + block * size, K), K);
    pass(block * kHaplotypeBlock, end_of(block));
    copy<Model>(message_at<Model>(kept + kHaplotypeBlock * size, K), begin, K);
  }
  Index clusters[kLanes][Model::haplotypes];
  for (Index block = blocks - 1; block >= 0; --block) {
    const Index start = block * kHaplotypeBlock;
    copy<Model>(message_at<Model>(starts + block * size, K), begin, K);
    pass(start, end_of(block));
    for (Index j = end_of(block) - 1; j >= start; --j) {
      float u[kLanes];
      uniforms({task.key, task.batch, kWhoJumped}, j, first, kLanes, u);
      Uniforms more{{task.key, task.batch, kFirstCluster}, j, first, false, {}};
      for (int l = 0; l < kLanes; ++l) {
        const Sample at{message_at<Model>(kept + (j - start + 1) * size, K), K, l};
        if (j + 1 == p) {
          draw_last(Model{}, at, more, clusters[l]);
        } else {
          draw_before(Model{}, task.chain.rows + (j + 1) * width, at, u[l], more, clusters[l]);
        }
        for (std::uint32_t h = 0; h < Model::haplotypes; ++h) {
          paths[h][j * kLanes + l] = static_cast<float>(clusters[l][h]);
        }
      }
    }
  }
}

/// Genotypes read from haplotypes into words of 16 codes; missing calls stay missing.
template <class Model>
inline void read_alleles(const KnockoffTask& task, int first, const float* const* paths) {
  const Index K = task.chain.clusters, width = 2 * K + 1;
  for (Index j = 0; j < task.chain.variants; ++j) {
    const float* theta = task.chain.rows + j * width + 1 + K;
    float u[Model::haplotypes][kLanes];
    for (std::uint32_t h = 0; h < Model::haplotypes; ++h) {
      uniforms({task.key, task.batch, kAllele + h}, j, first, kLanes, u[h]);
    }
    std::uint32_t word = 0;
    for (int l = 0; l < kLanes; ++l) {
      int copies = 0;
      for (std::uint32_t h = 0; h < Model::haplotypes; ++h) {
        copies += u[h][l] < theta[static_cast<int>(paths[h][j * kLanes + l])] ? 1 : 0;
      }
      const int at = 2 * (first + l);
      const std::uint32_t given = task.codes[j] >> at & 3;
      word |= (given == 1 ? 1u : Model::code_of[copies]) << at;
    }
    task.out[j] |= word;
  }
}

template <class Model>
inline void knock_off(const KnockoffTask& task) {
  const Index K = task.chain.clusters, p = task.chain.variants;
  float* const paths = task.work + kept_messages(p, K, Model::phased) + 12 * K * kHaplotypeBatch;
  float* const chain_memory = paths + 4 * p * kHaplotypeBatch;
  for (Index j = 0; j < p; ++j) task.out[j] = 0;
  for (int first = 0; first < kHaplotypeBatch; first += kLanes) {
    float *path[2] = {paths, paths + p * kLanes}, *knockoff[2] = {path[1] + p * kLanes, path[1] + 2 * p * kLanes};
    draw_paths<Model>(task, first, task.work, path);
    for (std::uint32_t h = 0; h < Model::haplotypes; ++h) {
      const RandomPlace place{task.key, task.batch, kKnockoff + h};
      knock_off_chain<Lanes>(task.chain, task.ends, task.groups, path[h], knockoff[h], chain_memory,
                             [&](Index j, const float* weights) {
                               float u[kLanes];
                               uniforms(place, j, first, kLanes, u);
                               return pick(weights, K, Lanes::load(u));
                             });
    }
    read_alleles<Model>(task, first, knockoff);
  }
}

}  // namespace
}  // namespace riata::RIATA_ISA
