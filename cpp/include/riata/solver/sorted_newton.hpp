#pragma once

#include "riata/solver/held_gram.hpp"
#include "riata/solver/penalised.hpp"

namespace riata {

/// SLOPE (one output), an active-set method on the clusters of coefficients of one size. With these, their signs and
/// their order fixed the penalty is linear, and the sizes go to their minimum by Newton steps that merge clusters where
/// they meet (solver/cluster_face.hpp; Luo et al. 2019 solve such systems in the dual). A proximal step then splits
/// those that the gradient pulls apart, zero among them (Bogdan et al. 2015). The objective falls from one minimum to
/// the next, so that none comes twice, and there are finitely many.
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
  Index minimise_sizes(PenalisedProblem& problem, Index most, Vec& b, Vec& c);

  HeldGram gram_;
  double lipschitz_ = 0.0;  // of the gradient, as far as steps have met it
};

}  // namespace riata
