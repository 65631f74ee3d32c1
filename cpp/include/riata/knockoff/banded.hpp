#pragma once

#include <span>
#include <vector>

#include "riata/knockoff/gaussian.hpp"

/// Gaussian knockoffs of columns in an order, each of which depends on the h before it alone: Sigma^-1 is
///   (I - A)' D^-1 (I - A),
/// A strictly lower triangular with bandwidth h (Bickel & Levina 2008), as is 2S - S Sigma^-1 S for a diagonal S.
namespace riata {

/// Column k of `order` is sum_l before(l, k) z_(k - 1 - l) plus noise of variance `rest[k]`; Sigma has a unit diagonal.
struct BandedLaw {
  std::vector<Index> order;
  Mat before;  // h x columns
  Vec rest;

  Index size() const { return static_cast<Index>(order.size()); }
  Index reach() const { return before.rows(); }
};

/// Regressions of each of `order` on the `reach` before it, by the correlation matrix of the window, shrunk as that of
/// a block is.
BandedLaw banded_law(const StandardColumns& columns, std::vector<Index> order, Index reach, const KnockoffRun& run);

/// S of windows of columns, as knockoff_distances() has it of a block, times the largest factor up to 1 for which
/// 2S - S Sigma^-1 S is positive definite.
Vec banded_distances(const BandedLaw& law, const DistanceOptions& options, const KnockoffRun& run);

/// As draw_gaussian().
void draw_banded(const StandardColumns& columns, const BandedLaw& law, const Vec& distances, const KnockoffSeed& seed,
                 float* out, const KnockoffRun& run);

}  // namespace riata
