#include "path/path_history.hpp"

#include <algorithm>
#include <utility>

#include "loss/residual.hpp"

namespace riata {

PathHistory::PathHistory(Vec u, Vec eta, Vec g) {
  now_.u = std::move(u);
  now_.rho = Vec::Zero(now_.u.size());
  now_.eta = std::move(eta);
  now_.g = std::move(g);
}

void PathHistory::adopt(const PathPoint& p, const Loss& loss) {
  now_.b = p.b;
  now_.c = p.c;
  now_.c_error = p.c_error;
  now_.g = p.g;
  now_.u = p.u;
  now_.eta = p.eta;
  now_.rho = residual(loss, now_.u);
}

void PathHistory::accept(std::span<const PathPoint> points, const Loss& loss) {
  if (points.size() > 1) {
    const PathPoint& before = points[points.size() - 2];
    earlier_ = {before.lambda, before.b, before.c};
  } else {
    earlier_ = {now_.lambda, now_.b, now_.c};
  }
  adopt(points.back(), loss);
  now_.lambda = points.back().lambda;
}

void PathHistory::working_set_changed(std::span<const Index> new_number, Index size, Index outputs) {
  Vec b = Vec::Zero(size * outputs), c = b, earlier_b = b;
  Vec earlier_c = Vec::Constant(b.size(), std::numeric_limits<double>::quiet_NaN());
  for (std::size_t old = 0; old < new_number.size(); ++old) {
    if (new_number[old] < 0) continue;
    const Index to = new_number[old] * outputs, from = static_cast<Index>(old) * outputs;
    b.segment(to, outputs) = now_.b.segment(from, outputs);
    c.segment(to, outputs) = now_.c.segment(from, outputs);
    if (earlier_.c.size() == 0) continue;
    earlier_c.segment(to, outputs) = earlier_.c.segment(from, outputs);
    earlier_b.segment(to, outputs) = earlier_.b.segment(from, outputs);
  }
  now_.b = std::move(b);
  now_.c = std::move(c);
  earlier_.b = std::move(earlier_b);
  earlier_.c = std::move(earlier_c);
}

PathHistory::View PathHistory::last(std::span<const PathPoint> points, std::size_t q) const {
  if (q == 0) return {now_.lambda, now_.b, now_.c};
  return {points[q - 1].lambda, points[q - 1].b, points[q - 1].c};
}

PathHistory::View PathHistory::second_last(std::span<const PathPoint> points, std::size_t q) const {
  if (q == 0) return {earlier_.lambda, earlier_.b, earlier_.c};
  return last(points, q - 1);
}

std::vector<Index> PathHistory::expected_entries(std::span<const PathPoint> points, std::size_t q,
                                                 const PenaltyFamily& penalty, std::span<const Index> features) const {
  std::vector<Index> out;
  const View at = last(points, q), before = second_last(points, q);
  const double lambda = points[q].lambda;
  if (!penalty.separable_convex() || !(before.lambda > at.lambda) || !(at.lambda > lambda)) return out;
  const double fraction = (at.lambda - lambda) / (before.lambda - at.lambda);
  const Index outputs = features.empty() ? 1 : at.b.size() / static_cast<Index>(features.size());
  for (std::size_t w = 0; w < features.size(); ++w) {
    const ElasticNet net = penalty.entry(features[w], lambda);
    for (Index k = 0; k < outputs; ++k) {
      const Index i = static_cast<Index>(w) * outputs + k;
      const double ahead = at.c[i] + fraction * (at.c[i] - before.c[i]);
      // Just reaching the threshold does not count: a copy of an active column stays there.
      if (at.b[i] == 0.0 && net.kkt_violation(0.0, ahead) > 1e-6 * net.l1) out.push_back(i);
    }
  }
  return out;
}

bool PathHistory::extrapolate(std::span<const PathPoint> points, std::size_t q, const Penalties& net, Vec& b) const {
  if (q == 1 || net.sorted() != nullptr) return false;  // clusters of equal size are to stay together
  const View at = last(points, q), before = second_last(points, q);
  const double lambda = points[q].lambda;
  if (!(before.lambda > at.lambda) || !(before.lambda < kInfinity) || !(at.lambda > lambda) ||
      before.b.size() != b.size()) {
    return false;
  }
  const double fraction = std::min((at.lambda - lambda) / (before.lambda - at.lambda), 1.0);
  for (Index unit = 0; unit < net.units(); ++unit) {
    const Index first = net.begin(unit), size = net.begin(unit + 1) - first;
    auto mine = b.segment(first, size);
    const auto its = before.b.segment(first, size);
    if ((its.array() == 0.0).all() || (mine.array() == 0.0).all()) continue;
    const Vec ahead = mine + fraction * (mine - its);
    if (ahead.dot(mine) > 0.0) mine = ahead;
  }
  return true;
}

}  // namespace riata
