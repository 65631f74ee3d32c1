#pragma once

#include <vector>

#include "path/ridge_fit.hpp"
#include "riata/counters.hpp"
#include "riata/design/design.hpp"

/// Ridges with squares without the products of all rows with each other.
namespace riata {

/// What a basis costs next to the products of rows, n x n, and whether it may be had.
struct BasisPlan {
  /// `groups` weight vectors need products of their own.
  BasisPlan(const Design& X, Index problems, Index groups, Index lambdas);

  Index most = 0;                     // vectors for each problem; 0: the products of rows cost less
  bool keeps_columns = true;          // what belongs to the columns of X is kept, else read again
  double memory = 0.0;                // bytes
  double step = 0.0, products = 0.0;  // multiplications, of one vector for each problem and of the products of rows
};

/// Makes a basis for each fit that has the solutions at its lambdas, one vector of each by a pass over X. False, and no
/// basis, once the products of rows are the shorter way.
bool find_bases(const Design& X, const Features& features, const PathOptions& options, int threads,
                const BasisPlan& plan, const std::vector<RidgeFit*>& fits,
                const std::vector<const std::vector<double>*>& lambdas, Counters& counters);

}  // namespace riata
