#pragma once

#include "riata/types.hpp"

namespace riata {

/// What belongs to survival times, one entry a row. A row is at risk at the times t with start < t <= stop, in its
/// stratum only; the stop times themselves are the response.
struct Survival {
  Vec event;           // 1: an event at the stop time, 0: censored there
  Vec start;           // empty: at risk from the beginning
  Vec stratum;         // labels; empty: one stratum
  bool efron = false;  // how tied events are handled: Efron 1977, else Breslow 1974
};

}  // namespace riata
