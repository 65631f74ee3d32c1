#pragma once

#include <vector>

#include "riata/types.hpp"

namespace riata {

/// Lambdas that are fitted on the way to the next one of a grid and not kept: a long step costs more than the short
/// ones that it takes the place of, and a penalty that is not convex leads elsewhere by it.
struct Continuation {
  Index target = -1;            // place in the grid of the lambda that it leads to
  std::vector<double> lambdas;  // those left, decreasing

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(target, lambdas);
  }
};

/// Features that one step may make active; of fewer than that no step is too long.
inline constexpr Index kEntering = 512;

/// Steps that lead from one lambda down to another.
double steps_between(double from, double to);

/// Whether one lambda is so far below another that others between them may pay.
bool far_below(double from, double to);

/// The lambda one step below `from`.
double step_below(double from);

/// The fewest lambdas strictly between two, in steps of one ratio that are short enough.
std::vector<double> lambdas_between(double from, double to);

}  // namespace riata
