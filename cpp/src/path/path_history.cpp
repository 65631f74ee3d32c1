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
  now_ = {p.lambda, p.b, p.c, p.u, residual(loss, p.u), p.eta, p.g, p.c_error};
  is_accepted_ = false;
}

void PathHistory::begin(double lambda) {
  now_.lambda = lambda;
  accepted_ = {now_.lambda, now_.b, now_.c};
  is_accepted_ = true;
}

void PathHistory::accept(std::span<const PathPoint> points, const Loss& loss) {
  previous_ = std::move(accepted_);
  if (points.size() > 1) {
    const PathPoint& before = points[points.size() - 2];
    previous_ = {before.lambda, before.b, before.c};
  }
  adopt(points.back(), loss);
  accepted_ = {now_.lambda, now_.b, now_.c};
  is_accepted_ = true;
}

void PathHistory::working_set_changed(std::span<const Index> new_number, Index size, Index outputs) {
  const auto renumber = [&](Vec& v, double unknown) {
    Vec out = Vec::Constant(size * outputs, unknown);
    for (std::size_t old = 0; old < new_number.size() && v.size() > 0; ++old) {
      if (new_number[old] < 0) continue;
      out.segment(new_number[old] * outputs, outputs) = v.segment(static_cast<Index>(old) * outputs, outputs);
    }
    v = std::move(out);
  };
  renumber(now_.b, 0.0);
  renumber(now_.c, 0.0);
  for (Solution* of : {&accepted_, &previous_}) {
    renumber(of->b, 0.0);
    renumber(of->c, std::numeric_limits<double>::quiet_NaN());
  }
}

void PathHistory::set_correlations(Index first, const Vec& c) {
  now_.c.segment(first, c.size()) = c;
  if (is_accepted_) accepted_.c.segment(first, c.size()) = c;
}

PathHistory::View PathHistory::last(std::span<const PathPoint> points, std::size_t q) const {
  return q == 0 ? View{now_.lambda, now_.b, now_.c} : view(points[q - 1]);
}

PathHistory::View PathHistory::second_last(std::span<const PathPoint> points, std::size_t q) const {
  if (q > 1) return view(points[q - 2]);
  return view(q == 1 || !is_accepted_ ? accepted_ : previous_);
}

std::vector<Index> PathHistory::expected_entries(std::span<const PathPoint> points, std::size_t q,
                                                 const PenaltyFamily& penalty, std::span<const Index> features) const {
  std::vector<Index> out;
  const View at = last(points, q), before = second_last(points, q);
  const double lambda = points[q].lambda;
  const bool there = at.lambda <= lambda && lambda < kInfinity;  // a point refused: c is what it is
  if (!penalty.separable_convex() || !(there || before.lambda > at.lambda)) return out;
  const double fraction = there ? 0.0 : (at.lambda - lambda) / (before.lambda - at.lambda);
  const Index outputs = features.empty() ? 1 : at.b.size() / static_cast<Index>(features.size());
  for (std::size_t w = 0; w < features.size(); ++w) {
    const ElasticNet net = penalty.entry(features[w], lambda);
    for (Index k = 0; k < outputs; ++k) {
      const Index i = static_cast<Index>(w) * outputs + k;
      const double ahead = there ? at.c[i] : at.c[i] + fraction * (at.c[i] - before.c[i]);
      // Just reaching the threshold does not count: a copy of an active column stays there.
      if (at.b[i] == 0.0 && net.kkt_violation(0.0, ahead) > 1e-6 * net.l1) out.push_back(i);
    }
  }
  return out;
}

bool PathHistory::extrapolate(std::span<const PathPoint> points, std::size_t q, const Penalties& net, Vec& b) const {
  if (net.sorted() != nullptr) return false;  // clusters of equal size are to stay together
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
