#pragma once

#include <vector>

#include "riata/api.hpp"
#include "riata/counters.hpp"
#include "riata/design/design.hpp"

namespace riata {

/// What one pass over X tells of a ridge: per weight vector means, variances and K = Xs V^-1 Xs', n x n, of the
/// penalised columns as they are scaled there, V their penalty factors; per problem the products of every column, less
/// its mean and over its scale, with a null residual.
struct SampleKernels {
  std::vector<Vec> mean, variance;
  std::vector<Mat> kernel;
  Mat null_products;  // p x problems

  /// Bytes of K, and of the columns that are held at a time while it is made, for `groups` weight vectors.
  static double memory(const Design& X, Index groups);
};

/// `weights` are n x groups, columns that sum to 1; problem f has the weights of `group[f]` and the null residual
/// `null_u.col(f)`. K is empty without `with_kernel`. Sums over columns are taken in order, in chunks that do not
/// depend on the threads.
SampleKernels sample_kernels(const Design& X, const Features& features, const PathOptions& options, const Mat& weights,
                             const std::vector<Index>& group, const Mat& null_u, bool with_kernel, Counters& counters);

/// Columns of X to take at a time.
Index columns_at_a_time(const Design& X, Index most);

}  // namespace riata
