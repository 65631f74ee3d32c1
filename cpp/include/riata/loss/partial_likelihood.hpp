#pragma once

#include "riata/loss/survival.hpp"
#include "riata/types.hpp"

/// Cox's partial likelihood as functions of given linear predictors, for scores and survival curves.
namespace riata {

/// Minus the log partial likelihood over the sum of weights (Cox 1972), at each column of eta (rows x any number), with
/// ties as `survival` says. `time` is when a row stops being at risk.
Vec cox_objective(const Vec& time, const Survival& survival, const Vec& weights, const MatIn& eta);

/// The least value that it can have, whatever eta is.
double cox_saturated(const Vec& time, const Survival& survival, const Vec& weights);

/// Jumps of the cumulative hazard, one entry an event time of a stratum.
struct HazardJumps {
  Vec stratum, time;
  Vec log_jump;  // finite whatever the size of eta
};

/// Those of the baseline (Breslow 1974; with Efron's ties the mean over its terms) at one eta.
HazardJumps baseline_hazard(const Vec& time, const Survival& survival, const Vec& weights, const Vec& eta);

}  // namespace riata
