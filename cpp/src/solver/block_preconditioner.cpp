#include <Eigen/Cholesky>
#include <algorithm>

#include "solver/block_newton_local.hpp"

// The preconditioner of BlockNewton.

namespace riata {

void BlockNewton::Preconditioner::clear() {
  place_.clear();
  inverse_.shape(0, 0);
  direction_.shape(0, 0);
  norm_curvature_.shape(0);
  corrects_ = false;
}

void BlockNewton::Preconditioner::factor_correction() {
  corrects_ = false;
  const auto norm_curvature = norm_curvature_.vec();
  if (!(norm_curvature.array() > 0.0).any()) return;
  const auto inverse = inverse_.mat(), direction = direction_.mat();
  auto middle = correction_.shape(norm_curvature.size(), norm_curvature.size());
  middle.noalias() = direction * direction.transpose();
  middle = -inverse.cwiseProduct(middle);
  for (Index i = 0; i < norm_curvature.size(); ++i)
    middle(i, i) += norm_curvature[i] > 0.0 ? 1.0 / norm_curvature[i] : 1.0;
  Eigen::Ref<Mat> place(middle);
  corrects_ = Eigen::LLT<Eigen::Ref<Mat>>(place).info() == Eigen::Success;
}

bool BlockNewton::Preconditioner::make(const Local& at, std::span<const Index> moving) {
  const Index m = static_cast<Index>(moving.size());
  place_.clear();
  auto norm_curvature = norm_curvature_.shape(m);
  auto direction = direction_.shape(m, at.B.cols()), H = matrix_.shape(m, m), inverse = inverse_.shape(m, m);
  direction.setZero();
  for (Index i = 0; i < m; ++i) {
    const Index row = moving[static_cast<std::size_t>(i)];
    place_.push_back(at.features[static_cast<std::size_t>(row)]);
    norm_curvature[i] = at.norm_curvature(row);
    if (norm_curvature[i] > 0.0) direction.row(i) = at.B.row(row) / at.B.row(row).norm();
    for (Index j = 0; j < m; ++j) H(j, i) = at.G(moving[static_cast<std::size_t>(j)], row);
    H(i, i) += norm_curvature[i] + at.l2(row);
  }
  H.diagonal().array() += 1e-12 * H.diagonal().maxCoeff();
  auto diagonal = kept_.shape(m);
  diagonal = H.diagonal();
  inverse.setIdentity();
  Eigen::Ref<Mat> place(H);
  const Eigen::LLT<Eigen::Ref<Mat>> factor(place);
  const bool definite = factor.info() == Eigen::Success;
  if (definite) {
    factor.solveInPlace(inverse);
    for (Index j = 0; j < m; ++j) {
      for (Index i = 0; i < j; ++i) inverse(i, j) = inverse(j, i) = 0.5 * (inverse(i, j) + inverse(j, i));
    }
  } else {
    inverse.diagonal() = diagonal.cwiseInverse();
  }
  factor_correction();
  return definite;
}

void BlockNewton::Preconditioner::apply(const Local& at, std::span<const Index> moving, const MatMap& residual,
                                        MatMap& out) {
  const Index m = static_cast<Index>(moving.size()), places = static_cast<Index>(place_.size()), K = residual.cols();
  auto known = known_.shape(places, K), solved = solved_.shape(places, K);
  known.setZero();
  slot_.assign(static_cast<std::size_t>(*std::max_element(at.features.begin(), at.features.end())) + 1, -1);
  for (std::size_t i = 0; i < place_.size(); ++i) {
    if (place_[i] >= 0 && place_[i] < static_cast<Index>(slot_.size())) {
      slot_[static_cast<std::size_t>(place_[i])] = static_cast<Index>(i);
    }
  }
  const auto slot_of = [&](Index i) {
    return slot_[static_cast<std::size_t>(at.features[static_cast<std::size_t>(moving[static_cast<std::size_t>(i)])])];
  };
  for (Index i = 0; i < m; ++i) {
    if (slot_of(i) >= 0) known.row(slot_of(i)) = residual.row(i);
  }
  symmetric_product(inverse_.mat(), known, solved, lines_);
  if (corrects_) {
    const auto direction = direction_.mat(), factor = correction_.mat();
    auto along = along_.shape(places);
    along = solved.cwiseProduct(direction).rowwise().sum();
    factor.triangularView<Eigen::Lower>().solveInPlace(along);
    factor.transpose().triangularView<Eigen::Upper>().solveInPlace(along);
    auto pulled = pulled_.shape(places, K), corrected = corrected_.shape(places, K);
    pulled = along.asDiagonal() * direction;
    symmetric_product(inverse_.mat(), pulled, corrected, lines_);
    solved += corrected;
  }
  for (Index i = 0; i < m; ++i) {
    const Index s = slot_of(i), row = moving[static_cast<std::size_t>(i)];
    if (s >= 0) {
      out.row(i) = solved.row(s);
      continue;
    }
    const double curvature = (at.held ? at.G(row, row) : 1.0) + at.l2(row) + at.norm_curvature(row);
    out.row(i) = residual.row(i) / std::max(curvature, 1e-300);
  }
}

}  // namespace riata
