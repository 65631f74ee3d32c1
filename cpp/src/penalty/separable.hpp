#pragma once

#include <concepts>

namespace riata {

/// A penalty of one coefficient, as solvers that move one at a time see it: its value; argmin_b (b - z)^2 / (2 step) +
/// value(b); the distance of c, minus the gradient of the rest, to its subdifferential at b; and the bounds of b.
template <class P>
concept SeparablePenalty = requires(const P& penalty, double number) {
  { penalty.value(number) } -> std::same_as<double>;
  { penalty.prox(number, number) } -> std::same_as<double>;
  { penalty.kkt_violation(number, number) } -> std::same_as<double>;
  { penalty.lower } -> std::convertible_to<double>;
  { penalty.upper } -> std::convertible_to<double>;
};

/// One that is not convex: its slope at |b|, how fast that falls at most, and l1, the slope at zero.
template <class P>
concept ConcavePenalty = SeparablePenalty<P> && requires(const P& penalty, double number) {
  { penalty.slope(number) } -> std::same_as<double>;
  { penalty.concavity() } -> std::same_as<double>;
  { penalty.l1 } -> std::convertible_to<double>;
};

}  // namespace riata
