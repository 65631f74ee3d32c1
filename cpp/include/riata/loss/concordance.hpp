#pragma once

#include "riata/loss/survival.hpp"
#include "riata/types.hpp"

namespace riata {

/// Share of comparable pairs in which the higher score has the earlier event, equal scores counting half (Harrell et
/// al. 1982). Two rows of a stratum are comparable when one is at risk at the time of the other's event, without an
/// event of its own there; a pair counts by the product of its weights. NaN when no rows are comparable.
/// Cost O(n log n).
double concordance(const Vec& time, const Survival& survival, const Vec& weights, const Vec& score);

}  // namespace riata
