#include "riata/loss/binomial.hpp"

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

namespace riata {
namespace {

/// x log x with 0 log 0 = 0.
double xlogx(double x) {
  return x > 0.0 ? x * std::log(x) : 0.0;
}

double negative_entropy(double mu, double one_minus_mu) {
  return xlogx(mu) + xlogx(one_minus_mu);
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
  double sum = 0.0;
  for (Index i = 0; i < eta.size(); ++i) {
    if (omega_[i] <= 0.0) continue;
    const double e = eta[i];
    // log(1 + e^eta) - y eta, arranged so that neither term grows with |eta| when the fit is right.
    const double tail = std::log1p(std::exp(-std::abs(e)));
    sum += omega_[i] * (tail + (e > 0.0 ? (1.0 - y_[i]) * e : -y_[i] * e));
  }
  return sum;
}

void Binomial::derivatives(const Vec& eta, Vec& u, Vec& h) const {
  const Index n = eta.size();
  u.resize(n);
  h.resize(n);
  for (Index i = 0; i < n; ++i) {
    if (omega_[i] <= 0.0) {
      u[i] = h[i] = 0.0;
      continue;
    }
    const double z = std::exp(-std::abs(eta[i])), d = 1.0 / (1.0 + z);
    const double big = d, small = z * d;  // probabilities of the likelier and the other class
    const double mu = eta[i] >= 0.0 ? big : small, complement = eta[i] >= 0.0 ? small : big;
    // y - mu without cancellation when y is a class: 1 - mu is `complement`.
    u[i] = omega_[i] * (y_[i] * complement - (1.0 - y_[i]) * mu);
    h[i] = omega_[i] * big * small;
  }
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
