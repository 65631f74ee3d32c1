#include "path/response.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "loss/cox.hpp"
#include "loss/huber.hpp"
#include "loss/poisson.hpp"

namespace riata {
namespace {

constexpr double kLargest = 1e150;  // loss of the model with no feature: the square of it is finite
constexpr double kSmallest = 1e-150;

/// Refuses a response of squares, less offset and intercept, whose squares leave the range of numbers.
void check_size(const Vec& y) {
  const double largest = y.lpNorm<Eigen::Infinity>();
  if (largest == 0.0 || (largest >= kSmallest && largest <= kLargest)) return;
  std::ostringstream said;
  said << "y must hold numbers whose squares neither overflow nor vanish, got values up to " << largest
       << " about offset and intercept";
  throw std::invalid_argument(said.str());
}

}  // namespace

Response::Response(const Problem& given, const Vec& weights, const PathOptions& options) : outer_offset(given.offset) {
  Vec omega = weights / weights.sum();
  const Index n = omega.size(), outputs = given.y.size() / n;
  const auto* huber = options.loss.as<losses::Huber>();
  const bool poisson = options.loss.is<losses::Poisson>();
  const bool squares =
      options.loss.is<losses::Gaussian>() || options.loss.is<losses::Multigaussian>() || huber != nullptr;
  const auto used = omega.array() > 0.0;
  Vec y(given.y.size());
  y_shift = g = Vec::Zero(outputs);
  if (!squares && given.offset.size() > 0) offset.resize(y.size());
  for (Index k = 0; k < outputs; ++k) {
    auto mine = y.segment(k * n, n);
    mine = used.select(given.y.segment(k * n, n), 0.0);
    if (!squares) {
      if (given.offset.size() > 0) offset.segment(k * n, n) = used.select(given.offset.segment(k * n, n), 0.0);
      continue;
    }
    if (given.offset.size() > 0) mine -= used.select(given.offset.segment(k * n, n), 0.0).matrix();
    if (!options.fit_intercept) {
      check_size(mine);
      continue;
    }
    y_shift[k] = huber != nullptr ? Huber(mine, omega, huber->delta).intercept(Vec::Zero(n), 0.0) : omega.dot(mine);
    mine = used.select(mine.array() - y_shift[k], 0.0).eval();
    const double least = used.select(mine.array(), std::numeric_limits<double>::infinity()).minCoeff();
    if ((used.select(mine.array(), least) == least).all()) mine.setZero();  // constant: what is left is rounding
    check_size(mine);
  }
  for (Index i = 0; i < omega.size(); ++i) {
    if (omega[i] <= 0.0) held_out.push_back(i);
  }
  if (options.loss.is<losses::Cox>()) {
    loss = std::make_unique<Cox>(y, given.survival, std::move(omega), weights.sum());
  } else if (poisson && options.fit_intercept) {
    const double level = omega.dot(y);
    loss = std::make_unique<Poisson>(std::move(y), std::move(omega), level);
    y_shift.setConstant(std::log(level));
  } else {
    loss = make_loss(options.loss, std::move(y), std::move(omega));
  }

  eta = offset.size() > 0 ? offset : Vec::Zero(given.y.size());
  if (options.fit_intercept) g = loss->intercepts(eta, g);
  for (Index k = 0; k < outputs; ++k) eta.segment(k * n, n).array() += g[k];
  if (poisson && offset.size() > 0) {  // g, and with it sum(u) g, is to be small
    eta = offset = (loss->omega().array() > 0.0).select(eta, 0.0).eval();
    y_shift += g;
    g.setZero();
  }
  if (offset.size() > 0) outer_offset -= offset;
  deviance = loss->value(eta) - loss->saturated();
  if (poisson && !(deviance < kLargest)) {
    throw std::invalid_argument("offset must be smaller for the poisson loss without an intercept: the mean overflows");
  }
  spread = deviance;
  if (!options.fit_intercept) {
    const Vec level = loss->intercepts(eta, g);
    Vec with_level = eta;
    for (Index k = 0; k < outputs; ++k) with_level.segment(k * n, n).array() += level[k];
    spread = std::min(deviance, loss->value(with_level) - loss->saturated());
  }
  Vec h;
  loss->derivatives(eta, u, h);
}

}  // namespace riata
