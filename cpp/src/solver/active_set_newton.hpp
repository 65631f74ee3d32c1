#pragma once

#include <span>
#include <vector>

#include "penalty/elastic_net.hpp"
#include "solver/gram_factor.hpp"
#include "solver/inner_solver.hpp"

namespace riata {

/// Solver::kActiveSet: Newton on the active features with their signs fixed, features entering and leaving a Cholesky
/// factor that is kept from one lambda to the next (feature-sign search, Lee et al. 2007; active-set Newton with the
/// factor updates of Osborne et al. 2000). Each round solves exactly on the active set, clips what crosses zero or a
/// bound, and adds what violates; if rounds stop decreasing the objective it goes over to one change at a time with an
/// exact ratio test, which terminates.
class ActiveSetNewton final : public InnerSolver {
 public:
  /// `ridge_changes`: the l2 part of the penalties will differ between calls (elastic net down a path).
  explicit ActiveSetNewton(bool ridge_changes = false) : factor_(ridge_changes) {}

  /// Features kept in the factor, as working-set numbers.
  const std::vector<Index>& features() const { return active_; }
  InnerResult solve(InnerProblem problem, Vec& b, Vec& c) override;
  void working_set_changed(std::span<const Index> new_number, Index outputs) override;
  void hessian_changed() override { invalidate(); }
  /// Forgets the factor; the next solve builds it from the support of b.
  void invalidate();

  /// Goes on with the factor under these penalties: true if there is one, it takes their ridge terms and is not worn
  /// out (it may be made anew from its Gram matrix); else it is forgotten.
  bool try_reuse(std::span<const ElasticNet> penalty);

  /// One step of modified Newton: moves b to the minimum of the model over the active features on their sides, after
  /// those entering have joined them or, with none and c known `everywhere`, the features that violate most. c is
  /// needed on the active features and on those entering; no product with columns is taken but for the factor. `length`
  /// times the way is gone: 1 where the curvature is right.
  InnerResult step(InnerProblem problem, Vec& b, Vec c, bool everywhere, double length);

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(active_, side_, factor_);
    archive.rooms(is_active_, candidates_, scratch_);
  }

 private:
  struct Side {
    double low, high, sign;
  };
  struct Candidate {
    double gain;
    Index feature;
  };
  static Side side_of(const ElasticNet& penalty, double b, bool upwards);
  void build(InnerProblem& problem, const Vec& b, const Vec& c);
  const std::vector<Index>& enter(InnerProblem& problem, const Vec& b, const Vec& c, std::span<const Index> features);
  bool exchange(InnerProblem& problem, Vec& b, const Vec& c, Index w);
  const std::vector<Index>& move(Vec& b, const VecMap& step, bool one_at_a_time);
  void leave(Counters& counters, Index position);
  void begin(InnerProblem& problem, const Vec& b, const Vec& c);
  void mark_active(Index size);
  double residual(const InnerProblem& problem, const Vec& b, const Vec& c);
  bool stays_inside(const Vec& b, const VecMap& step) const;
  bool advance(InnerProblem& problem, Vec& b, Vec& c, double length, bool one_at_a_time);
  void find_candidates(const InnerProblem& problem, const Vec& b, const Vec& c, std::size_t limit);
  std::size_t most_entering() const;

  std::vector<Index> active_;
  std::vector<Side> side_;
  std::vector<char> is_active_;
  GramFactor factor_;
  double cost_ = 0.0;
  struct Scratch {
    std::vector<Index> all, inactive, rows, collinear, support, stopped;
    std::vector<double> ridge;
    std::vector<Candidate> found;
    Room gram, direction, step, before, gradient_change;

    template <class Archive>
    void rooms(Archive& archive) {
      archive.rooms(all, inactive, rows, collinear, support, stopped, ridge, found, gram, direction, step, before,
                    gradient_change);
    }
  } scratch_;
  std::vector<Index> candidates_;  // to enter
};

}  // namespace riata
