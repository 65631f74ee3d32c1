#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "riata/eigen.hpp"

namespace riata {

/// A path and how well it predicts rows that it was not fitted to.
struct CvResult {
  PathResult path;     // of all rows
  Mat scores;          // folds x alphas: the mean loss of a fold's rows under the fit without them
  Vec mean, error;     // of the folds at each alpha, by their weights: average and standard error
  std::size_t best;    // the alpha of the smallest mean,
  std::size_t one_se;  // and the largest one whose mean is within an error of that
};

/// Numbers of folds, 0 to folds - 1, dealt out to n rows at random; the same for the same seed.
std::vector<Index> deal_folds(Index n, Index folds, std::uint64_t seed = 0);

/// Cross-validates each problem: `fold` has the fold of each row. The fits of all folds and problems share the passes
/// over X; with PathOptions::patience those of a problem end where they say so. The loss is that of the objective, so ½
/// of the squared error for "gaussian"; a row counts by its weight. Throws std::invalid_argument for "cox", whose loss
/// is not one of single rows, for problems that follow others, and as fit_paths() does.
std::vector<CvResult> cv_paths(const DesignRef& X, const std::vector<Problem>& problems, const std::vector<Index>& fold,
                               const PathOptions& options = {}, const Features& features = {});

}  // namespace riata
