#pragma once

#include "solver/cluster_face.hpp"
#include "solver/fista.hpp"
#include "solver/gram_cache.hpp"
#include "solver/inner_solver.hpp"

namespace riata {

/// SLOPE (one output), an active-set method on the clusters of coefficients of one size. With these, their signs and
/// their order fixed the penalty is linear, and the sizes go to their minimum by Newton steps that merge clusters where
/// they meet (solver/cluster_face.hpp; Luo et al. 2019 solve such systems in the dual). A proximal step then splits
/// those that the gradient pulls apart, zero among them (Bogdan et al. 2015). The objective falls from one minimum to
/// the next, so that none comes twice, and there are finitely many.
class SlopeNewton final : public InnerSolver {
 public:
  InnerResult solve(InnerProblem problem, Vec& b, Vec& c) override;
  void working_set_changed(std::span<const Index> new_number, Index /*outputs*/) override {
    gram_.working_set_changed(new_number);
  }
  void hessian_changed() override { gram_.invalidate(); }

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(gram_, lipschitz_);
    archive.rooms(all_, clusters_, face_, sequence_, scratch_);
  }

 private:
  bool descend(InnerProblem& problem, int steps, Vec& b, Vec& c);
  Index minimise_sizes(InnerProblem& problem, Index most, Vec& b, Vec& c);

  void reduce_gram(Quadratic& model);

  GramCache gram_;
  double lipschitz_ = 0.0;  // of the gradient, as far as steps have met it

  // What iterations work on, kept so that they need not allocate it.
  std::vector<Index> all_;
  Clusters clusters_;
  ClusterFace face_;
  Fista sequence_;
  struct Scratch {
    std::vector<Index> place;
    Room reduced, gram, whole, image;
    Vec cz, next, next_c, change, step;

    template <class Archive>
    void rooms(Archive& archive) {
      archive.rooms(place, reduced, gram, whole, image, cz, next, next_c, change, step);
    }
  } scratch_;
};

}  // namespace riata
