#include "loss/multigaussian.hpp"

namespace riata {

Multigaussian::Multigaussian(Vec y, Vec omega)
    : Loss(std::move(omega)), y_(y.reshaped(omega_.size(), y.size() / omega_.size())) {}

double Multigaussian::value(const Vec& eta) const {
  const Vec squares = (y_ - eta.reshaped(y_.rows(), y_.cols())).rowwise().squaredNorm();
  return 0.5 * (omega_.array() > 0.0).select(omega_.array() * squares.array(), 0.0).sum();
}

void Multigaussian::derivatives(const Vec& eta, Vec& u, Vec& h) const {
  u.resize(y_.size());
  for (Index k = 0; k < y_.cols(); ++k) {
    const auto mine = eta.segment(k * y_.rows(), y_.rows()).array();
    u.segment(k * y_.rows(), y_.rows()) =
        (omega_.array() > 0.0).select(omega_.array() * (y_.col(k).array() - mine), 0.0);
  }
  h = omega_.replicate(y_.cols(), 1);
}

double Multigaussian::dual(const Vec& u) const {
  double sum = 0.0;
  for (Index k = 0; k < y_.cols(); ++k) {
    for (Index i = 0; i < y_.rows(); ++i) {
      const double ui = u[k * y_.rows() + i];
      if (omega_[i] > 0.0) sum += ui * (y_(i, k) - 0.5 * ui / omega_[i]);
    }
  }
  return sum;
}

Vec Multigaussian::intercepts(const Vec& base, const Vec&) const {
  return (y_ - base.reshaped(y_.rows(), y_.cols())).transpose() * omega_ / omega_.sum();
}

}  // namespace riata
