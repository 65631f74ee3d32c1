#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "riata/types.hpp"

namespace riata {

/// How the codes of some samples come to lie side by side, worked out once for all columns. For each word of 32
/// samples: the bits of the codes that are kept; for each s < kSampleMoves those that then move down by 2^s samples;
/// and how many bits are kept. Row after row, ceil(n / 32) words each.
///
/// Warren (2012), Hacker's Delight, 2nd ed., section 7-4: compress, here with codes of two bits.
struct SampleChoice {
  /// `rows` increase and lie in [0, n).
  SampleChoice(std::span<const Index> rows, Index n);

  std::vector<std::uint64_t> plan;
};

}  // namespace riata
