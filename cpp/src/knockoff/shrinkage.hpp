#pragma once

#include "riata/types.hpp"

namespace riata {

/// sigma = (1 - rho) Z'Z / n + rho I, with Ledoit & Wolf's (2004) estimate of the rho that is best, at least 1e-6;
/// returns rho. The columns of Z have mean 0 and variance 1.
double shrink(const MatIn& Z, MatOut sigma);

}  // namespace riata
