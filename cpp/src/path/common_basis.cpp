#include "path/common_basis.hpp"

#include <Eigen/QR>
#include <algorithm>
#include <cmath>

namespace riata {
namespace {

constexpr double kRounding = 1e-15;  // of the length of a column, that a basis may leave of it

}  // namespace

CommonBasis::CommonBasis(const Mat& A) {
  const Vec length = A.colwise().norm().transpose();
  const Vec inverse = (length.array() > 0.0).select(length.cwiseInverse(), 0.0);
  const Eigen::ColPivHouseholderQR<Mat> qr(A * inverse.asDiagonal());
  const Index most = std::min(A.rows(), A.cols());
  Index rank = 0;
  while (rank < most && std::abs(qr.matrixQR()(rank, rank)) > kRounding) ++rank;
  basis = qr.householderQ() * Mat::Identity(A.rows(), rank);
  const Mat triangle = qr.matrixQR().topRows(rank).template triangularView<Eigen::Upper>();
  weights = triangle * qr.colsPermutation().transpose() * length.asDiagonal();
}

Mat orthonormal_basis(const Mat& z) {
  if (z.cols() == 0) return z;
  const Vec length = z.colwise().norm().transpose();
  const Vec inverse = (length.array() > 0.0).select(length.cwiseInverse(), 0.0);
  const Eigen::ColPivHouseholderQR<Mat> pivoted(z * inverse.asDiagonal());
  if (pivoted.rank() < z.cols()) return pivoted.householderQ() * Mat::Identity(z.rows(), pivoted.rank());
  return Eigen::HouseholderQR<Mat>(z).householderQ() * Mat::Identity(z.rows(), z.cols());
}

}  // namespace riata
