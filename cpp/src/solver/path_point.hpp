#pragma once

#include <algorithm>
#include <vector>

#include "riata/solver.hpp"
#include "riata/types.hpp"

/// A solution at one lambda on its way from a solver to its certificate.
namespace riata {

/// Features outside the working set with |c| above its threshold, and their c: K numbers each.
struct Violators {
  std::vector<Index> features;
  std::vector<double> c;
  double error = 0.0;  // bounds the rounding of every c

  void add(const Violators& other) {
    features.insert(features.end(), other.features.begin(), other.features.end());
    c.insert(c.end(), other.c.begin(), other.c.end());
    error = std::max(error, other.error);
  }
  /// See io/transfer.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(features, c, error);
  }
  Vec values() const { return Eigen::Map<const Vec>(c.data(), static_cast<Index>(c.size())); }
};

/// A solution on the working set at one lambda that has not been certified yet.
struct PathPoint {
  double lambda;
  bool kept = true;  // in the result, as it is asked for
  Vec b;             // on the working set
  Vec g;             // intercepts
  Solver solver = Solver::kAuto;
  Index iterations = 0;
  bool evaluated = false;
  bool correlated = false;  // c is that of the model's gradient
  Vec eta, u, c;
  Vec dual_eta;          // where u is taken when not at eta
  double c_error = 0.0;  // of every entry of c
  Violators violators;
};

}  // namespace riata
