#pragma once

#include <span>
#include <vector>

#include "riata/api.hpp"

namespace riata {

/// Refuses what a fit cannot be made of: throws std::invalid_argument naming argument, value and what is allowed.
void validate(const Design& X, const std::vector<Problem>& problems, const Features& features,
              const PathOptions& options);
/// Refuses parts of the columns, from cuts[i] to cuts[i + 1], that the penalty does not allow.
void validate_parts(std::span<const Index> cuts, const Features& features, const PathOptions& options);

}  // namespace riata
