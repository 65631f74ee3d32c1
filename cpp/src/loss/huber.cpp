#include "loss/huber.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace riata {
namespace {

constexpr int kNewtonSteps = 20;
constexpr double kTypical = 0.03, kMajorizing = 0.3;  // of the curvature that bounds F

}  // namespace

Huber::Huber(Vec y, Vec omega, double delta) : Loss(std::move(omega)), y_(std::move(y)), delta_(delta) {
  if (!(delta > 0.0) || !std::isfinite(delta)) {
    throw std::invalid_argument("huber_delta must be finite and > 0, got " + std::to_string(delta));
  }
  largest_ = delta_ * omega_;
}

double Huber::value(const Vec& eta) const {
  double sum = 0.0;
  for (Index i = 0; i < eta.size(); ++i) {
    if (omega_[i] <= 0.0) continue;
    const double size = std::abs(y_[i] - eta[i]);
    sum += omega_[i] * (size <= delta_ ? 0.5 * size * size : delta_ * (size - 0.5 * delta_));
  }
  return sum;
}

void Huber::derivatives(const Vec& eta, Vec& u, Vec& h) const {
  u.setZero(eta.size());
  h.setZero(eta.size());
  for (Index i = 0; i < eta.size(); ++i) {
    if (omega_[i] <= 0.0) continue;
    const double residual = y_[i] - eta[i];
    if (std::abs(residual) <= delta_) {
      u[i] = omega_[i] * residual;
      h[i] = omega_[i];
    } else {
      u[i] = std::copysign(largest_[i], residual);
    }
  }
}

double Huber::dual(const Vec& u) const {
  double sum = 0.0;
  for (Index i = 0; i < u.size(); ++i) {
    if (omega_[i] <= 0.0) continue;
    if (!(std::abs(u[i]) <= largest_[i])) return -std::numeric_limits<double>::infinity();
    sum += u[i] * (y_[i] - 0.5 * u[i] / omega_[i]);
  }
  return sum;
}

/// Exact: beyond delta the cost is of first order.
double Huber::scaling_gap(const Vec& eta, const Vec& u, const Vec&, double scale) const {
  const double rest = 1.0 - scale;
  double sum = 0.0;
  for (Index i = 0; i < u.size(); ++i) {
    if (omega_[i] <= 0.0) continue;
    const double beyond = std::max(std::abs(y_[i] - eta[i]) - delta_, 0.0), size = std::abs(u[i]);
    sum += size * (0.5 * rest * size / omega_[i] + beyond);
  }
  return rest * sum;
}

/// omega delta / |r| beyond delta would keep the model above F, whose curvature is 0 there.
Vec Huber::model_curvature(const Vec& eta, const Vec& h, bool majorize) const {
  const double share = majorize ? kMajorizing : kTypical;
  Vec out = h;
  for (Index i = 0; i < h.size(); ++i) {
    if (omega_[i] <= 0.0 || h[i] > 0.0) continue;
    out[i] = omega_[i] * std::max(share * delta_ / std::abs(y_[i] - eta[i]), kFlattest);
  }
  return out;
}

double Huber::intercept(const Vec& base, double start) const {
  const Vec residual = y_ - base;
  if (const auto g = newton_intercept(residual, start)) return *g;
  const double g = scanned_intercept(residual);
  return newton_intercept(residual, g).value_or(g);
}

/// sum(u) is linear between kinks: where no row changes sides the next step is the root.
std::optional<double> Huber::newton_intercept(const Vec& residual, double start) const {
  double g = start, last_slope = -1.0, last_outer = 0.0;
  for (int step = 0; step < kNewtonSteps; ++step) {
    double inner = 0.0, outer = 0.0, slope = 0.0;
    for (Index i = 0; i < residual.size(); ++i) {
      if (omega_[i] <= 0.0) continue;
      const double r = residual[i] - g;
      if (std::abs(r) <= delta_) {
        inner += omega_[i] * r;
        slope += omega_[i];
      } else {
        outer += std::copysign(largest_[i], r);
      }
    }
    if (inner + outer == 0.0) return g;
    if (slope == 0.0) return std::nullopt;
    g += (inner + outer) / slope;
    if (slope == last_slope && outer == last_outer) return g;
    last_slope = slope;
    last_outer = outer;
  }
  return std::nullopt;
}

/// Goes over all kinks in order.
double Huber::scanned_intercept(const Vec& residual) const {
  std::vector<std::pair<double, double>> kinks;  // where, and by how much -sum(u)' changes
  for (Index i = 0; i < residual.size(); ++i) {
    if (omega_[i] <= 0.0) continue;
    kinks.push_back({residual[i] - delta_, omega_[i]});
    kinks.push_back({residual[i] + delta_, -omega_[i]});
  }
  std::sort(kinks.begin(), kinks.end());
  double excess = largest_.sum(), slope = 0.0, g = kinks.front().first;
  for (const auto& [kink, change] : kinks) {
    const double next = excess - slope * (kink - g);
    if (next <= 0.0) return g + excess / slope;
    excess = next;
    g = kink;
    slope += change;
  }
  return g;
}

}  // namespace riata
