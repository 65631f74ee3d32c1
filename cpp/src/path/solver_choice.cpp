#include "path/solver_choice.hpp"

#include <algorithm>

namespace riata {
namespace {

constexpr double kWorthTrying = 3e6;  // cost of a step with the factor from which descent is tried
constexpr double kHorizon = 10.0;     // steps over which building a factor again has to pay
constexpr Index kLongestWait = 64;

double square(Index k) {
  return static_cast<double>(k) * static_cast<double>(k);
}

}  // namespace

double SolverChoice::build_cost(const Situation& now) {
  const double k = static_cast<double>(now.active);
  return square(now.active) * (0.03 * k + 0.1 * now.column_cost);
}

double SolverChoice::factor_cost(const Situation& now) const {
  return per_square_ * square(now.active) + now.builds * build_cost(now);
}

Solver SolverChoice::next(const Situation& now) {
  const double factor = factor_cost(now);
  if (descending_) {
    const double build = (1.0 - now.builds) * build_cost(now);
    if (last_descent_ <= 2.0 * factor || (last_descent_ - factor) * kHorizon <= build) {
      budget_ = 4.0 * std::max(factor + build, last_descent_);
      return Solver::kDescent;
    }
    descending_ = false;
    wait_ = backoff_ = kLongestWait;
  }
  if (wait_ > 0) {
    --wait_;
    return Solver::kActiveSet;
  }
  if (held_ || factor < kWorthTrying) return Solver::kActiveSet;
  budget_ = factor;
  return Solver::kDescent;
}

void SolverChoice::report(Solver solver, double cost, bool converged, const Situation& now) {
  if (solver == Solver::kActiveSet) {
    const double own = std::max(cost - now.builds * build_cost(now), 0.0);
    if (now.active > 0) per_square_ = own / square(now.active);
    return;
  }
  if (converged) {
    descending_ = true;
    last_descent_ = cost;
    backoff_ = 4;
    return;
  }
  descending_ = false;
  wait_ = backoff_;
  backoff_ = std::min(2 * backoff_, kLongestWait);
}

}  // namespace riata
