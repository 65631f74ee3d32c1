#include "path/certifier.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace riata {
namespace {

constexpr double kGapShareLeft = 0.1;  // of the tolerance, for what is left where rows are separated

}  // namespace

bool Certifier::explains_all(PathPoint& p, bool all_free) const {
  const double null_deviance = writer_.null_deviance(), saturated = writer_.result().saturated_objective;
  if (!(null_deviance > 0.0)) return false;
  double left = fit_.loss.value(p.eta) - saturated;
  if (left <= kNothingLeft * null_deviance) return true;
  if (!(left < fit_.loss.separation()) || !all_free) return false;
  Vec b = p.b, g = p.g, eta = p.eta;
  while (left > kGapShareLeft * fit_.options.tol * null_deviance) {
    b *= 2.0;
    eta = fit_.predictor.without_intercepts(b);
    fit_.predictor.add_intercepts(eta, g);
    const double next = fit_.loss.value(eta) - saturated;
    if (!(next < left)) return false;
    left = next;
  }
  Vec ignored;
  p.b = std::move(b);
  p.g = std::move(g);
  p.eta = std::move(eta);
  fit_.loss.derivatives(p.eta, p.u, ignored);
  p.c = fit_.columns.correlate(fit_.work.features(), p.u);
  return true;
}

bool Certifier::accept(PathPoint& p, bool last_try) {
  if (!p.kept && fit_.penalty.kind() != PenaltyKind::kConcave) return true;
  // The working set and what was read beyond its threshold; everything else is at zero with a proof.
  std::vector<Index> features = fit_.work.features();
  features.insert(features.end(), p.violators.features.begin(), p.violators.features.end());
  const Penalties net = fit_.penalty.at(features, p.lambda);
  Vec b = Vec::Zero(static_cast<Index>(features.size()) * fit_.loss.outputs()), c(b.size());
  b.head(p.b.size()) = p.b;
  c.tail(b.size() - p.b.size()) = p.violators.values();
  c.head(p.b.size()) = p.c;
  const PathResult& r = writer_.result();
  ResultWriter::Certificate of{fit_.loss.value(p.eta) + net.value(b), std::numeric_limits<double>::quiet_NaN(), 0.0};
  if (!net.convex()) {
    const double worst = r.exhausted ? 0.0 : net.worst_violation(b, c) + std::max(p.c_error, p.violators.error);
    of.gap = worst / (p.lambda < kInfinity ? p.lambda : 1.0);
    if (!(of.gap <= fit_.options.tol) && !last_try) return false;
    if (!p.kept) return true;
    writer_.add(p, fit_.work.features(), gap_.free_columns(), of);
    writer_.result().locally_convex.push_back(locally_convex(p, net));
    return true;
  }
  for (double& entry : c.head(p.b.size())) entry += std::copysign(p.c_error, entry);
  for (double& entry : c.tail(b.size() - p.b.size())) entry += std::copysign(p.violators.error, entry);
  // A sorted norm has no proof of the rest while some of it is beyond.
  const bool unproven = fit_.penalty.kind() == PenaltyKind::kSlope && !p.violators.features.empty();
  of.dual = r.exhausted || unproven ? r.saturated_objective : gap_.dual(p, net, c);
  of.dual = std::max(of.dual, r.saturated_objective);  // a bound too, and the only one with no penalised feature
  of.gap = fit_.rule.gap_unit() > 0.0 ? (of.primal - of.dual) / fit_.rule.gap_unit() : of.primal - of.dual;
  if (!(std::abs(of.gap) <= fit_.options.tol) && !last_try) return false;
  writer_.add(p, fit_.work.features(), gap_.free_columns(), of);
  return true;
}

/// Whether the objective is strictly convex on the active features, wherever they go without becoming zero (Breheny &
/// Huang 2011): the penalty takes at most its concavity from the Gram matrix.
bool Certifier::locally_convex(const PathPoint& p, const Penalties& net) {
  std::vector<Index> active;
  for (Index w = 0; w < p.b.size(); ++w) {
    if (p.b[w] != 0.0) active.push_back(w);
  }
  if (active.empty()) return true;
  if (static_cast<Index>(active.size()) >= fit_.loss.omega().size()) return false;
  Mat gram = fit_.solver.active_gram(active);
  for (std::size_t i = 0; i < active.size(); ++i) {
    gram.diagonal()[static_cast<Index>(i)] -= net.concavity(active[i]);
  }
  return Eigen::LLT<Mat>(gram).info() == Eigen::Success;
}

}  // namespace riata
