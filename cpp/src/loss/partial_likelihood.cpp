#include "riata/loss/partial_likelihood.hpp"

#include "loss/cox.hpp"

namespace riata {
namespace {

Cox make_cox(const Vec& time, const Survival& survival, const Vec& weights) {
  return {time, survival, weights / weights.sum(), weights.sum()};
}

}  // namespace

Vec cox_objective(const Vec& time, const Survival& survival, const Vec& weights, const MatIn& eta) {
  const Cox loss = make_cox(time, survival, weights);
  Vec out(eta.cols());
  for (Index k = 0; k < out.size(); ++k) out[k] = loss.value(eta.col(k));
  return out;
}

double cox_saturated(const Vec& time, const Survival& survival, const Vec& weights) {
  return make_cox(time, survival, weights).saturated();
}

HazardJumps baseline_hazard(const Vec& time, const Survival& survival, const Vec& weights, const Vec& eta) {
  const Cox loss = make_cox(time, survival, weights);
  HazardJumps out{Vec(loss.risk_sets().size()), Vec(loss.risk_sets().size()), loss.log_hazards(eta)};
  for (Index k = 0; k < loss.risk_sets().size(); ++k) {
    out.stratum[k] = loss.risk_sets().stratum(k);
    out.time[k] = loss.risk_sets().time(k);
  }
  return out;
}

}  // namespace riata
