#include "path/response.hpp"

#include <cmath>
#include <stdexcept>
#include <utility>

#include "riata/loss/cox.hpp"
#include "riata/loss/huber.hpp"
#include "riata/loss/poisson.hpp"

namespace riata {
namespace {

constexpr double kLargest = 1e150;  // loss of the model with no feature: the square of it is finite

}  // namespace

Response::Response(const Problem& problem, const PathOptions& options) : given_offset(problem.offset) {
  Vec omega = problem.weights / problem.weights.sum();
  const auto used = omega.array() > 0.0;
  Vec y = used.select(problem.y, 0.0);
  if (options.loss == "gaussian" || options.loss == "huber") {
    if (given_offset.size() > 0) y -= used.select(given_offset, 0.0);
    if (options.fit_intercept) {
      y_shift = options.loss == "gaussian" ? omega.dot(y)
                                           : Huber(y, omega, options.huber_delta).intercept(Vec::Zero(y.size()), 0.0);
      y.array() -= y_shift;
      y = used.select(y, 0.0).eval();
    }
  } else if (given_offset.size() > 0) {
    offset = used.select(given_offset, 0.0);
  }
  for (Index i = 0; i < omega.size(); ++i) {
    if (omega[i] <= 0.0) held_out.push_back(i);
  }
  if (options.loss == "cox") {
    loss = std::make_unique<Cox>(y, problem.survival, std::move(omega), problem.weights.sum());
  } else if (options.loss == "poisson" && options.fit_intercept) {
    const double level = omega.dot(y);
    loss = std::make_unique<Poisson>(std::move(y), std::move(omega), level);
    y_shift = std::log(level);
  } else {
    loss = make_loss(options.loss, std::move(y), std::move(omega), options.huber_delta);
  }

  eta = offset.size() > 0 ? offset : Vec::Zero(problem.y.size());
  if (options.fit_intercept) g = solve_intercept(*loss, eta, 0.0);
  eta.array() += g;
  if (options.loss == "poisson" && offset.size() > 0) {  // g, and with it sum(u) g, is to be small
    eta = offset = (loss->omega().array() > 0.0).select(eta, 0.0).eval();
    y_shift += std::exchange(g, 0.0);
  }
  deviance = loss->value(eta) - loss->saturated();
  if (options.loss == "poisson" && !(deviance < kLargest)) {
    throw std::invalid_argument("offset must be smaller for the poisson loss without an intercept: the mean overflows");
  }
  Vec h;
  loss->derivatives(eta, u, h);
}

}  // namespace riata
