#include "solver/block_newton.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "solver/block_newton_local.hpp"

namespace riata {
namespace {

constexpr Index kMostHeld = 2000;    // features with a Gram matrix; beyond that every product takes columns
constexpr int kRounds = 60;          // sweeps and steps before the whole working set is looked at again
constexpr int kSurrogateSweeps = 2;  // of descent on a surrogate, where outputs are coupled
constexpr int kMaxStalls = 6;        // rounds without progress
constexpr double kLoose = 0.1;       // residual that conjugate gradients may leave
constexpr Index kMostIterations = 60;
constexpr int kAttempts = 3;      // at a step, with ever fewer coefficients
constexpr double kBlocked = 0.1;  // of its step, below which a coefficient that is to be stopped takes no part
constexpr int kTrials = 5;        // of a step that is cut
constexpr double kShorter = 0.3, kWorthwhile = 0.3;
constexpr double kRounding = 1e-9;  // of the objective, by which it may seem to rise
constexpr Index kTogether = 16;     // features of a block of columns
constexpr Index kStale = 45;  // iterations that tell of a preconditioner far off, and of the Gram matrix behind it

bool without_kink(const Penalties& penalty, Index unit) {
  if (const Grouped* rows = penalty.grouped()) return (*rows)[unit].l1 == 0.0;
  return penalty.entries()[static_cast<std::size_t>(unit)].l1 == 0.0;
}

}  // namespace

void BlockNewton::working_set_changed(std::span<const Index> new_number, Index /*outputs*/) {
  gram_.working_set_changed(new_number);
  preconditioner_.working_set_changed(new_number);
}

/// Sweeps of block coordinate descent: exact with the Gram matrix of the model; else on a surrogate, with its end as a
/// direction.
void BlockNewton::sweep(InnerProblem& problem, Local& at) {
  const Index a = at.B.rows(), outputs = at.B.cols();
  auto start = scratch_.sweep.begin.shape(a, outputs), gradient = scratch_.sweep.slope.shape(a, outputs);
  start = at.B;
  gradient = at.C;
  auto diagonal = scratch_.sweep.diagonal.shape(a);
  if (at.held) {
    diagonal = at.G.diagonal();
  } else {
    const Vec& all = problem.model.diagonal();
    const Index K = problem.model.outputs();
    for (std::size_t i = 0; i < at.features.size(); ++i) {
      diagonal[static_cast<Index>(i)] = all.segment(at.features[i] * K, K).maxCoeff();
    }
  }
  auto z = scratch_.sweep.row.shape(outputs), change = scratch_.sweep.change.shape(outputs);
  for (int pass = 0; pass < (at.exact ? 1 : kSurrogateSweeps); ++pass) {
    for (Index i = 0; i < at.B.rows(); ++i) {
      const double curvature = diagonal[i];
      if (curvature <= 0.0) continue;
      z = (at.B.row(i) + at.C.row(i) / curvature).transpose();
      at.minimise(i, curvature, z);
      change = z - at.B.row(i).transpose();
      if ((change.array() == 0.0).all()) continue;
      at.B.row(i) = z.transpose();
      if (at.held) {
        at.C.noalias() -= at.G.col(i) * change.transpose();
      } else {
        at.C.row(i) -= curvature * change.transpose();
      }
      ++problem.counters.cd_updates;
    }
  }
  if (at.exact) return;
  auto D = scratch_.sweep.way.shape(a, outputs), curved = scratch_.sweep.curved.shape(a, outputs);
  D = at.B - start;
  at.hessian_product(problem.model, D, curved);
  const double t = at.best_length(start, D, gradient.cwiseProduct(D).sum(), curved.cwiseProduct(D).sum());
  if (t < 1.0) at.B = start + t * D;
  at.C = gradient - t * curved;
}

/// Conjugate gradients on the Newton equations: the step of the rows that move, and what the quadratic's matrix makes
/// of it on all. False where the preconditioner is of no use.
bool BlockNewton::conjugate_gradients(InnerProblem& problem, const Local& at, const System& system, Step& step) {
  const Index a = at.B.rows(), m = system.size(), K = at.B.cols();
  auto residual = scratch_.conjugate.residual.shape(m, K), solved = scratch_.conjugate.preconditioned.shape(m, K);
  auto search = scratch_.conjugate.search.shape(m, K), image = scratch_.conjugate.image.shape(m, K);
  auto whole = scratch_.conjugate.whole.shape(a, K), curved = scratch_.conjugate.bent.shape(a, K);
  const auto precondition = [&] {
    preconditioner_.apply(at, system.moving, residual, solved);
    solved = solved.cwiseProduct(system.mask);
  };
  residual = system.gradient.cwiseProduct(system.mask);
  whole.setZero();
  step.moves.setZero();
  step.gradient_change.setZero();
  precondition();
  search = solved;
  const double first = residual.norm();
  double product = residual.cwiseProduct(solved).sum();
  iterations_ = 0;
  if (!(product > 0.0)) return false;
  for (; iterations_ < kMostIterations; ++iterations_) {
    system.spread(search, whole);
    at.hessian_product(problem.model, whole, curved);
    system.product(search, curved, image);
    const double curvature = search.cwiseProduct(image).sum();
    if (!(curvature > 0.0)) break;
    const double length = product / curvature;
    step.moves += length * search;
    step.gradient_change += length * curved;
    residual -= length * image;
    if (residual.norm() <= kLoose * first) {
      ++iterations_;
      break;
    }
    precondition();
    const double next = residual.cwiseProduct(solved).sum();
    if (!(next > 0.0)) break;
    search = solved + (next / product) * search;
    product = next;
  }
  return true;
}

/// Takes out the coefficients that are to be stopped almost at once, or the others would go where only together they
/// should. Whether there are any.
bool BlockNewton::leave_out_stopped(const Local& at, const MatMap& moves, System& system) {
  bool any = false;
  for (Index i = 0; i < system.size() && !at.grouped(); ++i) {
    for (Index k = 0; k < moves.cols(); ++k) {
      const Index row = system.row(i);
      const double from = at.B(row, k), to = from + moves(i, k), end = at.stop(row, k, to);
      if (end == to || std::abs(end - from) > kBlocked * std::abs(moves(i, k))) continue;
      system.mask(i, k) = 0.0;
      any = true;
    }
  }
  return any;
}

/// Goes to where the objective along the step is least. Cut where a penalty has its kink, the step is another one:
/// shorter, until what is left of it is one downwards.
void BlockNewton::go(InnerProblem& problem, Local& at, const System& system, const Step& step) {
  const Index a = at.B.rows(), K = at.B.cols();
  auto full = scratch_.cut.full.shape(a, K), whole = scratch_.cut.part.shape(a, K),
       gradient_change = scratch_.cut.part_change.shape(a, K);
  full.setZero();
  system.spread(step.moves, full);
  double share = 1.0, t = 0.0;
  for (int trial = 0; trial < kTrials && t < kWorthwhile; ++trial, share *= kShorter) {
    whole = share * full;
    if (at.cut(whole)) {
      at.hessian_product(problem.model, whole, gradient_change);
    } else {
      gradient_change = share * step.gradient_change;
    }
    t = at.best_length(at.B, whole, at.C.cwiseProduct(whole).sum(), gradient_change.cwiseProduct(whole).sum());
  }
  at.B += t * whole;
  at.C -= t * gradient_change;
}

/// One Newton step on the coefficients that are active.
void BlockNewton::newton(InnerProblem& problem, Local& at) {
  System system(at);
  if (system.moving.empty()) return;
  const double excess = (static_cast<double>(iterations_) - fresh_) * at.iteration_cost(problem.model.rows());
  const bool anew = at.held && (preconditioner_.empty() || excess > at.build_cost() || iterations_ >= kStale);
  // Columns taken at different curvatures are taken anew next time.
  if (anew && !preconditioner_.make(at, system.moving)) gram_.invalidate();
  Step step{scratch_.conjugate.moves.shape(system.size(), at.B.cols()),
            scratch_.conjugate.gradient_change.shape(at.B.rows(), at.B.cols())};
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (!conjugate_gradients(problem, at, system, step)) return preconditioner_.clear();
    if (anew && attempt == 0) fresh_ = static_cast<double>(iterations_);
    ++problem.counters.newton_steps;
    if (!step.moves.allFinite()) return preconditioner_.clear();
    if (!leave_out_stopped(at, step.moves, system)) break;
  }
  go(problem, at, system, step);
}

/// Brings the violation on some features down to the target; c there is as at b to begin with.
void BlockNewton::work_on(InnerProblem& problem, std::span<const Index> features, double target, Vec& b, const Vec& c,
                          InnerResult& result) {
  Quadratic& model = problem.model;
  const Index a = static_cast<Index>(features.size()), K = model.outputs();
  Scratch& s = scratch_;
  const bool held = a <= kMostHeld;
  Local at{s,
           features,
           {},
           {},
           s.local.B.shape(a, K),
           s.local.C.shape(a, K),
           held,
           held && !model.coupled(),
           s.local.G.shape(held ? a : 0, held ? a : 0)};
  if (at.held) {
    if (model.coupled() && iterations_ >= kStale) {
      gram_.invalidate();
      preconditioner_.clear();
    }
    gram_.ensure(model, features);
    gram_.block(features, at.G);
  }
  s.rows.clear();
  s.entries.clear();
  for (Index i = 0; i < a; ++i) {
    const Index w = at.features[static_cast<std::size_t>(i)];
    if (problem.penalty.grouped()) {
      s.rows.push_back((*problem.penalty.grouped())[w]);
    } else {
      s.entries.push_back(problem.penalty.entries()[static_cast<std::size_t>(w * K)]);
    }
    at.B.row(i) = b.segment(w * K, K).transpose();
    at.C.row(i) = c.segment(w * K, K).transpose();
  }
  at.rows = s.rows;
  at.entries = s.entries;
  if (problem.symmetric && !at.grouped()) at.centre_rows();
  double worst = at.worst(), best = worst;
  int stalls = 0;
  for (int round = 0; round < kRounds && worst > target && stalls < kMaxStalls && result.iterations < problem.max_iter;
       ++round, ++result.iterations) {
    if (problem.poll) problem.poll();
    sweep(problem, at);
    double next = at.worst();
    const double rate = std::min(next / worst, 0.99), sweeps = std::log(next / target) / -std::log(rate);
    const double step = 3.0 * at.iteration_cost(model.rows()) + 0.3 * at.build_cost();
    if (!problem.descent_only && next > target && (!at.exact || sweeps * at.sweep_cost() > step)) {
      newton(problem, at);
      next = at.worst();
    }
    worst = next;
    stalls = worst < 0.5 * best || (problem.descent_only && worst < best) ? 0 : stalls + 1;
    best = std::min(best, worst);
  }
  for (Index i = 0; i < a; ++i) b.segment(at.features[static_cast<std::size_t>(i)] * K, K) = at.B.row(i).transpose();
}

/// Takes the row of a feature to its minimum, given c there: z becomes the change. The violation before.
double BlockNewton::visit(InnerProblem& problem, Index w, const VecMap& c, VecMap& z, Vec& b) {
  const Index K = c.size();
  const double curvature = problem.model.diagonal()[w * K];
  if (curvature <= 0.0) {
    z.setZero();
    return 0.0;
  }
  const GroupNorm& net = (*problem.penalty.grouped())[w];
  auto row = b.segment(w * K, K);
  const double violation = net.kkt_violation(row, c);
  z = row + c / curvature;
  z *= net.shrinkage(z.norm(), 1.0 / curvature);
  z -= row;
  if ((z.array() == 0.0).all()) return violation;
  row += z;
  ++problem.counters.cd_updates;
  return violation;
}

/// A sweep over the columns, in blocks whose products are those of matrices: within a block c follows by its Gram
/// matrix. The largest violation before.
double BlockNewton::sweep_columns(InnerProblem& problem, std::span<const Index> features, Vec& b) {
  Quadratic& model = problem.model;
  const Index K = model.outputs(), count = static_cast<Index>(features.size());
  auto c = scratch_.sweep.row.shape(K), z = scratch_.sweep.change.shape(K);
  const bool together = model.moves_together(features);
  double worst = 0.0;
  for (Index first = 0; first < count; first += kTogether) {
    const Index held = std::min(kTogether, count - first);
    const auto block = features.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(held));
    auto C = scratch_.sweep.slope.shape(held, K), D = scratch_.sweep.way.shape(held, K);
    if (together) model.rows_correlation(block, C);
    bool any = false;
    for (Index i = 0; i < held; ++i) {
      const Index w = block[static_cast<std::size_t>(i)];
      if (together) {
        c = C.row(i).transpose();
      } else {
        model.row_correlation(w, c);
      }
      worst = std::max(worst, visit(problem, w, c, z, b));
      D.row(i) = z.transpose();
      if ((z.array() == 0.0).all()) continue;
      any = true;
      if (together) {
        const auto known = scratch_.local.G.mat().col(first + i).segment(i, held - i);
        C.bottomRows(held - i).noalias() -= known * z.transpose();
      } else {
        model.row_update(w, z);
      }
    }
    if (together && any) model.rows_update(block, D);
  }
  return worst;
}

/// The same as work_on() by sweeps over the columns, from the model's current point.
void BlockNewton::descend(InnerProblem& problem, std::span<const Index> features, double target, Vec& b,
                          InnerResult& result) {
  const Index count = static_cast<Index>(features.size());
  if (problem.model.moves_together(features)) {
    auto G = scratch_.local.G.shape(kTogether, count);
    for (Index first = 0; first < count; first += kTogether) {
      const Index held = std::min(kTogether, count - first);
      const auto block = features.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(held));
      problem.model.feature_gram(block, block, G.block(0, first, held, held));
    }
  }
  descent_.run(problem, features, target, b, result, [&] { return sweep_columns(problem, features, b); });
}

InnerResult BlockNewton::solve(InnerProblem problem, Vec& b, Vec& c) {
  Quadratic& model = problem.model;
  const Index K = model.outputs();
  std::vector<Index> all(static_cast<std::size_t>(model.size()));
  std::iota(all.begin(), all.end(), Index{0});
  InnerResult result;
  double best = kInfinity;
  int stalls = 0;
  const Index units = problem.penalty.units() / std::max<Index>(model.features(), 1);  // of a feature
  Vec lowest_b = b;
  double lowest = objective(problem, b, c);
  while (result.iterations < problem.max_iter) {
    if (problem.poll) problem.poll();
    choice_.clear();
    for (Index w = 0; w < model.features(); ++w) {
      double violation = 0.0;
      for (Index i = w * units; i < (w + 1) * units; ++i) {
        violation = std::max(violation, problem.penalty.violation(i, b, c));
      }
      const bool active = without_kink(problem.penalty, w * units) || (b.segment(w * K, K).array() != 0.0).any();
      choice_.add(w, active, violation, problem.tolerance);
    }
    const double worst = choice_.worst();
    const double distance = worst <= problem.tolerance ? 0.0 : problem.enough ? problem.enough(b, c) : kInfinity;
    if (distance <= 1.0) {
      result.converged = true;
      break;
    }
    stalls = worst < 0.5 * best ? 0 : stalls + 1;
    best = std::min(best, worst);
    if (stalls > 2 * kMaxStalls) break;
    const std::span<const Index> active = choice_.choose();
    const double target = choice_.target(problem.tolerance, distance);
    if (problem.penalty.grouped() && !model.coupled() && static_cast<Index>(active.size()) > model.rows()) {
      descend(problem, active, target, b, result);
    } else {
      work_on(problem, active, target, b, c, result);
    }
    model.correlations(b, all, c);
    result.iterations = std::min(result.iterations + 1, problem.max_iter);
    // With more features than the samples can tell apart, a Newton step may be rounding alone.
    const double value = objective(problem, b, c);
    if (value <= lowest + kRounding * std::abs(lowest)) {
      lowest = std::min(lowest, value);
      lowest_b = b;
      continue;
    }
    b = lowest_b;
    model.correlations(b, all, c);
    if (problem.descent_only) break;
    problem.descent_only = true;
  }
  return result;
}

}  // namespace riata
