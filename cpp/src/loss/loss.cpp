#include "loss/loss.hpp"

#include <cmath>
#include <stdexcept>
#include <utility>

#include "loss/binomial.hpp"
#include "loss/cox.hpp"
#include "loss/gaussian.hpp"
#include "loss/huber.hpp"
#include "loss/loss_class.hpp"
#include "loss/multigaussian.hpp"
#include "loss/multinomial.hpp"
#include "loss/poisson.hpp"

namespace riata {
namespace {

template <class L, class... Parameters>
  requires RowLoss<L, Parameters...>
std::unique_ptr<Loss> made(Vec& y, Vec& omega, Parameters... parameters) {
  return std::make_unique<L>(std::move(y), std::move(omega), parameters...);
}

static_assert(LossClass<Cox>);  // which has a constructor of its own

}  // namespace

std::unique_ptr<Loss> make_loss(const LossSpec& spec, Vec y, Vec omega) {
  if (spec.is<losses::Gaussian>()) return made<Gaussian>(y, omega);
  if (spec.is<losses::Binomial>()) return made<Binomial>(y, omega);
  if (spec.is<losses::Poisson>()) return made<Poisson>(y, omega);
  if (const auto* huber = spec.as<losses::Huber>()) return made<Huber>(y, omega, huber->delta);
  if (spec.is<losses::Multigaussian>()) return made<Multigaussian>(y, omega);
  if (spec.is<losses::Multinomial>()) return made<Multinomial>(y, omega);
  throw std::logic_error("a loss that is made of more than y");
}

Vec Loss::intercepts(const Vec& base, const Vec& start) const {
  return Vec::Constant(1, solve_intercept(*this, base, start[0]));
}

double Loss::scaling_gap(const Vec&, const Vec& u, const Vec& h, double scale) const {
  const double sum = (h.array() > 0.0).select(u.array().square() / h.array(), 0.0).sum();
  return 0.5 * (1.0 - scale) * (1.0 - scale) * sum;
}

double solve_intercept(const Loss& loss, const Vec& base, double start) {
  if (loss.shift_invariant()) return 0.0;
  if (const double root = loss.intercept(base, start); std::isfinite(root)) return root;
  Vec u, h, eta;
  // The root lies where sum(u) changes sign; sum(u) falls as g grows. Newton inside a bracket kept from the signs seen.
  double g = start, below = -HUGE_VAL, above = HUGE_VAL, longest = 5.0;
  for (int step = 0; step < 100; ++step) {
    eta = base.array() + g;
    loss.derivatives(eta, u, h);
    const double slope = h.sum(), excess = u.sum();
    const double noise = 1e-16 * u.cwiseAbs().sum();
    if (std::abs(excess) <= noise) break;
    (excess > 0.0 ? below : above) = g;
    double next = slope > 0.0 ? g + excess / slope : g + (excess > 0.0 ? longest : -longest);
    if (!loss.quadratic()) next = std::min(std::max(next, g - longest), g + longest);
    longest *= 2.0;  // where the loss is nearly flat the root may be far away
    if (next <= below || next >= above) next = 0.5 * (below + above);
    if (!std::isfinite(next) || next == g) break;
    const bool last = std::abs(next - g) <= 1e-15 * (1.0 + std::abs(g));
    g = next;
    if (last) break;
  }
  return g;
}

}  // namespace riata
