#include "path/free_basis.hpp"

#include <Eigen/Cholesky>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <limits>

#include "penalty/elastic_net.hpp"
#include "riata/design/dense.hpp"
#include "riata/design/hstack.hpp"

namespace riata {
namespace {

constexpr double kConstant = 1e-9;  // spread of a column, relative to its mean, below which it counts as constant
// Share of a column's square that the columns before it do not explain: above it products with columns as they are lose
// four digits at most.
constexpr double kIndependent = 1e-4;
constexpr double kRounding = std::numeric_limits<double>::epsilon();

std::vector<Index> free_features(Index p, const Features& features) {
  std::vector<Index> out;
  if (features.penalty_factor.size() != p) return out;
  for (Index j = 0; j < p; ++j) {
    const bool bounded = (features.lower.size() > 0 && features.lower[j] > -kInfinity) ||
                         (features.upper.size() > 0 && features.upper[j] < kInfinity);
    if (features.penalty_factor[j] == 0.0 && !bounded) out.push_back(j);
  }
  return out;
}

/// Those of all problems together, summing to 1: rows that no problem uses have none.
Vec common_weights(const std::vector<Problem>& problems) {
  Vec out = Vec::Zero(problems.front().weights.size());
  for (const Problem& problem : problems) out += problem.weights / problem.weights.sum();
  return out / out.sum();
}

/// Columns of the basis of free columns, and how these come back from it.
struct Basis {
  std::vector<bool> dependent;
  Mat columns, back;
};

/// Whether columns of length 1 are so far from collinear that Cholesky's factor of their products keeps its digits.
bool independent(const Mat& unit) {
  if (unit.cols() >= unit.rows()) return false;
  Mat gram = Mat::Zero(unit.cols(), unit.cols());
  gram.selfadjointView<Eigen::Lower>().rankUpdate(unit.transpose());
  const Eigen::LLT<Mat> factor(gram);
  return factor.info() == Eigen::Success && factor.matrixLLT().diagonal().array().square().minCoeff() > kIndependent;
}

/// Of centred columns Z, whose entries are rounded relative to `size`. A column of size 0 is no part of it.
Basis basis_of(const Mat& Z, const Vec& weights, const Vec& size) {
  const Index q = Z.cols();
  const Vec inverse = (size.array() > 0.0).select(size.cwiseInverse(), 0.0);
  const Mat unit = weights.cwiseSqrt().asDiagonal() * Z * inverse.asDiagonal();
  Eigen::ColPivHouseholderQR<Mat> qr(unit);
  // The rounding of all columns is the same now: a pivot is held against that, not against the largest one.
  const double rounding = kRounding * static_cast<double>(std::max(unit.rows(), q));
  if (qr.maxPivot() > 0.0) qr.setThreshold(rounding / qr.maxPivot());
  const Index rank = qr.rank();
  const auto& order = qr.colsPermutation().indices();
  Basis out;
  out.dependent.assign(static_cast<std::size_t>(q), true);
  const Mat r = qr.matrixR().topLeftCorner(rank, rank);
  const Mat inverse_r = r.triangularView<Eigen::Upper>().solve(Mat::Identity(rank, rank));
  out.back = Mat::Zero(q, rank);
  for (Index k = 0; k < rank; ++k) {
    out.dependent[static_cast<std::size_t>(order[k])] = false;
    out.back.row(order[k]) = inverse_r.row(k) * inverse[order[k]];
  }
  // Rows without weight follow from the columns, all others from the reflections, whose rounding no conditioning
  // enlarges.
  out.columns = Z * out.back;
  const Mat orthonormal = qr.householderQ() * Mat::Identity(unit.rows(), rank);
  for (Index i = 0; i < unit.rows(); ++i) {
    if (weights[i] > 0.0) out.columns.row(i) = orthonormal.row(i) / std::sqrt(weights[i]);
  }
  return out;
}

}  // namespace

std::optional<FreeBasis> FreeBasis::find(const Design& X, const std::vector<Problem>& problems,
                                         const Features& features, const PathOptions& options) {
  FreeBasis out;
  out.free_ = free_features(X.cols(), features);
  const Index q = static_cast<Index>(out.free_.size());
  if (q < 2) return std::nullopt;  // with the intercept, centring sees to one
  Mat Z(X.rows(), q);
  X.gather(out.free_, Z, options.threads);
  const Vec weights = common_weights(problems);
  out.mean_ = Vec::Zero(q);
  const bool centred = options.fit_intercept || options.loss.is<losses::Cox>();
  for (int pass = 0; pass < 2 && centred; ++pass) {
    const Vec mean = Z.transpose() * weights;
    Z.rowwise() -= mean.transpose();
    out.mean_ += mean;
  }
  Vec scale = (Z.cwiseAbs2().transpose() * weights).cwiseSqrt();
  if (!scale.allFinite()) return std::nullopt;  // refused where X is read
  scale = (scale.array() > kConstant * out.mean_.array().abs()).select(scale, 0.0);
  if ((scale.array() > 0.0).all() &&
      independent(weights.cwiseSqrt().asDiagonal() * Z * scale.cwiseInverse().asDiagonal())) {
    return std::nullopt;
  }
  // The rounding of a column is that of its entries as they were before its mean went.
  Basis basis = basis_of(Z, weights, (scale.array() > 0.0).select(scale.cwiseMax(out.mean_.cwiseAbs()), 0.0));
  for (Index k = 0; k < q; ++k) {
    if (basis.dependent[static_cast<std::size_t>(k)]) out.dependent_.push_back(out.free_[static_cast<std::size_t>(k)]);
  }
  out.columns_ = std::move(basis.columns);
  out.back_ = std::move(basis.back);
  out.extend(X, features);
  return out;
}

/// Puts the basis behind X and leaves the free features out.
void FreeBasis::extend(const Design& X, Features features) {
  const Index p = X.cols(), r = columns_.cols();
  const std::shared_ptr<const Design> given(&X, [](const Design*) {});
  const std::shared_ptr<const Design> basis = dense_design(columns_.data(), columns_.rows(), r, 1, columns_.rows());
  design_ = r > 0 ? std::shared_ptr<const Design>(hstack_design({given, basis})) : given;
  const auto append = [&](Vec& values, double value) {
    if (values.size() == 0) return;
    values.conservativeResize(p + r);
    values.tail(r).setConstant(value);
  };
  for (const Index j : free_) features.penalty_factor[j] = kInfinity;
  append(features.penalty_factor, 0.0);
  append(features.lower, -kInfinity);
  append(features.upper, kInfinity);
  if (features.sorted_weights.size() > 0) append(features.sorted_weights, features.sorted_weights[p - 1]);
  if (!features.group.empty()) features.group.resize(static_cast<std::size_t>(p + r), 0);
  features_ = std::move(features);
}

void FreeBasis::restore(PathResult& result, const PathOptions& options) const {
  const Index K = result.outputs, p = features_.penalty_factor.size() - columns_.cols();
  std::vector<Index> indptr{0}, indices;
  std::vector<double> values;
  for (std::size_t at = 0; at < result.alphas.size(); ++at) {
    Mat inside = Mat::Zero(columns_.cols(), K);
    std::vector<std::pair<Index, double>> entries;
    for (Index e = result.coef_indptr[at]; e < result.coef_indptr[at + 1]; ++e) {
      const Index place = result.coef_indices[static_cast<std::size_t>(e)], j = place / K;
      const double value = result.coef_values[static_cast<std::size_t>(e)];
      if (j < p) {
        entries.push_back({place, value});
      } else {
        inside(j - p, place % K) = value;
      }
    }
    const Mat free = back_ * inside;
    for (std::size_t i = 0; i < free_.size(); ++i) {
      for (Index k = 0; k < K; ++k) {
        const double value = free(static_cast<Index>(i), k);
        if (value != 0.0) entries.push_back({free_[i] * K + k, value});
      }
    }
    std::sort(entries.begin(), entries.end());
    Index active = 0, last = -1;
    for (const auto& [place, value] : entries) {
      active += std::exchange(last, place / K) != place / K ? 1 : 0;
      indices.push_back(place);
      values.push_back(value);
    }
    indptr.push_back(static_cast<Index>(indices.size()));
    result.n_active[at] = active;
    const Vec level = free.transpose() * mean_;  // what centring took
    for (Index k = 0; k < K; ++k) {
      const Index column = static_cast<Index>(at) * K + k;
      if (options.loss.is<losses::Cox>()) {  // has no intercept
        if (options.keep_linear_predictor) result.linear_predictor.col(column).array() += level[k];
      } else if (options.fit_intercept) {
        result.intercepts[static_cast<std::size_t>(column)] -= level[k];
      }
    }
  }
  result.coef_indptr = std::move(indptr);
  result.coef_indices = std::move(indices);
  result.coef_values = std::move(values);
  result.mean.conservativeResize(p);
  result.scale.conservativeResize(p);
  if (result.spread.size() > 0) result.spread.conservativeResize(p);
  result.dependent = dependent_;
}

}  // namespace riata
