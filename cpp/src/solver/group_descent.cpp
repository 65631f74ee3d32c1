#include "solver/group_descent.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "solver/anderson.hpp"

namespace riata {
namespace {

constexpr Index kLargest = 256;  // features in a group whose eigenvectors are taken
constexpr int kRounds = 60;      // sweeps before the whole working set is looked at again
constexpr int kStagnant = 12;    // looks without progress
constexpr int kProximalSteps = 10;
constexpr double kUnknown = 25.0;  // distance that is presumed where it has not been computed
constexpr int kNewtonSteps = 100;
constexpr int kPowerSteps = 20;

/// |x| where x minimises sum_i d_i x_i^2 / 2 - z_i x_i + l2/2 |x|^2 + l1 |x|, with |z| > l1 > 0: the root of
/// sum_i (z_i / ((d_i + l2) h + l1))^2 = 1, by Newton's method on one over the root of the left side, which is concave
/// and increases, so that it goes there from zero without passing it.
double norm_at_minimum(const Vec& d, const Vec& z, double l1, double l2) {
  double h = 0.0;
  for (int step = 0; step < kNewtonSteps; ++step) {
    double square = 0.0, slope = 0.0;
    for (Index i = 0; i < d.size(); ++i) {
      const double below = (d[i] + l2) * h + l1, ratio = z[i] / below;
      square += ratio * ratio;
      slope += ratio * ratio * (d[i] + l2) / below;
    }
    const double size = std::sqrt(square);
    if (!(slope > 0.0) || size <= 1.0) break;
    // psi = 1 / size - 1, psi' = slope / size^3.
    const double change = (size - 1.0) * square / slope;
    h += change;
    if (change <= 1e-16 * h) break;
  }
  return h;
}

/// Of the Gram matrix of some features, by power iteration from a fixed start: steps of less than twice its inverse go
/// down, so that a little too small does no harm.
double largest_eigenvalue(Quadratic& model, std::span<const Index> features) {
  Mat v(1, static_cast<Index>(features.size())), image;
  for (Index i = 0; i < v.size(); ++i) v(0, i) = 1.0 + 0.5 * std::sin(1.7 * static_cast<double>(i));
  double out = 0.0;
  for (int step = 0; step < kPowerSteps; ++step) {
    v /= v.norm();
    model.curve(features, v, image);
    out = image.norm();
    if (!(out > 0.0)) return 0.0;
    v = image;
  }
  return 1.05 * out;
}

}  // namespace

void GroupDescent::working_set_changed(std::span<const Index> new_number, Index /*outputs*/) {
  std::unordered_map<Index, Basis> kept;
  for (auto& [first, basis] : bases_) {
    const Index now = new_number[static_cast<std::size_t>(first)];
    if (now >= 0) kept.emplace(now, std::move(basis));
  }
  bases_ = std::move(kept);
}

const GroupDescent::Basis& GroupDescent::basis(Quadratic& model, Index first, Index size) {
  const auto [place, fresh] = bases_.try_emplace(first);
  Basis& out = place->second;
  if (!fresh) return out;
  std::vector<Index> features(static_cast<std::size_t>(size));
  std::iota(features.begin(), features.end(), first);
  if (size > kLargest) {
    out.largest = largest_eigenvalue(model, features);
    return out;
  }
  Mat gram;
  model.gram_block(features, features, gram);
  const Eigen::SelfAdjointEigenSolver<Mat> solver(0.5 * (gram + gram.transpose()));
  out.vectors = solver.eigenvectors();
  out.values = solver.eigenvalues().cwiseMax(0.0);
  out.largest = out.values[size - 1];
  return out;
}

/// Takes a group to its minimum. Returns how far it was from it: the violation there.
double GroupDescent::visit(InnerProblem& problem, Index unit, Vec& b) {
  Quadratic& model = problem.model;
  const Grouped& all = *problem.penalty.grouped();
  const GroupNorm& net = all[unit];
  const Index first = all.begin(unit), size = all.begin(unit + 1) - first;
  auto at = b.segment(first, size);
  Scratch& s = scratch_;
  s.c.resize(size);
  model.block_correlation(first, s.c);
  const double violation = net.kkt_violation(at, s.c);
  if (violation == 0.0) return 0.0;
  const Basis& basis = this->basis(model, first, size);
  if (!(basis.largest > 0.0)) return 0.0;
  const Mat& V = basis.vectors;
  if (V.size() == 0) {
    s.next = at + s.c / basis.largest;
    net.prox(s.next, 1.0 / basis.largest);
  } else if (net.each > 0.0) {
    // On the quadratic of this group: c falls by V diag(values) V' times the way gone.
    s.next = at;
    s.change = s.c;
    for (int step = 0; step < kProximalSteps; ++step) {
      s.last = s.next;
      s.next += s.change / basis.largest;
      net.prox(s.next, 1.0 / basis.largest);
      if ((s.next - s.last).lpNorm<Eigen::Infinity>() <= 1e-15 * s.next.lpNorm<Eigen::Infinity>()) break;
      s.last = s.next - at;
      s.z.noalias() = V.transpose() * s.last;
      s.z.array() *= basis.values.array();
      s.change = s.c;
      s.change.noalias() -= V * s.z;
    }
  } else {
    s.z.noalias() = V.transpose() * at;
    s.z.array() *= basis.values.array();
    s.z.noalias() += V.transpose() * s.c;
    if (s.z.norm() <= net.l1) {
      s.next.setZero(size);
    } else {
      const double floor = 1e-14 * basis.largest;  // for directions that no column has
      const double pull = net.l1 > 0.0 ? net.l1 / norm_at_minimum(basis.values, s.z, net.l1, net.l2) : 0.0;
      s.z.array() /= (basis.values.array() + (net.l2 + pull)).max(floor);
      s.next.noalias() = V * s.z;
    }
  }
  s.change = s.next - at;
  if (!s.change.allFinite() || (s.change.array() == 0.0).all()) return violation;
  model.block_update(first, s.change);
  at = s.next;
  ++problem.counters.cd_updates;
  return violation;
}

/// Brings the violation on some units down to the target, from the point of the model's last correlations().
void GroupDescent::descend(InnerProblem& problem, std::span<const Index> units, double target, Vec& b,
                           InnerResult& result) {
  Quadratic& model = problem.model;
  const Grouped& all = *problem.penalty.grouped();
  Index total = 0;
  for (const Index unit : units) total += all.begin(unit + 1) - all.begin(unit);
  const auto value = [&] { return model.squares() + problem.penalty.value(b); };
  Mat history(total, kWindow + 1);
  Vec combined, nothing(b.size());
  for (int round = 0; round < kRounds && result.iterations < problem.max_iter; ++round, ++result.iterations) {
    if (problem.poll) problem.poll();
    const Index slot = round % (kWindow + 1);
    Index row = 0;
    for (const Index unit : units) {
      const auto part = all.part(b, unit);
      history.col(slot).segment(row, part.size()) = part;
      row += part.size();
    }
    if (slot == kWindow && !model.coupled() && extrapolate(history, combined)) {
      const double before = value();
      const Vec kept = b;
      row = 0;
      for (const Index unit : units) {
        auto part = all.part(b, unit);
        const bool active = (part.array() != 0.0).any();
        for (Index i = 0; i < part.size(); ++i) {
          // Where a coefficient is zero by its own threshold it stays so.
          const bool free = all[unit].each > 0.0 ? part[i] != 0.0 : active;
          if (free) part[i] = combined[row + i];
        }
        row += part.size();
      }
      model.correlations(b, {}, nothing);
      if (!(value() < before)) {
        b = kept;
        model.correlations(b, {}, nothing);
      }
    }
    double worst = 0.0;
    for (const Index unit : units) worst = std::max(worst, visit(problem, unit, b));
    if (worst <= target) break;
  }
}

InnerResult GroupDescent::solve(InnerProblem problem, Vec& b, Vec& c) {
  Quadratic& model = problem.model;
  const Penalties& penalty = problem.penalty;
  std::vector<Index> all(static_cast<std::size_t>(model.size()));
  std::iota(all.begin(), all.end(), Index{0});
  InnerResult result;
  double best = kInfinity;
  int stagnant = 0;
  while (result.iterations < problem.max_iter) {
    if (problem.poll) problem.poll();
    std::vector<Index> active;
    std::vector<std::pair<double, Index>> entering;
    double worst = 0.0;
    for (Index unit = 0; unit < penalty.units(); ++unit) {
      const double violation = penalty.violation(unit, b, c);
      worst = std::max(worst, violation);
      if (penalty.unpenalised(unit) || (penalty.grouped()->part(b, unit).array() != 0.0).any()) {
        active.push_back(unit);
      } else if (violation > problem.tolerance) {
        entering.push_back({-violation, unit});
      }
    }
    const bool stale = std::exchange(problem.stale, false);
    const double distance = stale                        ? kUnknown
                            : worst <= problem.tolerance ? 0.0
                            : problem.enough             ? problem.enough(b, c)
                                                         : kInfinity;
    if (distance <= 1.0) {
      result.converged = true;
      break;
    }
    stagnant = stale || worst < 0.5 * best ? 0 : stagnant + 1;
    best = std::min(best, worst);
    if (stagnant > kStagnant) break;
    std::sort(entering.begin(), entering.end());
    const std::size_t most = std::max<std::size_t>(10, active.size() / 4);
    if (entering.size() > most) entering.resize(most);
    for (const auto& [violation, unit] : entering) active.push_back(unit);
    std::sort(active.begin(), active.end());
    // The gap goes with the square of the violation.
    const double share = std::clamp(0.5 / std::sqrt(distance), 0.02, 0.5);
    descend(problem, active, std::max(0.5 * problem.tolerance, share * worst), b, result);
    model.correlations(b, all, c);
    result.iterations = std::min(result.iterations + 1, problem.max_iter);
  }
  return result;
}

}  // namespace riata
