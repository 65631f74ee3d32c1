#pragma once

#include <functional>

#include "riata/penalty/penalties.hpp"
#include "riata/solver/inner.hpp"
#include "riata/solver/quadratic.hpp"

namespace riata {

/// As InnerProblem, for penalties of any kind.
struct PenalisedProblem {
  /// At most 1 when b, with its c, will do whatever the tolerance says.
  using Enough = std::function<double(const Vec& b, const Vec& c)>;

  Quadratic& model;
  const Penalties& penalty;
  double tolerance;
  Index max_iter;
  Counters& counters;
  const Poll& poll;
  bool descent_only = false;  // block coordinate descent without Newton steps
  Enough enough = {};
  bool symmetric = false;  // see Loss::symmetric()
  bool stale = false;      // c is of a point before b (GroupDescent only)
};

/// "prox": accelerated proximal gradient (Beck & Teboulle 2009) with gradient restart (O'Donoghue & Candes 2015).
InnerResult prox_gradient(PenalisedProblem problem, Vec& b, Vec& c);

}  // namespace riata
