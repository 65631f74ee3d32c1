#include "loss/binomial.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "kernel/kernels.hpp"

namespace riata {
namespace {

/// x log x with 0 log 0 = 0.
double xlogx(double x) {
  return x > 0.0 ? x * std::log(x) : 0.0;
}

double negative_entropy(double mu, double one_minus_mu) {
  return xlogx(mu) + xlogx(one_minus_mu);
}

/// fn(first, z) for pieces of eta, with z = e^-|eta| of the entries from `first` on.
template <class Fn>
void for_decays(const Vec& eta, const Fn& fn) {
  constexpr Index piece = 512;
  Eigen::Array<double, piece, 1> z;
  for (Index first = 0; first < eta.size(); first += piece) {
    const Index size = std::min(piece, eta.size() - first);
    z.head(size) = -eta.segment(first, size).array().abs();
    kernels().exponentials(z.data(), size, z.data());
    fn(first, z.head(size));
  }
}

}  // namespace

Binomial::Binomial(Vec y, Vec omega) : Loss(std::move(omega)), y_(std::move(y)) {
  for (Index i = 0; i < y_.size(); ++i) {
    if (omega_[i] <= 0.0) continue;
    if (!(y_[i] >= 0.0 && y_[i] <= 1.0)) {
      throw std::invalid_argument("y must lie in [0, 1] for the binomial loss, got " + std::to_string(y_[i]) +
                                  " in row " + std::to_string(i));
    }
    saturated_ -= omega_[i] * negative_entropy(y_[i], 1.0 - y_[i]);
  }
  const double share = omega_.dot((omega_.array() > 0.0).select(y_, 0.0));
  if (share <= 0.0 || share >= omega_.sum()) {
    throw std::invalid_argument("y must hold both classes for the binomial loss, got only class " +
                                std::string(share <= 0.0 ? "0" : "1") + " among rows with positive weight");
  }
}

double Binomial::value(const Vec& eta) const {
  // log(1 + e^eta) - y eta, arranged so that neither term grows with |eta| when the fit is right.
  double sum = 0.0;
  for_decays(eta, [&](Index first, Eigen::Ref<Eigen::ArrayXd> z) {
    kernels().logs_one_plus(z.data(), z.size(), z.data());
    const auto e = eta.segment(first, z.size()).array(), y = y_.segment(first, z.size()).array();
    const auto omega = omega_.segment(first, z.size()).array();
    sum += (omega > 0.0).select(omega * (z + (e > 0.0).select((1.0 - y) * e, -y * e)), 0.0).sum();
  });
  return sum;
}

void Binomial::derivatives(const Vec& eta, Vec& u, Vec& h) const {
  u.resize(eta.size());
  h.resize(eta.size());
  for_decays(eta, [&](Index first, Eigen::Ref<Eigen::ArrayXd> z) {
    for (Index k = 0; k < z.size(); ++k) {
      const Index i = first + k;
      const double d = 1.0 / (1.0 + z[k]);
      const double big = d, small = z[k] * d;  // probabilities of the likelier and the other class
      const double mu = eta[i] >= 0.0 ? big : small, complement = eta[i] >= 0.0 ? small : big;
      // y - mu without cancellation when y is a class: 1 - mu is `complement`.
      const double omega = omega_[i], slope = omega * (y_[i] * complement - (1.0 - y_[i]) * mu);
      u[i] = omega > 0.0 ? slope : 0.0;
      h[i] = omega > 0.0 ? omega * big * small : 0.0;
    }
  });
}

double Binomial::separation() const {
  if (saturated_ != 0.0) return 0.0;  // shares: their optimum is finite
  return (omega_.array() > 0.0).select(omega_.array(), 1.0).minCoeff() * std::log(2.0);
}

double Binomial::dual(const Vec& u) const {
  double sum = 0.0;
  for (Index i = 0; i < u.size(); ++i) {
    if (omega_[i] <= 0.0) continue;
    const double v = u[i] / omega_[i], mu = y_[i] - v, complement = (1.0 - y_[i]) + v;
    if (mu < 0.0 || complement < 0.0) return -std::numeric_limits<double>::infinity();
    sum -= omega_[i] * negative_entropy(mu, complement);
  }
  return sum;
}

}  // namespace riata
