#include "certify/separation.hpp"

#include <Eigen/QR>
#include <algorithm>
#include <vector>

#include "penalty/elastic_net.hpp"

namespace riata {
namespace {

constexpr double kFitted = 1e-6;  // gradient of a row that is fitted, relative to the largest of a row
constexpr double kZero = 1e-9;    // of a product with columns of length 1

/// An orthonormal basis of what a matrix maps to zero.
Mat kernel_of(const Mat& A) {
  Eigen::ColPivHouseholderQR<Mat> qr(A);
  if (qr.maxPivot() > 0.0) qr.setThreshold(kZero / qr.maxPivot());
  const Index rank = qr.rank(), rest = A.cols() - rank;
  if (rest == 0) return Mat(A.cols(), 0);
  Mat basis(A.cols(), rest);
  basis.topRows(rank) = -qr.matrixR()
                             .topLeftCorner(rank, rank)
                             .triangularView<Eigen::Upper>()
                             .solve(qr.matrixR().topRightCorner(rank, rest));
  basis.bottomRows(rest).setIdentity();
  return Eigen::HouseholderQR<Mat>(qr.colsPermutation() * basis).householderQ() * Mat::Identity(A.cols(), rest);
}

/// How much better a row is fitted after a change of its linear predictors; no less than this for any other output.
double improvement(const Vec& u, const Vec& change) {
  if (u.size() == 1) return u[0] > 0.0 ? change[0] : -change[0];
  Index own = 0;
  u.maxCoeff(&own);
  double least = kInfinity;
  for (Index k = 0; k < u.size(); ++k) {
    if (k != own) least = std::min(least, change[own] - change[k]);
  }
  return least;
}

}  // namespace

bool separates(const Loss& loss, const Mat& columns, bool constant, const Mat& eta, const Mat& u) {
  const Vec& weights = loss.omega();
  if (columns.cols() == 0) return false;
  const Vec size = (weights.array() > 0.0).select(u.cwiseAbs().rowwise().maxCoeff().array() / weights.array(), 0.0);
  const double largest = size.maxCoeff();
  std::vector<Index> fitted, others;
  for (Index i = 0; i < weights.size(); ++i) {
    if (!(weights[i] > 0.0)) continue;
    (size[i] <= kFitted * largest && loss.falls_for_ever(i) ? fitted : others).push_back(i);
  }
  if (fitted.empty() || others.empty()) return false;
  Mat A(columns.rows(), columns.cols() + (constant ? 1 : 0));
  A.leftCols(columns.cols()) = columns;
  if (constant) A.rightCols(1).setOnes();
  for (Index j = 0; j < A.cols(); ++j) {
    const double length = A.col(j).norm();
    if (length > 0.0) A.col(j) /= length;
  }
  const Mat kernel = kernel_of(A(others, Eigen::all));
  if (kernel.cols() == 0) return false;
  // Where the fit has gone, as far as it left the others alone.
  const Mat reach = A(fitted, Eigen::all) * kernel;
  const Mat far = eta(fitted, Eigen::all).rowwise() - eta(others, Eigen::all).colwise().mean();
  const Mat change = reach * reach.colPivHouseholderQr().solve(far);
  const double much = 1e-3 * far.cwiseAbs().maxCoeff();
  double best = 0.0, worst = 0.0;
  for (std::size_t i = 0; i < fitted.size(); ++i) {
    if (size[fitted[i]] == 0.0) continue;  // nothing depends on it
    const double better = improvement(u.row(fitted[i]).transpose(), change.row(static_cast<Index>(i)).transpose());
    best = std::max(best, better);
    worst = std::min(worst, better);
  }
  return best > much && worst > -kZero * best;
}

}  // namespace riata
