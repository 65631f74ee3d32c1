#pragma once

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "solver/block_descent.hpp"

namespace riata {

/// Block coordinate descent for groups of features (one output): each group in turn goes to its minimum, by the exact
/// norm equation in the eigenbasis of its Gram matrix (Yang & Hastie 2024) or, with an l1 part, by proximal steps in it
/// (Simon et al. 2013); sweeps over what is active are extrapolated (Anderson type II).
class GroupDescent final : public InnerSolver {
 public:
  InnerResult solve(InnerProblem problem, Vec& b, Vec& c) override;
  void working_set_changed(std::span<const Index> new_number, Index outputs) override;
  void hessian_changed() override { bases_.clear(); }

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void state(Archive& archive) {
    std::vector<Index> firsts;
    for (const auto& [first, basis] : bases_) firsts.push_back(first);
    std::sort(firsts.begin(), firsts.end());
    archive(firsts);
    for (const Index first : firsts) archive(bases_[first]);
    archive.rooms(scratch_.c, scratch_.z, scratch_.next, scratch_.last, scratch_.change, descent_, choice_);
  }

 private:
  /// Eigenvectors and eigenvalues of the Gram matrix of a group, or, of a large one, a bound of the eigenvalues alone.
  struct Basis {
    Mat vectors;
    Vec values;
    double largest = 0.0;

    template <class Archive>
    void state(Archive& archive) {
      archive(vectors, values, largest);
    }
  };
  const Basis& basis(Quadratic& model, Index first, Index size);
  double visit(InnerProblem& problem, Index unit, Vec& b);

  struct Scratch {
    Room c, z, next, last, change;
  } scratch_;
  BlockDescent descent_;
  BlockChoice choice_;
  std::unordered_map<Index, Basis> bases_;  // by the first feature of the group
};

}  // namespace riata
