#pragma once

#include "riata/solver/held_gram.hpp"
#include "riata/solver/penalised.hpp"

namespace riata {

/// SLOPE (one output): proximal gradient steps find which coefficients cluster at a common size, in which order (as
/// Bogdan et al. 2015); on the sizes of the clusters the penalty is linear and a Newton step takes over (as Luo et al.
/// 2019 do in the dual), cut where the order would change.
class SortedNewton {
 public:
  /// Renumbers features after the working set changed: old number -> new number or -1.
  void renumber(std::span<const Index> new_number) { gram_.renumber(new_number); }
  /// The curvature changed.
  void forget() { gram_.clear(); }

  /// Starts at b, where the model's last expand() or correlations() was, with c right there; ends with c right on the
  /// whole working set.
  InnerResult solve(PenalisedProblem problem, Vec& b, Vec& c);

  /// See path/archive.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(gram_, lipschitz_);
  }

 private:
  bool descend(PenalisedProblem& problem, int steps, Vec& b, Vec& c);
  bool newton(PenalisedProblem& problem, Index most, Vec& b, Vec& c);

  HeldGram gram_;
  double lipschitz_ = 0.0;  // of the gradient, as far as steps have met it
};

}  // namespace riata
