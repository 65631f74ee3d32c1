#pragma once

#include <span>

#include "riata/design/plink.hpp"

namespace riata {

/// The exact test of Hardy-Weinberg equilibrium (Wigginton, Cutler & Abecasis 2005, equations 1 and 2): the
/// probability, given the allele counts, of as many heterozygotes as `counts` has or of a number that is no more
/// probable. NaN when nothing is called.
double hardy_weinberg(const GenotypeCounts& counts);
Vec hardy_weinberg(std::span<const GenotypeCounts> counts, int threads);

}  // namespace riata
