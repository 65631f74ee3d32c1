#include "riata/eigen.hpp"

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>

#include "riata/design/csc.hpp"
#include "riata/design/dense.hpp"

namespace riata {
namespace {

std::unique_ptr<Design> view_of(const SparseMat& X) {
  if (!X.isCompressed()) throw std::invalid_argument("X must be a compressed sparse matrix: call X.makeCompressed()");
  return csc_design(X.rows(), X.cols(), X.nonZeros(), X.outerIndexPtr(), X.innerIndexPtr(), X.valuePtr());
}

}  // namespace

DesignRef::DesignRef(const Mat& X) : view_(dense_design(X.data(), X.rows(), X.cols(), 1, X.rows())), X_(view_.get()) {}

DesignRef::DesignRef(const SparseMat& X) : view_(view_of(X)), X_(view_.get()) {}

std::vector<PathResult> fit_paths(const DesignRef& X, const std::vector<Problem>& problems, const Features& features,
                                  const PathOptions& options) {
  return fit_paths(*X, problems, features, options);
}

PathResult fit_path(const DesignRef& X, const Problem& problem, const PathOptions& options, const Features& features) {
  return std::move(fit_paths(*X, {problem}, features, options).front());
}

Eigen::SparseVector<double> PathResult::coef(std::size_t k, Index output) const {
  if (k >= alphas.size()) {
    throw std::invalid_argument("k must be below the number of alphas, " + std::to_string(alphas.size()) + ", got " +
                                std::to_string(k));
  }
  if (output < 0 || output >= outputs) {
    throw std::invalid_argument("output must lie in [0, " + std::to_string(outputs) + "), got " +
                                std::to_string(output));
  }
  Eigen::SparseVector<double> out(mean.size());
  for (Index e = coef_indptr[k]; e < coef_indptr[k + 1]; ++e) {
    const Index place = coef_indices[static_cast<std::size_t>(e)];
    if (place % outputs == output) out.insertBack(place / outputs) = coef_values[static_cast<std::size_t>(e)];
  }
  return out;
}

Mat predict(const DesignRef& X, const PathResult& path, std::size_t k, int threads) {
  if (X->cols() != path.mean.size()) {
    throw std::invalid_argument("X must have the " + std::to_string(path.mean.size()) + " columns of the fit, got " +
                                std::to_string(X->cols()));
  }
  const Index K = path.outputs;
  std::vector<Eigen::SparseVector<double>> coefs;
  std::vector<Index> columns;
  for (Index output = 0; output < K; ++output) {
    coefs.push_back(path.coef(k, output));
    for (Eigen::SparseVector<double>::InnerIterator entry(coefs.back()); entry; ++entry)
      columns.push_back(entry.index());
  }
  std::sort(columns.begin(), columns.end());
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  Mat B(static_cast<Index>(columns.size()), K), out(X->rows(), K);
  for (Index output = 0; output < K; ++output) {
    for (std::size_t c = 0; c < columns.size(); ++c) {
      B(static_cast<Index>(c), output) = coefs[static_cast<std::size_t>(output)].coeff(columns[c]);
    }
  }
  X->multiply(columns, B, out, threads);
  out.rowwise() += Eigen::Map<const Eigen::RowVectorXd>(path.intercepts.data() + static_cast<Index>(k) * K, K);
  return out;
}

}  // namespace riata
