#pragma once

// Some samples of packed genotypes put side by side, for plink_tile.hpp.

#include "plink.hpp"
#include "plink_words.hpp"
#include "simd.hpp"

namespace riata::RIATA_ISA {
namespace {

/// The words go through the moves many at a time, in loops that compilers turn into wide instructions; only what is
/// left of them is strung together word by word.
void take_samples(const std::uint8_t* col, const std::uint64_t* plan, Index n, std::uint8_t* out) {
  constexpr Index some = 64;
  const Index words = (n + word_samples - 1) / word_samples, whole = n / word_samples;
  const std::uint64_t* kept = plan + (kSampleMoves + 1) * words;
  std::uint64_t codes[some];
  std::uint64_t filling = 0;  // the word of `out` that is being filled, and how many of its bits are
  unsigned filled = 0;
  for (Index first = 0; first < words; first += some) {
    const Index count = words - first < some ? words - first : some;
    for (Index w = 0; w < count; ++w) {
      const Index at = first + w;
      codes[w] = at < whole ? load_word(col + 8 * at) : load_tail(col + 8 * at, n - word_samples * at);
    }
    for (Index w = 0; w < count; ++w) codes[w] &= plan[first + w];
    for (int step = 0; step < kSampleMoves; ++step) {
      const std::uint64_t* moves = plan + (step + 1) * words + first;
      for (Index w = 0; w < count; ++w) {
        const std::uint64_t moving = codes[w] & moves[w];
        codes[w] = (codes[w] ^ moving) | moving >> (2 << step);
      }
    }
    for (Index w = 0; w < count; ++w) {
      const unsigned bits = static_cast<unsigned>(kept[first + w]);
      filling |= codes[w] << filled;
      if (filled + bits < 64) {
        filled += bits;
        continue;
      }
      std::memcpy(out, &filling, sizeof filling);
      out += sizeof filling;
      filling = (codes[w] >> 1) >> (63 - filled);  // none where it was empty: a word cannot be moved by 64
      filled = filled + bits - 64;
    }
  }
  std::memcpy(out, &filling, (filled + 7) / 8);
}

}  // namespace
}  // namespace riata::RIATA_ISA
