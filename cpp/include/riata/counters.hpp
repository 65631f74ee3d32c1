#pragma once

#include "riata/types.hpp"

namespace riata {

/// What a call has cost.
struct Counters {
  double columns_streamed = 0;  // columns of X read, in their bytes: one of a copy four times smaller is a quarter
  double passes = 0;            // columns_streamed / p
  double products = 0;          // column x right-hand-side products, over p
  Index columns_gathered = 0;   // columns copied into the working set
  Index inserted = 0;           // alphas fitted on the way to those asked for, and not kept
  Index rounds = 0;             // certification rounds
  Index violators = 0;          // columns found active outside the working set
  Index newton_steps = 0;       // linear solves by the active-set Newton method
  Index factor_updates = 0;     // rows entering or leaving the Cholesky factor
  Index cd_updates = 0;         // single-coordinate updates
  Index prox_steps = 0;         // proximal gradient steps
  double memory = 0;            // bytes held beside X at most, between lambdas
  double seconds_stream = 0, seconds_inner = 0, seconds_total = 0;
};

}  // namespace riata
