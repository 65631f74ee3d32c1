#include "path/ridge_basis.hpp"

#include <algorithm>
#include <utility>

#include "path/common_basis.hpp"
#include "path/tridiagonal_form.hpp"

namespace riata {
namespace {

constexpr double kNoDirection = 1e-14;  // length of what is left of a vector, relative to the largest image

}  // namespace

RidgeBasis::RidgeBasis(const Vec& weights, const Mat& z, const Vec& pull, Index most, Index columns)
    : root_(weights.cwiseSqrt()), free_(orthonormal_basis(root_.asDiagonal() * z)) {
  const Index n = weights.size();
  vectors_.resize(n, most);
  sides_.resize(n, most);
  images_.resize(n, most);
  columns_.resize(columns, most);
  Vec v = (root_.array() > 0.0).select(pull.array() / root_.array(), 0.0);
  for (int turn = 0; turn < 2; ++turn) v -= free_ * (free_.transpose() * v);
  length_ = v.norm();
  vectors_.col(0) = v / (length_ > 0.0 ? length_ : 1.0);
  sides_.col(0) = root_.cwiseProduct(vectors_.col(0));
}

void RidgeBasis::add(const Vec& image) {
  images_.col(size_) = image;
  Vec w = root_.cwiseProduct(image);
  w -= free_ * (free_.transpose() * w);
  largest_ = std::max(largest_, w.norm());
  diagonal_.push_back(vectors_.col(size_).dot(w));
  ++size_;
  const auto basis = vectors_.leftCols(size_);
  for (int turn = 0; turn < 2; ++turn) {
    w -= basis * (basis.transpose() * w);
    w -= free_ * (free_.transpose() * w);
  }
  const double left = w.norm();
  beside_.push_back(left > kNoDirection * largest_ ? left : 0.0);
  if (complete()) return;
  vectors_.col(size_) = w / left;
  sides_.col(size_) = root_.cwiseProduct(vectors_.col(size_));
}

Vec RidgeBasis::solution(double lambda) const {
  Vec first = Vec::Zero(size_);
  first[0] = length_;
  const Eigen::Map<const Vec> diagonal(diagonal_.data(), size_), beside(beside_.data(), size_);
  return solve_tridiagonal(diagonal, beside, lambda, std::move(first));
}

double RidgeBasis::rest(double lambda) const {
  const double residual = beside_.back() * solution(lambda)[size_ - 1];
  return 0.5 * residual * residual;
}

bool RidgeBasis::accurate(std::span<const double> lambdas) const {
  double largest = 0.0;
  for (const double v : diagonal_) largest += v;
  const Mat t = solutions(lambdas), a = sides() * t, Ka = images() * t;
  for (Index k = 0; k < t.cols(); ++k) {
    const double square = a.col(k).dot(Ka.col(k));
    if (!(largest * t.col(k).squaredNorm() <= kMostAmplified * kMostAmplified * square)) return false;
  }
  return true;
}

Mat RidgeBasis::solutions(std::span<const double> lambdas) const {
  Mat out(size_, static_cast<Index>(lambdas.size()));
  for (std::size_t k = 0; k < lambdas.size(); ++k) out.col(static_cast<Index>(k)) = solution(lambdas[k]);
  return out;
}

}  // namespace riata
