#pragma once

#include <span>
#include <vector>

#include "riata/design/design.hpp"
#include "riata/types.hpp"

namespace riata {

/// What neighbours are grouped by.
struct NeighbourOptions {
  std::vector<double> r2;  // decreasing, in (0, 1]: where trees are cut
  Index max_size = 200;    // columns in a group
  int threads = 1;
  Poll poll = {};
};

/// Groups of columns next to each other, by average linkage on squared correlations: in turn the two neighbouring
/// groups A and B of at most `max_size` columns together with the largest mean
///   sum_{a in A, b in B} r2(a, b) / (|A| |B|)
/// become one, the leftmost of several; the groups at r2[k] are those there are before the first merger with a mean
/// below it, so that the ones of smaller r2 hold the others whole (Ambroise, Dehman, Neuvial, Rigaill & Vialaneix
/// 2019). r2 is taken to a multiple of 2^-30, by which sums are exact, and is 0 between columns[i] and those beyond
/// columns[i + reach[i]]. `rows` are 1 where a row counts, else 0. A column that does not vary is a group by itself,
/// and does not part its neighbours. Returns for each of r2 the number of the group of each of `columns`, in order of
/// their first columns. Costs about n p h multiplications for p columns of h neighbours within reach and max_size, and
/// 8 p h bytes.
std::vector<std::vector<Index>> neighbour_groups(const Design& X, Columns columns, std::span<const Index> reach,
                                                 const Vec& rows, const NeighbourOptions& options);

/// Groups of any columns, by single linkage with a bound on their size: pairs with a squared correlation of at least
/// r2[k] in decreasing order, the first of equal ones first, make two groups one where it has at most `max_size`
/// columns. Returns as neighbour_groups() does. Costs n p^2 / 2 multiplications, and 16 bytes for each pair. Throws
/// std::invalid_argument where there are more than `most_pairs`. Both throw NonFiniteError for NaN or infinity in X.
std::vector<std::vector<Index>> correlated_groups(const Design& X, const Vec& rows, const NeighbourOptions& options,
                                                  Index most_pairs);

}  // namespace riata
