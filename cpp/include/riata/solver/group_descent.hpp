#pragma once

#include <unordered_map>

#include "riata/solver/penalised.hpp"

namespace riata {

/// Block coordinate descent for groups of features (one output): each group in turn goes to its minimum, by the exact
/// norm equation in the eigenbasis of its Gram matrix (Yang & Hastie 2024) or, with an l1 part, by proximal steps in it
/// (Simon et al. 2013); sweeps over what is active are extrapolated (Anderson type II).
class GroupDescent {
 public:
  /// Renumbers features after the working set changed: old number -> new number or -1.
  void renumber(std::span<const Index> new_number);
  /// The curvature changed.
  void forget() { bases_.clear(); }

  /// Starts at b, where the model's last expand() or correlations() was, with c right there; ends with c right on the
  /// whole working set.
  InnerResult solve(PenalisedProblem problem, Vec& b, Vec& c);

 private:
  /// Eigenvectors and eigenvalues of the Gram matrix of a group, or, of a large one, a bound of the eigenvalues alone.
  struct Basis {
    Mat vectors;
    Vec values;
    double largest = 0.0;
  };
  const Basis& basis(Quadratic& model, Index first, Index size);
  double visit(PenalisedProblem& problem, Index unit, Vec& b);
  void descend(PenalisedProblem& problem, std::span<const Index> units, double target, Vec& b, InnerResult& result);

  struct Scratch {
    Vec c, z, next, last, change;
  } scratch_;
  std::unordered_map<Index, Basis> bases_;  // by the first feature of the group
};

}  // namespace riata
