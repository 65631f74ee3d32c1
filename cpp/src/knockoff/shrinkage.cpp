#include "knockoff/shrinkage.hpp"

#include <algorithm>

namespace riata {

double shrink(const MatIn& Z, MatOut sigma) {
  constexpr double least = 1e-6;  // so that every matrix has an inverse
  const double n = static_cast<double>(Z.rows());
  sigma.setZero();
  sigma.selfadjointView<Eigen::Lower>().rankUpdate(Z.transpose(), 1.0 / n);
  sigma.triangularView<Eigen::StrictlyUpper>() = sigma.transpose();
  const double spread = (Z.rowwise().squaredNorm().squaredNorm() / n - sigma.squaredNorm()) / n;
  const double away = (sigma - Mat::Identity(sigma.rows(), sigma.cols())).squaredNorm();
  const double rho = away > 0.0 ? std::clamp(spread / away, least, 1.0) : 1.0;
  sigma *= 1.0 - rho;
  sigma.diagonal().setOnes();  // of standardised columns, but for rounding
  return rho;
}

}  // namespace riata
