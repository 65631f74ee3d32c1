#include "path/response.hpp"

#include <utility>

#include "riata/loss/cox.hpp"

namespace riata {

Response::Response(const Problem& problem, const PathOptions& options) : given_offset(problem.offset) {
  Vec omega = problem.weights / problem.weights.sum();
  const auto used = omega.array() > 0.0;
  Vec y = used.select(problem.y, 0.0);
  if (options.loss == "gaussian") {
    if (given_offset.size() > 0) y -= used.select(given_offset, 0.0);
    if (options.fit_intercept) {
      y_shift = omega.dot(y);
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
  } else {
    loss = make_loss(options.loss, std::move(y), std::move(omega));
  }

  eta = offset.size() > 0 ? offset : Vec::Zero(problem.y.size());
  if (options.fit_intercept) g = solve_intercept(*loss, eta, 0.0);
  eta.array() += g;
  deviance = loss->value(eta) - loss->saturated();
  Vec h;
  loss->derivatives(eta, u, h);
}

}  // namespace riata
