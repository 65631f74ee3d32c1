#include "certify/duality_gap.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

#include "loss/residual.hpp"

namespace riata {
namespace {

constexpr int kFreeSteps = 2;       // of Newton's method over free features
constexpr double kFreeReach = 2.0;  // of coefficients at hand, how far the optimal ones may be from zero

}  // namespace

/// u -= M Z (Z'MZ)^-1 Z'u over intercept and free features, M = curvature: removes the rounding left in
/// Z'u = 0 while keeping u inside the domain of the conjugate. Each output by itself.
void DualityGap::make_dual_feasible(PathPoint& p) const {
  if (move_dual_point(p)) return;
  const Index n = loss_.omega().size(), K = loss_.outputs();
  const Index q = free_columns_.cols();
  const Vec given = p.u;
  Vec ignored, curvature;
  loss_.derivatives(p.eta, ignored, curvature);
  Mat z(n, q + (predictor_.intercept() ? 1 : 0));
  z.leftCols(q) = free_columns_;
  if (predictor_.intercept()) z.col(q).setOnes();
  for (Index k = 0; k < K; ++k) {
    const auto u = given.segment(k * n, n);
    const auto weight = curvature.segment(k * n, n);
    Mat normal = z.transpose() * weight.asDiagonal() * z;
    normal.diagonal().array() *= 1.0 + 1e-13;
    const Vec defect = normal.ldlt().solve(z.transpose() * u);
    if (defect.allFinite()) p.u.segment(k * n, n) = u - weight.cwiseProduct(z * defect);
  }
  // Scaled, it stays orthogonal to Z, and comes back where it has left the domain.
  const Vec moved = p.u;
  for (double rest = 0.0; rest < 1e-3; rest = rest == 0.0 ? 1e-15 : 10.0 * rest) {
    p.u = (1.0 - rest) * moved;
    if (loss_.dual(p.u) > -kInfinity) return;
  }
  p.u = given;
}

/// The same where rows or outputs are coupled, and u has to be a gradient: it is taken at eta + Z (Z'F''Z)^-1 Z'u, with
/// Z of every output and the intercepts solved anew.
bool DualityGap::move_dual_point(PathPoint& p) const {
  const Mat& Z = free_columns_;
  const Index n = Z.rows(), K = loss_.outputs();
  const Index q = Z.cols(), size = q * K;
  p.dual_eta = p.eta;
  for (int step = 0; step < kFreeSteps; ++step) {
    const auto coupled = loss_.curvature(p.dual_eta, 0.0, predictor_.intercept());
    if (!coupled) {
      p.dual_eta.resize(0);
      return false;
    }
    Mat normal(size, size);
    Vec image, slope(size);
    for (Index column = 0; column < size; ++column) {
      image.setZero(n * K);
      image.segment(column / q * n, n) = Z.col(column % q);
      coupled->multiply(image);
      normal.col(column) = (Z.transpose() * image.reshaped(n, K)).reshaped();
    }
    slope = (Z.transpose() * p.u.reshaped(n, K)).reshaped();
    normal.diagonal().array() *= 1.0 + 1e-13;
    if (loss_.symmetric()) {  // the same in all outputs changes nothing: keep away from it
      const double level = normal.trace() / static_cast<double>(size * K);
      for (Index k = 0; k < K; ++k) {
        for (Index l = 0; l < K; ++l) normal.block(k * q, l * q, q, q).diagonal().array() += level;
      }
    }
    const Vec change = normal.ldlt().solve(slope);
    if (!change.allFinite()) return true;
    p.dual_eta += (Z * change.reshaped(q, K)).reshaped();
    Vec ignored, g = Vec::Zero(K);
    if (loss_.symmetric()) predictor_.add_intercepts(p.dual_eta, g);
    loss_.derivatives(p.dual_eta, p.u, ignored);
  }
  return true;
}

double DualityGap::dual(const PathPoint& p, const Penalties& net, const Vec& c) const {
  double scale = 1.0;
  for (Index i = 0; i < net.units(); ++i) {
    if (!net.unpenalised(i)) scale = std::min(scale, net.feasible_scale(i, c));
  }
  double dual = loss_.dual_at(p.dual_eta.size() > 0 ? p.dual_eta : p.eta, p.u, scale);
  if (predictor_.offset().size() > 0) dual -= scale * predictor_.offset().dot(p.u);
  for (Index i = 0; i < net.units(); ++i) {
    dual -= net.unpenalised(i) ? free_conjugate(i, p, net, c, scale) : net.conjugate(i, c, scale * kBelow);
  }
  return dual;
}

/// Conjugate of an unpenalised unit: c must vanish unless a bound stops it.
double DualityGap::free_conjugate(Index unit, const PathPoint& p, const Penalties& net, const Vec& c,
                                  double scale) const {
  const double at = scale * net.size(unit, c);
  if (!net.entries().empty()) {
    const ElasticNet& entry = net.entries()[static_cast<std::size_t>(unit)];
    const double bound = c[unit] > 0.0 ? entry.upper : -entry.lower;
    if (bound < kInfinity) return at * bound;
  }
  return free_conjugate(at, net.size(unit, p.b), p.u);
}

double DualityGap::free_conjugate(double slope, double coefficient, const Vec& u) const {
  if (slope > 1e-10 * riata::residual_norm(loss_, u) * largest_norm_) return kInfinity;
  return kFreeReach * slope * coefficient;
}

}  // namespace riata
