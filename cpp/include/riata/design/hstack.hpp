#pragma once

#include <memory>
#include <vector>

#include "riata/design/design.hpp"

namespace riata {

/// Designs with equal row counts side by side as one design (genotypes and covariates, several chromosomes).
/// The parts are shared, not copied. Throws std::invalid_argument when row counts differ or there is no part.
std::unique_ptr<Design> hstack_design(std::vector<std::shared_ptr<const Design>> parts);

}  // namespace riata
