#include "design/sample_choice.hpp"

#include <bit>
#include <cassert>

#include "kernel/plink.hpp"

namespace riata {

SampleChoice::SampleChoice(std::span<const Index> rows, Index n)
    : plan(static_cast<std::size_t>((kSampleMoves + 2) * ((n + 31) / 32)), 0) {
  const std::size_t words = plan.size() / (kSampleMoves + 2);
  for ([[maybe_unused]] Index last = -1; const Index i : rows) {
    assert(last < i && i < n);
    last = i;
    plan[static_cast<std::size_t>(i / 32)] |= std::uint64_t{3} << (2 * (i % 32));
  }
  for (std::size_t w = 0; w < words; ++w) {
    std::uint64_t kept = plan[w];
    plan[static_cast<std::size_t>(kSampleMoves + 1) * words + w] = static_cast<std::uint64_t>(std::popcount(kept));
    // Both bits of a code: whether the number of codes left out below it, halved each time, is odd.
    std::uint64_t left_out = ~kept << 2;
    for (int step = 0; step < kSampleMoves; ++step) {
      std::uint64_t odd = left_out;
      for (int by = 2; by < 64; by *= 2) odd ^= odd << by;
      const std::uint64_t moving = odd & kept;
      plan[static_cast<std::size_t>(step + 1) * words + w] = moving;
      kept = (kept ^ moving) | moving >> (2 << step);
      left_out &= ~odd;
    }
  }
}

}  // namespace riata
