#pragma once

#include <utility>
#include <vector>

#include "certify/reference_subspace.hpp"

/// What passes between a fit and the columns outside its working set: the question, and how to read products.
namespace riata {

/// A feature outside the working set and what of its c is held against the penalty, per unit of that.
using Candidate = std::pair<double, Index>;

/// What a fit asks of the columns outside its working set at a residual. The same for all of them. A round asks this of
/// one lambda or, where reading X is dear, of several that have been solved ahead, the smallest last.
struct ScreeningQuery {
  double lambda;  // infinity: that of the null fit, for the smallest lambda at which it is optimal
  double strong;  // |c| / penalty factor from which a feature becomes a candidate; of a round the last counts
  Index n_penalised_inside;                             // features of the working set with a penalty,
  Index n_active;                                       // and all that are active
  Index n_outside;                                      // usable features outside the working set
  std::vector<ReferenceSubspace::Query> residual = {};  // one an output

  /// See io/transfer.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(lambda, strong, n_penalised_inside, n_active, n_outside, residual);
  }
};

/// How products with right-hand sides, those of each output together, become products with the residuals of a round,
/// one for each lambda. The first sides of an output are the basis of its open block.
struct ReadingPlan {
  bool rounded = false;      // the right-hand sides that are used are others near those of the open blocks
  std::vector<Index> begin;  // first right-hand side of each output, and their number
  Vec sums;                  // of the right-hand sides used
  Mat coordinates;           // of each residual, a number for each right-hand side
  Mat replaced;              // for each output of each residual: see OpenBlock
  std::vector<ReferenceSubspace::OpenBlock> open;  // one an output

  /// See io/transfer.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(rounded, begin, sums, coordinates, replaced, open);
  }
};

}  // namespace riata
