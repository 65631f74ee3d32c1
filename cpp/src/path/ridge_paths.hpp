#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "riata/api.hpp"

/// The way of ridges: paths with l1_ratio 0 in the space of samples.
namespace riata {

/// Fits every problem with intercept and unpenalised features alone, whatever is asked beside that.
using NullFits = std::function<std::vector<PathResult>(const Features&, const PathOptions&)>;

/// Paths of ridges (l1_ratio 0) in the space of samples: with more columns than rows, losses of one output and no
/// bounds. One pass over X gives the products of its rows, n x n, in which every lambda is solved; a second turns the
/// solutions into coefficients and certifies them from the data. With squares a few passes give a basis of all
/// solutions instead, where that is less work. `asked` is the number of features of the fit, `beside` the bytes that
/// are held for what stands for some of them. None where this is not the way: there a path takes every column into its
/// working set.
std::optional<std::vector<PathResult>> ridge_paths(const Design& X, const std::vector<Problem>& problems,
                                                   const Features& features, const PathOptions& options, Index asked,
                                                   double beside, const NullFits& null_fits);

}  // namespace riata
