#include "solver/stopping_rule.hpp"

#include <algorithm>
#include <cmath>

namespace riata {
namespace {

constexpr double kGapShare = 0.2;    // of the tolerance, for what the inner solver may leave of the gap
constexpr double kRounding = 2e-15;  // of the gap's unit: what rounding leaves, however small the tolerance

/// Whether an inner solution is exact at no extra cost: then the tolerance is not what decides.
bool exact_steps(const PathOptions& options) {
  return options.loss.is<losses::Gaussian>() && options.penalty.is<penalties::ElasticNet>() &&
         (options.solver == Solver::kAuto || options.solver == Solver::kActiveSet);
}

}  // namespace

StoppingRule::StoppingRule(const PathOptions& options, const ColumnNorms& columns)
    : tol_(options.tol),
      l1_ratio_(options.l1_ratio),
      typical_factor_(columns.typical_factor),
      largest_norm_(columns.largest_norm),
      largest_noise_(columns.largest_noise),
      kkt_start_(std::clamp(0.1 * options.tol, 1e-13, exact_steps(options) ? 1e-9 : 1e-6)),
      kkt_relative_(kkt_start_) {}

double StoppingRule::kkt_tolerance(double lambda) const {
  const double largest = norm_ * largest_norm_;  // no c is larger
  if (!(lambda < kInfinity)) return 1e-12 * largest;
  return std::max(kkt_relative_ * lambda * typical_factor_ * std::max(l1_ratio_, 1e-3), 1e-15 * largest);
}

double StoppingRule::distance(const Penalties& net, const Vec& b, const Vec& c, std::span<const Index> units,
                              double lambda, const std::function<double(double)>& scaling_gap) const {
  const double tolerance = kkt_tolerance(lambda);
  const bool certifiable = lambda < kInfinity && gap_unit_ > 0.0 && net.convex();
  double scale = 1.0, worst = 0.0, worst_free = 0.0;
  for (Index i : units) {
    const double violation = net.violation(i, b, c);
    worst = std::max(worst, violation);
    if (net.unpenalised(i)) {
      worst_free = std::max(worst_free, violation);
    } else {
      scale = std::min(scale, net.feasible_scale(i, c));
    }
  }
  if (worst == 0.0) return 0.0;
  if (!certifiable || worst <= tolerance) return worst / tolerance;
  double gap = 0.0;
  for (Index i : units) {
    if (net.unpenalised(i)) continue;
    gap += net.value(i, b) + net.conjugate(i, c, scale * kBelow) - scale * net.product(i, b, c);
  }
  gap += scaling_gap(scale);
  const double share = kkt_relative_ / kkt_start_, allowed = allowed_gap();
  // A common excess of c hardly widens the gap: the violation, of first order, is held to the order of its root.
  const double loosest = 0.1 * std::sqrt(std::max(tol_, kRounding)) * share * lambda * std::max(l1_ratio_, 1e-3);
  return std::max({gap / allowed, worst / loosest, worst_free / tolerance});
}

double StoppingRule::allowed_gap() const {
  return std::max(kGapShare * tol_ * (kkt_relative_ / kkt_start_), kRounding) * gap_unit_;
}

double StoppingRule::gap_share(const Penalties& net, const Vec& b, const Vec& c) const {
  if (!(gap_unit_ > 0.0)) return kInfinity;
  double gap = 0.0;
  for (Index i = 0; i < net.units(); ++i) gap += net.value(i, b) + net.conjugate(i, c, 1.0) - net.product(i, b, c);
  return gap / allowed_gap();
}

void StoppingRule::tighten() {
  kkt_relative_ = std::max(0.05 * kkt_relative_, 1e-15);
  ++tries_;
}

}  // namespace riata
