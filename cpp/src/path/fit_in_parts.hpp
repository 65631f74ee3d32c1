#pragma once

#include <vector>

#include "riata/api.hpp"

namespace riata {

/// fit_paths() with the columns of X in so many parts, which give the same bits. Throws std::invalid_argument where the
/// penalty ties features of different parts.
std::vector<PathResult> fit_paths_in_parts(const Design& X, const std::vector<Problem>& problems,
                                           const Features& features, const PathOptions& options, Index parts);

}  // namespace riata
