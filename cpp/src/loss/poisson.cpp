#include "loss/poisson.hpp"

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "kernel/kernels.hpp"

namespace riata {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNear = 0.25;                        // |log(mu / y)| up to which mu - y - y log(mu / y) would cancel
constexpr double kTypical = 0.03, kMajorizing = 0.3;  // of that curvature
constexpr double kSmall = 1e-2;                       // relative change of mu that is as good as infinitesimal

Vec exponentials(const Vec& eta) {
  Vec out(eta.size());
  kernels().exponentials(eta.data(), eta.size(), out.data());
  return out;
}

/// e^d - 1 - d for |d| <= kNear, to the last digits: its series.
double exponential_beyond_line(double d) {
  double sum = 1.0;
  for (int k = 14; k > 2; --k) sum = 1.0 + sum * d / k;
  return 0.5 * d * d * sum;
}

}  // namespace

Poisson::Poisson(Vec y, Vec omega, double level) : Loss(std::move(omega)), y_(std::move(y)), level_(level) {
  weighted_ = log_ratio_ = Vec::Zero(y_.size());
  for (Index i = 0; i < y_.size(); ++i) {
    if (omega_[i] <= 0.0) continue;
    if (!(y_[i] >= 0.0) || !std::isfinite(y_[i])) {
      throw std::invalid_argument("y must be finite and >= 0 for the poisson loss, got " + std::to_string(y_[i]) +
                                  " in row " + std::to_string(i));
    }
    weighted_[i] = omega_[i] * y_[i];
    if (y_[i] > 0.0) log_ratio_[i] = std::log(y_[i] / level_);
  }
  total_ = weighted_.sum();
  if (!(total_ > 0.0)) {
    throw std::invalid_argument(
        "y must hold a value above 0 for the poisson loss, got only 0 among rows with positive weight");
  }
}

double Poisson::value(const Vec& eta) const {
  const Vec exps = exponentials(eta);
  double sum = 0.0;
  for (Index i = 0; i < eta.size(); ++i) {
    if (omega_[i] <= 0.0) continue;
    const double mu = level_ * exps[i], y = y_[i];
    if (y == 0.0) {
      sum += omega_[i] * mu;
      continue;
    }
    const double d = eta[i] - log_ratio_[i];
    sum += omega_[i] * (std::abs(d) < kNear ? y * exponential_beyond_line(d) : (mu - y) - y * d);
  }
  return sum;
}

void Poisson::derivatives(const Vec& eta, Vec& u, Vec& h) const {
  const Vec exps = exponentials(eta);
  h = (omega_.array() > 0.0).select(omega_.array() * (level_ * exps.array()), 0.0);
  u = weighted_ - h;
  for (Index i = 0; i < eta.size(); ++i) {
    const double d = eta[i] - log_ratio_[i];
    if (weighted_[i] > 0.0 && std::abs(d) < kNear) u[i] = -weighted_[i] * std::expm1(d);
  }
}

/// Where mu is far below y, F is steep and nearly flat in curvature. The parabola with its slope that is least at mu =
/// y has the logarithmic mean of the two for curvature.
Vec Poisson::model_curvature(const Vec& eta, const Vec& h, bool majorize) const {
  const double share = majorize ? kMajorizing : kTypical;
  Vec out = h.cwiseMax(kFlattest * total_ * omega_);
  for (Index i = 0; i < h.size(); ++i) {
    if (!(h[i] < share * weighted_[i])) continue;
    out[i] = std::max(out[i], share * (weighted_[i] - h[i]) / (log_ratio_[i] - eta[i]));
  }
  return out;
}

double Poisson::dual(const Vec& u) const {
  double sum = 0.0;
  for (Index i = 0; i < u.size(); ++i) {
    if (omega_[i] <= 0.0) continue;
    const double y = y_[i], v = u[i] / omega_[i], mu = (weighted_[i] - u[i]) / omega_[i];
    if (!(mu >= 0.0)) return -kInfinity;
    // mu log(mu / level) - mu less the same at y, for mu close to y without cancellation.
    double change = v - v * log_ratio_[i];
    if (mu > 0.0)
      change += mu * (y == 0.0 ? std::log(mu / level_) : 2.0 * mu > y ? std::log1p(-v / y) : std::log(mu / y));
    sum -= omega_[i] * change;
  }
  return sum;
}

/// Scaling u moves mu to mu + (1 - scale) (y - mu), and the cost is the divergence between the two.
double Poisson::scaling_gap(const Vec& eta, const Vec& u, const Vec& h, double scale) const {
  double sum = 0.0;
  for (Index i = 0; i < u.size(); ++i) {
    const double change = (1.0 - scale) * u[i];
    if (change == 0.0) continue;
    if (std::abs(change) <= kSmall * h[i]) {
      sum += 0.5 * change * change / h[i];
    } else if (const double mu = (h[i] + change) / omega_[i]; mu > 0.0) {
      sum += (h[i] + change) * (std::log(mu / level_) - eta[i]) - change;
    } else {
      sum -= change;
    }
  }
  return sum;
}

/// sum of omega mu is sum of omega y: the logarithm of a quotient, and a step of Newton's method against its rounding.
double Poisson::intercept(const Vec& base, double) const {
  const double highest = (omega_.array() > 0.0).select(base.array(), -kInfinity).maxCoeff();
  Vec u, h;
  derivatives(base.array() - highest, u, h);
  const double g = std::log(total_ / h.sum()) - highest;
  derivatives(base.array() + g, u, h);
  const double correction = u.sum() / h.sum();
  return std::isfinite(correction) ? g + correction : g;
}

}  // namespace riata
