#include "solver/group_descent.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "solver/power_iteration.hpp"

namespace riata {
namespace {

constexpr Index kLargest = 256;  // features in a group whose eigenvectors are taken
constexpr int kStagnant = 12;    // looks without progress
constexpr int kProximalSteps = 10;
constexpr double kUnknown = 25.0;  // distance that is presumed where it has not been computed
constexpr int kNewtonSteps = 100;

/// |x| where x minimises sum_i d_i x_i^2 / 2 - z_i x_i + l2/2 |x|^2 + l1 |x|, with |z| > l1 > 0: the root of
/// sum_i (z_i / ((d_i + l2) h + l1))^2 = 1, by Newton's method on one over the root of the left side, which is concave
/// and increases, so that it goes there from zero without passing it.
double norm_at_minimum(const Vec& d, const VecMap& z, double l1, double l2) {
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

/// Of the Gram matrix of some features. Steps of less than twice its inverse go down, so that a little too small does
/// no harm.
double largest_eigenvalue_of(Quadratic& model, std::span<const Index> features) {
  Mat image;
  const auto product = [&](const Vec& v) {
    image.resize(v.size(), 1);
    model.hessian_product(features, v, image);
    return image.col(0);
  };
  return largest_eigenvalue(static_cast<Index>(features.size()), product, [](const Vec& v) { return v.norm(); });
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
    out.largest = largest_eigenvalue_of(model, features);
    return out;
  }
  Mat gram(size, size);
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
  auto c = scratch_.c.shape(size), z = scratch_.z.shape(size), next = scratch_.next.shape(size);
  auto last = scratch_.last.shape(size), change = scratch_.change.shape(size);
  model.block_correlation(first, c);
  const double violation = net.kkt_violation(at, c);
  if (violation == 0.0) return 0.0;
  const Basis& basis = this->basis(model, first, size);
  if (!(basis.largest > 0.0)) return 0.0;
  const Mat& V = basis.vectors;
  if (V.size() == 0) {
    next = at + c / basis.largest;
    net.prox(next, 1.0 / basis.largest);
  } else if (net.each > 0.0) {
    // On the quadratic of this group: c falls by V diag(values) V' times the way gone.
    next = at;
    change = c;
    for (int step = 0; step < kProximalSteps; ++step) {
      last = next;
      next += change / basis.largest;
      net.prox(next, 1.0 / basis.largest);
      if ((next - last).lpNorm<Eigen::Infinity>() <= 1e-15 * next.lpNorm<Eigen::Infinity>()) break;
      last = next - at;
      z.noalias() = V.transpose() * last;
      z.array() *= basis.values.array();
      change = c;
      change.noalias() -= V * z;
    }
  } else {
    z.noalias() = V.transpose() * at;
    z.array() *= basis.values.array();
    z.noalias() += V.transpose() * c;
    if (z.norm() <= net.l1) {
      next.setZero();
    } else {
      const double floor = 1e-14 * basis.largest;  // for directions that no column has
      const double norm_curvature = net.l1 > 0.0 ? net.l1 / norm_at_minimum(basis.values, z, net.l1, net.l2) : 0.0;
      z.array() /= (basis.values.array() + (net.l2 + norm_curvature)).max(floor);
      next.noalias() = V * z;
    }
  }
  change = next - at;
  if (!change.allFinite() || (change.array() == 0.0).all()) return violation;
  model.block_update(first, change);
  at = next;
  ++problem.counters.cd_updates;
  return violation;
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
    choice_.clear();
    for (Index unit = 0; unit < penalty.units(); ++unit) {
      const bool active = penalty.unpenalised(unit) || (penalty.grouped()->part(b, unit).array() != 0.0).any();
      choice_.add(unit, active, penalty.violation(unit, b, c), problem.tolerance);
    }
    const double worst = choice_.worst();
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
    const auto units = choice_.choose();
    descent_.run(problem, units, choice_.target(problem.tolerance, distance), b, result, [&] {
      double largest = 0.0;
      for (const Index unit : units) largest = std::max(largest, visit(problem, unit, b));
      return largest;
    });
    model.correlations(b, all, c);
    result.iterations = std::min(result.iterations + 1, problem.max_iter);
  }
  return result;
}

}  // namespace riata
