#include "path/continuation.hpp"

#include <algorithm>
#include <cmath>

#include "path/lambda_grid.hpp"

namespace riata {
namespace {

// Steps for each factor of ten. On columns with correlations of 0.5 and 0.9 one lambda of 0.01 of the largest cost the
// least with 25 to 50, and several times as much with 10.
constexpr double kStepsADecade = 40.0;
constexpr double kLongStep = 3.5;  // steps that are taken as one: a factor of 1.22
constexpr double kRounding = 1e-9;

}  // namespace

double steps_between(double from, double to) {
  return to > 0.0 && from > to ? kStepsADecade * std::log10(from / to) : 0.0;
}

bool far_below(double from, double to) {
  return steps_between(from, to) > kLongStep;
}

double step_below(double from) {
  return from * std::pow(10.0, -1.0 / kStepsADecade);
}

std::vector<double> lambdas_between(double from, double to) {
  if (!far_below(from, to)) return {};
  const Index count = static_cast<Index>(std::ceil(steps_between(from, to) - kRounding));
  std::vector<double> grid = lambda_grid(from, count + 1, to / from);
  return {grid.begin() + 1, grid.end() - 1};
}

}  // namespace riata
