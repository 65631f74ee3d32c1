#pragma once

#include <Eigen/SparseCore>
#include <cstddef>
#include <memory>
#include <vector>

#include "riata/api.hpp"
#include "riata/design/design.hpp"

/// The short way in: fits on Eigen's own matrices.
namespace riata {

using SparseMat = Eigen::SparseMatrix<double>;

/// The argument X of the functions here: a design, or a dense or sparse matrix of Eigen's, seen where it lies and only
/// for the call. Throws std::invalid_argument for a sparse matrix that is not compressed.
class DesignRef {
 public:
  DesignRef(const Design& X) : X_(&X) {}  // converts: so that one function takes all three
  DesignRef(const Mat& X);
  DesignRef(const SparseMat& X);

  const Design& operator*() const { return *X_; }
  const Design* operator->() const { return X_; }

 private:
  std::unique_ptr<Design> view_;
  const Design* X_;
};

/// fit_paths() of one response: `PathResult path = fit_path(X, {y});`
PathResult fit_path(const DesignRef& X, const Problem& problem, const PathOptions& options = {},
                    const Features& features = {});

/// fit_paths() on Eigen's matrices.
std::vector<PathResult> fit_paths(const DesignRef& X, const std::vector<Problem>& problems,
                                  const Features& features = {}, const PathOptions& options = {});

/// The linear predictors of the rows of X at path.alphas[k], n x K: intercepts plus X times coefficients. An offset is
/// to be added. X has the columns of the fit.
Mat predict(const DesignRef& X, const PathResult& path, std::size_t k, int threads = 1);

}  // namespace riata
