#pragma once

#include <algorithm>
#include <cmath>

/// Bounds kept as floats: rounding that never goes the wrong way.
namespace riata {

// Bounds kept as floats: reference products and thresholds of columns.
inline constexpr double kCopyError = 2e-4;  // usual error of a column's copy, relative to its norm
inline constexpr double kFloatNoise = 16.0 * 1.2e-7;
inline constexpr float kUp = 1.0f + 4.0e-7f;  // rounds a float bound upwards
inline constexpr double kFloatMost = 3e38;    // what is larger stands for "unbounded"
inline constexpr double kFloatLeast = 1e-30;  // thresholds below this count as zero: their rounding is not small

/// An upper bound in float; NaN becomes the largest.
inline float rounded_up(double value) {
  return value < kFloatMost ? static_cast<float>(value) * kUp : static_cast<float>(kFloatMost);
}

/// A lower bound of a threshold in float.
inline float rounded_down(double value) {
  if (std::abs(value) < kFloatLeast) return 0.0f;
  return static_cast<float>(std::clamp(value, -kFloatMost, kFloatMost)) * (value > 0.0 ? 1.0f - 4.0e-7f : kUp);
}

}  // namespace riata
