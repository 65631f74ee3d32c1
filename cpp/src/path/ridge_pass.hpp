#pragma once

#include <vector>

#include "path/common_basis.hpp"
#include "path/ridge_fit.hpp"
#include "riata/counters.hpp"
#include "riata/design/design.hpp"

namespace riata {

/// The pass over X that makes coefficients of solutions in the space of samples, and certifies them from the data.
class RidgePass {
 public:
  RidgePass(const Design& X, const Features& features, int threads, Counters& counters)
      : X_(X), features_(features), threads_(threads), counters_(counters) {}

  /// Takes the points of every fit into its result. What a basis has kept of the columns is not read again.
  void certify(const std::vector<RidgeFit*>& fits);

 private:
  struct Reading;
  Reading begin(const RidgeFit& fit);
  Reading recall(const RidgeFit& fit) const;
  void read(const RidgeFit& fit, const std::vector<Index>& columns, Reading& out) const;
  void combine(const RidgeFit& fit, Reading& out) const;
  static bool accurate(const RidgeFit& fit, const CommonBasis& of);
  void finish(RidgeFit& fit, Reading& reading) const;

  const Design& X_;
  const Features& features_;
  int threads_;
  Counters& counters_;
};

}  // namespace riata
