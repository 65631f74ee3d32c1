#pragma once

#include <vector>

#include "solver/block_descent.hpp"
#include "solver/gram_cache.hpp"
#include "solver/room.hpp"

namespace riata {

/// Newton's method on what is active, for models of several outputs, where a Gram matrix of all coefficients would be
/// large. Sweeps of block coordinate descent (Yuan & Lin 2006), a feature at a time, find which coefficients are
/// active; on those the penalty is smooth and Newton steps take over, solved by preconditioned conjugate gradients.
///
/// The Hessian of the norm of an active row is (l1 / |b|) (I - v v'), v = b / |b|; single coefficients have none. With
/// G the Gram matrix of the columns and S = diag(l1 / |b|) the Newton matrix of uncoupled outputs is
/// ((G + S + l2) x I) - V S V', V holding v_j in the place of feature j: by Woodbury's identity its inverse takes two
/// factors of the size of the active set, not K times that. It is the preconditioner, exact when fresh; it is kept
/// while few iterations do.
///
/// A Newton step is taken where the sweeps that it promises to save cost more. With more active features than rows, and
/// uncoupled outputs, that never is so: there the sweeps keep the residual instead of c, and are extrapolated (Anderson
/// type II).
class BlockNewton final : public InnerSolver {
 public:
  InnerResult solve(InnerProblem problem, Vec& b, Vec& c) override;
  void working_set_changed(std::span<const Index> new_number, Index outputs) override;
  /// Nothing: a curvature that is not the model's own still preconditions.
  void hessian_changed() override {}

  /// See checkpoint/archive.hpp. The preconditioner decides the bits of a step.
  template <class Archive>
  void state(Archive& archive) {
    archive(gram_, place_, inverse_, direction_, norm_curvature_, iterations_, fresh_);
    if constexpr (Archive::reading) factor_correction();
  }

 private:
  struct Local;
  struct System;
  struct Step {
    MatMap moves, gradient_change;  // of the rows that move; what it takes from the correlations of all
  };
  void work_on(InnerProblem& problem, std::span<const Index> features, double target, Vec& b, const Vec& c,
               InnerResult& result);
  void descend(InnerProblem& problem, std::span<const Index> features, double target, Vec& b, InnerResult& result);
  void sweep(InnerProblem& problem, Local& at);
  void newton(InnerProblem& problem, Local& at);
  bool conjugate_gradients(InnerProblem& problem, const Local& at, const System& system, Step& step);
  static bool leave_out_stopped(const Local& at, const MatMap& moves, System& system);
  void go(InnerProblem& problem, Local& at, const System& system, const Step& step);
  void precondition(const Local& at, std::span<const Index> moving);
  void forget_preconditioner();
  void factor_correction();
  void apply(const Local& at, std::span<const Index> moving, const MatMap& residual, MatMap& out);

  // Common to the outputs; of a curvature that may be an older one where outputs are coupled, for it then only
  // preconditions.
  GramCache gram_;
  BlockDescent descent_;
  BlockChoice choice_;

  // Preconditioner: features (by number in the working set), (G + S + l2)^-1, their v, and S.
  std::vector<Index> place_;
  Room inverse_, direction_, norm_curvature_;
  Room correction_;  // lower triangle
  bool corrects_ = false;
  Index iterations_ = 0;  // of conjugate gradients in the last step
  double fresh_ = 3.0;    // and in the first one after it was made

  /// What iterations work on, kept so that they need not allocate it.
  struct Scratch {
    std::vector<Index> moving, slot;
    std::vector<GroupNorm> rows;
    std::vector<ElasticNet> entries;
    std::vector<const double*> lines;
    std::vector<double> sorted;
    Room B, C, G;                                                                       // of Local
    Room gradient, direction, mask, norm_curvature, ridge;                              // of System
    Room from_norms, products, step_norms;                                              // of a line search
    Room begin, slope, way, curved, diagonal, row, change;                              // of sweeps
    Room matrix, kept;                                                                  // of the preconditioner
    Room known, solved, along, pulled, corrected;                                       // of its application
    Room residual, preconditioned, search, whole, bent, image, moves, gradient_change;  // of conjugate gradients
    Room full, part, part_change;                                                       // of the step
  } scratch_;
};

}  // namespace riata
