#include "path/sample_kernel.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "parallel.hpp"
#include "path/column_part.hpp"
#include "solver/column_norms.hpp"
#include "solver/sample_products.hpp"

namespace riata {
namespace {

constexpr Index kColumns = 512;  // at a time: what the kernels sum before they go on

/// The part of the features that belongs to some columns.
Features part_of(const Features& features, Index first, Index size) {
  Features out;
  if (features.penalty_factor.size() > 0) out.penalty_factor = features.penalty_factor.segment(first, size);
  return out;
}

/// Columns of X on the scale of one weight vector, over the roots of their penalty factors: columns x n. Those without
/// penalty and those left out are zero.
void scale_columns(const Mat& raw, const ColumnNorms& norms, const Vec& mean, const Vec& scale,
                   const Features& features, bool centred, int threads, Eigen::Ref<Mat> out) {
  const Index n = out.cols(), m = out.rows();
  Vec factor = Vec::Zero(m), shift = Vec::Zero(m);
  for (Index k = 0; k < m; ++k) {
    const double v = features.factor(k);
    if (norms.usable[static_cast<std::size_t>(k)] && v > 0.0) factor[k] = 1.0 / (scale[k] * std::sqrt(v));
    if (centred) shift[k] = mean[k];
  }
  constexpr Index rows = 32;
  parallel_for((n + rows - 1) / rows, worth_threads(threads, static_cast<double>(n * m)), [&](Index c) {
    const Index first = c * rows, size = std::min(rows, n - first);
    const auto lines = raw.block(first, 0, size, m).transpose();
    out.middleCols(first, size) = ((lines.colwise() - shift).array().colwise() * factor.array()).matrix();
  });
}

}  // namespace

double SampleKernels::memory(const Design& X, Index groups) {
  const double n = static_cast<double>(X.rows());
  return 8.0 * n * (n * static_cast<double>(groups) + 2.0 * static_cast<double>(columns_at_a_time(X, kColumns)));
}

Index columns_at_a_time(const Design& X, Index most) {
  const Index asked = X.traits().columns_a_call;
  return std::min(asked > 0 ? std::min(asked, most) : most, std::max<Index>(X.cols(), 1));
}

SampleKernels sample_kernels(const Design& X, const Features& features, const PathOptions& options, const Mat& weights,
                             const std::vector<Index>& group, const Mat& null_u, bool with_kernel, Counters& counters) {
  const Index n = X.rows(), p = X.cols(), groups = weights.cols(), problems = null_u.cols();
  const int threads = X.traits().concurrent ? options.threads : 1;
  SampleKernels out;
  out.mean.assign(static_cast<std::size_t>(groups), Vec(p));
  out.variance = out.mean;
  out.kernel.assign(static_cast<std::size_t>(groups), with_kernel ? Mat(Mat::Zero(n, n)) : Mat());
  out.null_products.resize(p, problems);
  const Vec sums = null_u.colwise().sum().transpose();
  const Index step = columns_at_a_time(X, kColumns);
  Mat raw(n, with_kernel ? step : 0), scaled(with_kernel ? step : 0, n);
  for (Index first = 0; first < p; first += step) {
    const Index size = std::min(step, p - first);
    std::vector<Index> columns(static_cast<std::size_t>(size));
    std::iota(columns.begin(), columns.end(), first);
    Mat mean(size, groups), variance(size, groups);
    X.moments(columns, weights, mean, variance, threads);
    for (Index g = 0; g < groups; ++g) {
      out.mean[static_cast<std::size_t>(g)].segment(first, size) = mean.col(g);
      out.variance[static_cast<std::size_t>(g)].segment(first, size) = variance.col(g);
    }
    check_moments(out.mean.front(), out.variance.front(), first, first + size, {});
    if (with_kernel) X.gather(columns, raw.leftCols(size), threads);
    auto products = out.null_products.middleRows(first, size);
    X.correlate(columns, null_u, products, threads);
    const Features part = part_of(features, first, size);
    for (Index g = 0; g < groups; ++g) {
      Vec scale = variance.col(g);
      const ColumnNorms norms(options, part, 1.0, mean.col(g), scale, {});
      if (with_kernel) {
        auto z = scaled.topRows(size);
        scale_columns(raw, norms, mean.col(g), scale, part, options.fit_intercept, options.threads, z);
        add_sample_products(z, 1.0, Triangle::kUpper, options.threads, out.kernel[static_cast<std::size_t>(g)]);
      }
      for (Index f = 0; f < problems; ++f) {
        if (group[static_cast<std::size_t>(f)] != g) continue;
        if (options.fit_intercept) products.col(f) -= sums[f] * mean.col(g);
        products.col(f) = products.col(f).cwiseQuotient(scale).eval();
      }
    }
  }
  for (Mat& K : out.kernel) K.triangularView<Eigen::StrictlyLower>() = K.transpose();
  counters.columns_streamed += static_cast<double>(p);
  counters.products += static_cast<double>(problems + (with_kernel ? n * groups : 0));
  return out;
}

}  // namespace riata
