#pragma once

#include <cmath>
#include <numbers>

#include "knockoff/philox.hpp"
#include "riata/knockoff/gaussian.hpp"

namespace riata {

/// A number in (0, 1) of 53 bits.
inline double unit_number(std::uint32_t high, std::uint32_t low) {
  const std::uint64_t bits = (std::uint64_t{high} << 32 | low) >> 12;
  return (static_cast<double>(bits) + 0.5) * 0x1p-52;
}

/// Standard normal numbers of rows first, ..., first + count - 1 of a column (Box & Muller 1958): each hangs on the
/// seed, the draw, the column and the row alone. `first` is even.
inline void fill_normal(const KnockoffSeed& seed, Index column, Index first, Index count, double* out) {
  const auto low = [](std::uint64_t word) { return static_cast<std::uint32_t>(word); };
  const auto j = static_cast<std::uint64_t>(column);
  for (Index i = 0; i < count; i += 2) {
    const auto pair = static_cast<std::uint64_t>((first + i) / 2);
    // A column has fewer than 2^33 rows, and a design fewer than 2^32 columns, or these words would repeat.
    const auto words = philox({low(pair), low(j), low(j >> 32), seed.draw}, {low(seed.seed), low(seed.seed >> 32)});
    const double radius = std::sqrt(-2.0 * std::log(unit_number(words[0], words[1])));
    const double angle = 2.0 * std::numbers::pi * unit_number(words[2], words[3]);
    out[i] = radius * std::cos(angle);
    if (i + 1 < count) out[i + 1] = radius * std::sin(angle);
  }
}

}  // namespace riata
