#pragma once

#include "riata/knockoff/banded.hpp"

namespace riata {

/// factor(l, k) = L(k, k - l) for L L' = 2S - S Sigma^-1 S + lift I; false where that is not positive definite.
bool banded_factor(const BandedLaw& law, const Vec& distances, double lift, Mat& factor);

}  // namespace riata
