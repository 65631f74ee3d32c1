#include <algorithm>

#include "path/fit_in_parts.hpp"
#include "path/free_basis.hpp"
#include "path/hosted_parts.hpp"
#include "path/latent_groups.hpp"
#include "path/path_driver.hpp"
#include "path/ridge_paths.hpp"
#include "path/validate.hpp"

namespace riata {
namespace {

/// The paths, in the space of samples where that is the way. As in PathDriver.
std::vector<PathResult> run_paths(const Design& X, const std::vector<Problem>& problems, const Features& features,
                                  const PathOptions& options, Index asked, Index parts, double beside = 0.0) {
  const NullFits null_fits = [&](const Features& alone, const PathOptions& asking) {
    return PathDriver(X, problems, alone, asking, asked, 1).run();
  };
  auto ridges = ridge_paths(X, problems, features, options, asked, beside, null_fits);
  return ridges ? std::move(*ridges) : PathDriver(X, problems, features, options, asked, parts, beside).run();
}

/// See fit_paths_in_parts(); `asked` is the number of features of the fit.
std::vector<PathResult> fit_columns(const Design& X, const std::vector<Problem>& problems, const Features& features,
                                    const PathOptions& options, Index asked, Index parts) {
  const auto basis = FreeBasis::find(X, problems, features, options);
  if (!basis) return run_paths(X, problems, features, options, asked, parts);
  std::vector<PathResult> results =
      run_paths(basis->design(), problems, basis->features(), options, asked, parts, basis->memory());
  for (PathResult& result : results) basis->restore(result, options);
  return results;
}

}  // namespace

std::vector<PathResult> fit_paths_in_parts(const Design& X, const std::vector<Problem>& problems,
                                           const Features& features, const PathOptions& options, Index parts) {
  const auto bare = [](const Problem& problem) { return problem.weights.size() == 0; };
  if (X.rows() > 0 && std::any_of(problems.begin(), problems.end(), bare)) {
    std::vector<Problem> weighted = problems;
    for (Problem& problem : weighted) {
      if (bare(problem)) problem.weights = Vec::Ones(X.rows());
    }
    return fit_paths_in_parts(X, weighted, features, options, parts);
  }
  validate(X, problems, features, options);
  validate_hosted(X, problems, features, options);
  const auto latent = LatentGroups::find(X, features);
  if (!latent) return fit_columns(X, problems, features, options, X.cols(), parts);
  std::vector<PathResult> results =
      fit_columns(latent->design(), problems, latent->features(), options, X.cols(), parts);
  for (PathResult& result : results) latent->restore(result);
  return results;
}

std::vector<PathResult> fit_paths(const Design& X, const std::vector<Problem>& problems, const Features& features,
                                  const PathOptions& options) {
  return fit_paths_in_parts(X, problems, features, options, 1);
}

}  // namespace riata
