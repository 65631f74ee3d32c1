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
    archive(gram_, preconditioner_, iterations_, fresh_);
    archive.rooms(descent_, choice_, scratch_);
  }

 private:
  struct Local;
  struct System;
  /// (G + S + l2)^-1 of some features with the v of each, and the factor of Woodbury's correction for these.
  class Preconditioner {
   public:
    bool empty() const { return place_.empty(); }
    void clear();
    void working_set_changed(std::span<const Index> new_number) {
      for (Index& w : place_) w = w >= 0 ? new_number[static_cast<std::size_t>(w)] : w;
    }
    /// For the features that move, at the present point. False where their matrix is not positive definite: it is that
    /// of the diagonal then.
    bool make(const Local& at, std::span<const Index> moving);
    /// Times a residual of the features that move; those it does not know take their diagonal.
    void apply(const Local& at, std::span<const Index> moving, const MatMap& residual, MatMap& out);

    /// See checkpoint/archive.hpp.
    template <class Archive>
    void state(Archive& archive) {
      archive(place_, inverse_, direction_, norm_curvature_);
      archive.rooms(correction_, matrix_, kept_, known_, solved_, along_, pulled_, corrected_, slot_, lines_);
      if constexpr (Archive::reading) factor_correction();
    }

   private:
    void factor_correction();

    std::vector<Index> place_;  // features, by number in the working set
    Room inverse_, direction_, norm_curvature_;
    Room correction_;  // lower triangle
    bool corrects_ = false;
    // Scratch: of make(), and of apply().
    Room matrix_, kept_;
    Room known_, solved_, along_, pulled_, corrected_;
    std::vector<Index> slot_;
    std::vector<const double*> lines_;
  };
  struct Step {
    MatMap moves, gradient_change;  // of the rows that move; what it takes from the correlations of all
  };
  void work_on(InnerProblem& problem, std::span<const Index> features, double target, Vec& b, const Vec& c,
               InnerResult& result);
  void descend(InnerProblem& problem, std::span<const Index> features, double target, Vec& b, InnerResult& result);
  static double visit(InnerProblem& problem, Index w, const VecMap& c, VecMap& z, Vec& b);
  double sweep_columns(InnerProblem& problem, std::span<const Index> features, Vec& b);
  void sweep(InnerProblem& problem, Local& at);
  void newton(InnerProblem& problem, Local& at);
  bool conjugate_gradients(InnerProblem& problem, const Local& at, const System& system, Step& step);
  static bool leave_out_stopped(const Local& at, const MatMap& moves, System& system);
  void go(InnerProblem& problem, Local& at, const System& system, const Step& step);

  // Common to the outputs; of a curvature that may be an older one where outputs are coupled, for it then only
  // preconditions.
  GramCache gram_;
  BlockDescent descent_;
  BlockChoice choice_;

  Preconditioner preconditioner_;
  Index iterations_ = 0;  // of conjugate gradients in the last step
  double fresh_ = 3.0;    // and in the first one after it was made

  /// What iterations work on, kept so that they need not allocate it.
  struct Scratch {
    std::vector<Index> moving;
    std::vector<GroupNorm> rows;
    std::vector<ElasticNet> entries;
    std::vector<const double*> lines;
    std::vector<double> sorted;
    struct Working {
      Room B, C, G;

      template <class Archive>
      void rooms(Archive& archive) {
        archive.rooms(B, C, G);
      }
    } local;
    struct Equations {
      Room gradient, direction, mask, norm_curvature, ridge, along;

      template <class Archive>
      void rooms(Archive& archive) {
        archive.rooms(gradient, direction, mask, norm_curvature, ridge, along);
      }
    } system;
    struct Line {
      Room from_norms, products, step_norms;

      template <class Archive>
      void rooms(Archive& archive) {
        archive.rooms(from_norms, products, step_norms);
      }
    } line;
    struct Sweep {
      Room begin, slope, way, curved, diagonal, row, change;

      template <class Archive>
      void rooms(Archive& archive) {
        archive.rooms(begin, slope, way, curved, diagonal, row, change);
      }
    } sweep;
    struct Conjugate {
      Room residual, preconditioned, search, whole, bent, image, moves, gradient_change;

      template <class Archive>
      void rooms(Archive& archive) {
        archive.rooms(residual, preconditioned, search, whole, bent, image, moves, gradient_change);
      }
    } conjugate;
    struct Cut {
      Room full, part, part_change;

      template <class Archive>
      void rooms(Archive& archive) {
        archive.rooms(full, part, part_change);
      }
    } cut;

    template <class Archive>
    void rooms(Archive& archive) {
      archive.rooms(moving, rows, entries, lines, sorted, local, system, line, sweep, conjugate, cut);
    }
  } scratch_;
};

}  // namespace riata
