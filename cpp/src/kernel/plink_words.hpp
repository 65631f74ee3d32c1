#pragma once

// Packed genotypes as 64-bit words, for plink_tile.hpp.

#include <bit>
#include <cstring>

#include "simd.hpp"

namespace riata::RIATA_ISA {
namespace {

static_assert(std::endian::native == std::endian::little, "sample order is bit order in little-endian words only");
constexpr Index word_samples = 32;  // samples in 64 bits

RIATA_INLINE std::uint64_t load_word(const std::uint8_t* bytes) {
  std::uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

/// The last n % 32 samples of a column; codes beyond them are 0.
inline std::uint64_t load_tail(const std::uint8_t* bytes, Index samples) {
  std::uint64_t word = 0;
  for (Index b = 0; b < (samples + 3) / 4; ++b) word |= static_cast<std::uint64_t>(bytes[b]) << (8 * b);
  return word & ((std::uint64_t{1} << (2 * samples)) - 1);
}

}  // namespace
}  // namespace riata::RIATA_ISA
