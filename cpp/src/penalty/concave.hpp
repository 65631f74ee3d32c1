#pragma once

#include <algorithm>
#include <cmath>

#include "penalty/elastic_net.hpp"
#include "riata/model/penalty_spec.hpp"

namespace riata {

/// MCP (Zhang 2010) or SCAD (Fan & Li 2001) on one coefficient, by their slopes at |b|: l1 at zero, then falling
/// linearly to zero at gamma l1, from the start (MCP) or from l1 on (SCAD), and flat beyond. Unlike the l1 norm they
/// leave large coefficients alone, and are not convex. l1 already includes lambda and the penalty factor; `c` is the
/// negative gradient of the loss in b.
struct Concave {
  enum class Kind { kMcp, kScad };
  Kind kind = Kind::kMcp;
  double l1 = 0.0;
  double gamma = 3.0;  // > 1 (MCP), > 2 (SCAD)

  static constexpr double lower = -kInfinity, upper = kInfinity;

  /// How fast the slope falls where it does: the penalty plus half this times b^2 is convex.
  double concavity() const { return l1 == 0.0 ? 0.0 : kind == Kind::kMcp ? 1.0 / gamma : 1.0 / (gamma - 1.0); }

  /// The slope at |b| > 0, or its limit at zero.
  double slope(double size) const {
    const double end = gamma * l1;
    if (size >= end) return 0.0;
    return kind == Kind::kScad && size <= l1 ? l1 : (end - size) * concavity();
  }

  double value(double b) const {
    const double size = std::min(std::abs(b), gamma * l1);
    if (kind == Kind::kMcp) return size * (l1 - 0.5 * size * concavity());
    const double beyond = std::max(size - l1, 0.0);
    return size * l1 - 0.5 * beyond * beyond * concavity();
  }

  /// Distance from c to the subdifferential at b: zero exactly when b is stationary.
  double kkt_violation(double b, double c) const {
    if (b == 0.0) return std::max(std::abs(c) - l1, 0.0);
    return std::abs(c - std::copysign(slope(std::abs(b)), b));
  }

  /// argmin_b (b - z)^2 / (2 step) + value(b), the global one where there are several minima. Returns +0.0, never -0.0,
  /// at zero.
  double prox(double z, double step) const {
    const double size = std::abs(z), k = concavity();
    const double start = kind == Kind::kMcp ? 0.0 : l1, end = gamma * l1;
    double best = 0.0, least = 0.5 * size * size / step;
    const auto consider = [&](double b) {
      const double cost = 0.5 * (b - size) * (b - size) / step + value(b);
      if (cost < least) {
        best = b;
        least = cost;
      }
    };
    if (kind == Kind::kScad) consider(std::clamp(size - step * l1, 0.0, l1));
    if (step * k < 1.0) consider(std::clamp((size - step * k * end) / (1.0 - step * k), start, end));
    consider(std::max(size, end));
    return best == 0.0 ? 0.0 : std::copysign(best, z);
  }
};

/// What the options ask for, of a coefficient with this l1.
inline Concave single_penalty(const penalties::Mcp& spec, double l1) {
  return {Concave::Kind::kMcp, l1, spec.gamma};
}
inline Concave single_penalty(const penalties::Scad& spec, double l1) {
  return {Concave::Kind::kScad, l1, spec.gamma};
}

}  // namespace riata
