#include "solver/curvature_reuse.hpp"

#include <algorithm>
#include <cmath>

namespace riata {
namespace {

constexpr double kFreshSteps = 2.0;  // steps that a new curvature is taken to need from here
constexpr double kMostStretch = 4.0;
constexpr double kSlowest = 0.7;  // what a step may leave before the curvature is too far off

}  // namespace

void CurvatureReuse::renewed(double build_cost) {
  build_cost_ = build_cost;
  total_builds_ += 1.0;
  excess_ = rate_ = 0.0;
  length_ = 1.0;
  lambdas_ = 1;
  steps_ = first_steps_ = 0;
}

void CurvatureReuse::begin() {
  if (lambdas_ == 1) first_steps_ = steps_;
  ++lambdas_;
  steps_ = 0;
}

void CurvatureReuse::stepped(double cost, double found, double left, bool same_face) {
  ++steps_;
  total_steps_ += 1.0;
  step_cost_ = cost;
  if (lambdas_ > 1 && steps_ > first_steps_) excess_ += cost;
  if (same_face && found > 0.0) rate_ = left / found;
}

void CurvatureReuse::stretch(double fraction) {
  length_ = std::clamp(length_ * fraction, 1.0 / kMostStretch, kMostStretch);
}

bool CurvatureReuse::due(double distance) const {
  if (excess_ >= build_cost_ || rate_ > kSlowest) return true;
  if (!(distance > 1.0) || rate_ <= 0.0) return false;
  const double steps = std::log(distance) / -std::log(rate_);
  return (steps - kFreshSteps) * step_cost_ > build_cost_;
}

}  // namespace riata
