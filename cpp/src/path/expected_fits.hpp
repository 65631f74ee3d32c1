#pragma once

#include "riata/api.hpp"

namespace riata {

/// About how many lambdas a path will fit, those on the way to the ones that are asked for included (see Continuation);
/// told before X has been read, by a sample of its columns where few are asked for.
Index expected_fits(const Design& X, const Problem& problem, const Features& features, const PathOptions& options);

}  // namespace riata
