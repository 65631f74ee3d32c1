#include "path/path_fit.hpp"
#include "certify/separation.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <utility>

#include "loss/residual.hpp"
#include "path/asked_grid.hpp"
#include "path/continuation.hpp"

namespace riata {
namespace {

constexpr int kTries = 6;             // attempts at a smaller gap before giving up
constexpr double kLeastStrong = 0.5;  // of the lambda looked ahead to

}  // namespace

bool PathFit::keeps_gram(const Design& X, const PathOptions& options, bool alone) {
  constexpr Index limit = 4096, limit_shared = 1024;  // features: 128 MB, and 8 MB for each of several problems
  constexpr Index worthwhile = 4;                     // lambdas: for fewer, the active features' part of it will do
  return options.loss.is<losses::Gaussian>() && !non_separable(kind_of(options, 1)) && options.count() >= worthwhile &&
         X.cols() <= std::min(X.rows(), alone ? limit : limit_shared);
}

PathFit::PathFit(ColumnParts& columns, SharedPool& shared, Response response, const Features& features,
                 const PathOptions& options, Vec mean, Vec variance, bool alone, int threads)
    : PathFit(columns, shared, response, features, options, mean, variance,
              ColumnNorms(options, features, std::sqrt(response.loss->omega().maxCoeff()), mean, variance,
                          columns.copy_errors()),
              keeps_gram(shared.design(), options, alone), threads) {}

PathFit::PathFit(ColumnParts& columns, SharedPool& shared, Response& response, const Features& features,
                 const PathOptions& options, Vec& mean, Vec& scale, ColumnNorms norms, bool use_gram, int threads)
    : shared_(shared),
      options_(options),
      loss_(std::move(response.loss)),
      columns_(shared, options.fit_intercept, loss_->outputs(), threads, std::move(mean), std::move(scale)),
      penalty_(options, features, loss_->outputs(), columns_.scale()),
      work_(shared.design().cols()),
      predictor_(*loss_, columns_, work_, options.fit_intercept, std::move(response.offset)),
      solver_(shared.pool(), use_gram, shared.small_means(), threads, *loss_, penalty_, options, counters_),
      unpenalised_(norms.unpenalised),
      rule_(options, norms),
      newton_(parts(), counters_),
      gap_(*loss_, predictor_, norms.largest_norm),
      writer_(*loss_, penalty_, columns_, features, options, response),
      evaluator_(parts()),
      certifier_(parts(), gap_, writer_),
      screening_(columns, *loss_, penalty_, columns_, norms, full_working_set(), threads),
      history_(std::move(response.u), std::move(response.eta), std::move(response.g)) {
  writer_.result().spread = std::move(norms.spread);
  rule_.set_residual_norm(residual_norm(*loss_, history_.now().u));
  for (const Index j : unpenalised_) norms.usable[static_cast<std::size_t>(j)] = false;
  penalty_.set_groups(norms.usable);
}

/// Features with a coefficient other than zero.
Index PathFit::n_active() const {
  const Vec& b = history_.now().b;
  return (b.reshaped(loss_->outputs(), b.size() / loss_->outputs()).array() != 0.0).colwise().any().count();
}

/// |c| / penalty factor from which a column at lambda `from` is expected to be active at `to` (sequential strong rule,
/// Tibshirani et al. 2012; only ever a guess about what to gather).
double PathFit::strong_threshold(double from, double to) const {
  if (full_working_set()) return 0.0;
  if (!(to > 0.0)) return kInfinity;  // nothing follows
  // Far ahead the rule keeps nearly every column, of which only the best are taken.
  const bool ahead = options_.alphas_per_pass > 1 && penalty_.kind() != PenaltyKind::kSlope;
  const double least = ahead ? kLeastStrong * to : 0.0;
  return options_.l1_ratio * std::clamp(2.0 * to - std::min(from, lambda_max()), least, to);
}

ScreeningQuery PathFit::query(double lambda, double strong) const {
  return {lambda, strong, work_.size() - static_cast<Index>(unpenalised_.size()), n_active(), screening_.n_outside()};
}

void PathFit::fit_null() {
  set_work(unpenalised_);
  std::vector<Index> free;
  std::copy_if(unpenalised_.begin(), unpenalised_.end(), std::back_inserter(free),
               [this](Index j) { return penalty_.is_free(j); });
  gap_.set_free_columns(columns_.gather(free));
  pending_.clear();
  pending_.emplace_back();
  pending_.back().lambda = kInfinity;
  solve();
}

void PathFit::set_work(std::vector<Index> features) {
  screening_.fetch(features, shared_, columns_.threads(), counters_);
  std::vector<Index> positions, fresh, places, dropped;
  std::vector<double> inv_scale;
  for (std::size_t w = 0; w < features.size(); ++w) {
    const Index j = features[w];
    positions.push_back(shared_.position(j));
    inv_scale.push_back(1.0 / columns_.scale()[j]);
    if (work_.contains(j)) continue;
    fresh.push_back(j);
    places.push_back(static_cast<Index>(w));
  }
  const std::vector<Index> before = work_.features();
  const std::vector<Index> new_number = work_.assign(std::move(features));
  for (std::size_t w = 0; w < before.size(); ++w) {
    if (new_number[w] < 0) dropped.push_back(before[w]);
  }
  screening_.move(fresh, dropped);
  const Index K = loss_->outputs();
  history_.working_set_changed(new_number, work_.size(), K);
  if (!fresh.empty()) {
    const Vec c = columns_.correlate(fresh, history_.now().u);
    for (std::size_t k = 0; k < fresh.size(); ++k) {
      history_.set_correlations(places[k] * K, c.segment(static_cast<Index>(k) * K, K));
    }
  }
  solver_.working_set_changed(new_number, std::move(positions), std::move(inv_scale));
}

void PathFit::extend_work(std::vector<Index> features) {
  if (features.empty()) return;
  std::vector<Index> all = work_.features();
  all.insert(all.end(), features.begin(), features.end());
  set_work(std::move(all));
}

void PathFit::select(std::span<const double> lambdas, Index inserted, double next_batch) {
  const double target = lambdas.back(), lambda = history_.now().lambda;
  const bool outside = screening_.n_outside() > 0;
  std::vector<Index> keep = work_.features();
  // When nothing is outside, longer batches keep it so.
  if (!full_working_set() && (outside || lambdas.size() == 1)) {
    keep = retained_features(std::max(2.0 * target - lambda, 0.0));
  }
  std::vector<Index> fresh;
  if (outside && !result().exhausted) {
    // Candidates that were noted for a nearer lambda are too few for one further down.
    if (!candidates_.known || (lambdas.size() > 1 && target < candidates_.next_batch)) {
      const double strong = strong_threshold(lambda, target);
      candidates_.list = screening_.candidates(history_.now().rho, query(lambda, strong));
    }
    fresh = select_candidates(static_cast<Index>(lambdas.size()));
  }
  if (!fresh.empty() || static_cast<Index>(keep.size()) != work_.size()) {
    keep.insert(keep.end(), fresh.begin(), fresh.end());
    set_work(std::move(keep));
  }
  pending_.clear();
  for (const double each : lambdas) {
    PathPoint& p = pending_.emplace_back();
    p.lambda = each;
    p.kept = static_cast<Index>(pending_.size()) > inserted;
    const bool choose = options_.solver == Solver::kAuto || options_.solver == Solver::kActiveSet;
    p.solver = !choose ? options_.solver : penalty_.separable_convex() ? Solver::kActiveSet : Solver::kNewton;
  }
  counters_.inserted += inserted;
  rule_.forget_tries();
  candidates_.next_batch = next_batch;
  candidates_.known = false;
}

void PathFit::solve() {
  for (std::size_t q = 0; q < pending_.size(); ++q) {
    PathPoint& p = pending_[q];
    p.b = q == 0 ? history_.now().b : pending_[q - 1].b;
    p.g = q == 0 ? history_.now().g : pending_[q - 1].g;
    if (q > 0) p.c = pending_[q - 1].c;
    p.evaluated = p.correlated = false;
    if (result().exhausted) continue;  // the null fit is that of every lambda
    loss_->quadratic() ? solve_quadratic(q) : solve_newton(q);
  }
}

/// All lambdas of the batch expand at the current solution; the model is exact.
void PathFit::solve_quadratic(std::size_t q) {
  PathPoint& p = pending_[q];
  const PathHistory::Iterate& now = history_.now();
  if (q == 0) {
    const Vec& h = loss_->omega();
    solver_.model().expand(solver_.model().expanded() ? nullptr : &h, now.u, now.b, now.c);
    p.c = now.c;
  }
  const Penalties net = penalties(p.lambda);
  if (!penalty_.separable_convex()) return solve_quadratic_blocks(q, net);
  const auto entering = history_.expected_entries(pending_, q, penalty_, work_.features());
  const Solver solver = solver_.choose(p.b, net);
  WorkingSetSolver::Task task{net, rule_.kkt_tolerance(p.lambda), iterations_left(p), entering};
  task.lambda = p.lambda;
  task.long_step = far_below(q == 0 ? now.lambda : pending_[q - 1].lambda, p.lambda);
  if (solver == Solver::kSamples) {
    task.enough = [&](const Vec& b, const Vec& c) { return rule_.gap_share(net, b, c); };
  }
  p.iterations += solver_.solve(p, solver, task, p.b, p.c).iterations;
  p.correlated = p.solver == Solver::kSamples;
}

/// The whole of a lambda where the penalty is not one of single coefficients.
void PathFit::solve_quadratic_blocks(std::size_t q, const Penalties& net) {
  PathPoint& p = pending_[q];
  Quadratic& model = solver_.model();
  std::vector<Index> units(static_cast<std::size_t>(net.units())), entries(static_cast<std::size_t>(p.b.size()));
  std::iota(units.begin(), units.end(), Index{0});
  std::iota(entries.begin(), entries.end(), Index{0});
  // By descent over groups most are active, and found again from the c before; others want it where they start.
  const bool groups =
      penalty_.kind() == PenaltyKind::kGroups && options_.solver != Solver::kProximal && loss_->outputs() == 1;
  bool moved = false;
  if (Vec b = p.b, c = p.c; history_.extrapolate(pending_, q, net, b)) {
    const double before = groups ? model.half_rss() : model.value(p.b, p.c);
    model.correlations(b, groups ? std::span<const Index>() : entries, c);
    moved = (groups ? model.half_rss() : model.value(b, c)) + net.value(b) < before + net.value(p.b);
    if (moved) {
      p.b = std::move(b);
      p.c = std::move(c);
    } else if (!model.has_gram()) {
      model.move_to(p.b);
    }
  }
  const double norm = rule_.residual_norm();
  const auto enough = [&](const Vec& b, const Vec& c) {
    return rule_.distance(net, b, c, units, p.lambda, [&](double scale) {
      return 0.5 * (1.0 - scale) * (1.0 - scale) * norm * norm;  // |rho|^2 = sum u^2 / omega falls down the path
    });
  };
  const WorkingSetSolver::Task task{
      net, rule_.kkt_tolerance(p.lambda), iterations_left(p), {}, enough, moved && groups};
  p.iterations += solver_.solve(p, Solver::kNewton, task, p.b, p.c).iterations;
  p.correlated = !model.has_gram();
}

void PathFit::solve_newton(std::size_t q) {
  PathPoint& p = pending_[q];
  p.eta = history_.now().eta;
  p.u = history_.now().u;
  p.c = history_.now().c;
  const auto entering = history_.expected_entries(pending_, q, penalty_, work_.features());
  Vec ahead = p.b;
  const bool guess = solver_.uses_blocks(p.b) && history_.extrapolate(pending_, q, penalties(p.lambda), ahead);
  newton_.solve(p, entering, guess ? &ahead : nullptr);
  if (q + 1 < pending_.size()) adopt(p);
}

void PathFit::begin_certify() {
  evaluator_.evaluate(pending_, history_.now().c_error, rule_.tries() == 0);
  for (PathPoint& p : pending_) {
    p.violators = {};
    if (gap_.free_columns().cols() == 0 || penalty_.kind() == PenaltyKind::kConcave || !p.kept) continue;
    gap_.make_dual_feasible(p);  // (without a gap, stationary is what holds at the fit itself)
    p.c = columns_.correlate(work_.features(), p.u);
    p.c_error = columns_.centring_error(work_.features(), p.u);
  }
  candidates_.list.clear();
  candidates_.known = false;
  if (everything_working() || result().exhausted) return screening_.skip_round();
  std::vector<Vec> residuals;
  std::vector<ScreeningQuery> round;
  for (const PathPoint& p : pending_) {  // the last one tells what may enter after it
    const bool last = &p == &pending_.back();
    residuals.push_back(residual(*loss_, p.u));
    round.push_back(query(p.lambda, last ? strong_threshold(p.lambda, candidates_.next_batch) : kInfinity));
  }
  screening_.begin_round(std::move(residuals), std::move(round));
}

bool PathFit::finish_certify() {
  RoundAnswer found = screening_.answer();
  for (std::size_t q = 0; q < found.violators.size(); ++q) pending_[q].violators = std::move(found.violators[q]);
  candidates_.list = std::move(found.candidates);
  if (pending_.front().lambda == kInfinity) {
    finish_null();
    return false;
  }
  std::size_t done = 0;
  while (done < pending_.size() && certifier_.accept(pending_[done], done == 0 && rule_.tries() >= kTries)) ++done;
  if (done > 0) {
    rule_.relax();
    history_.accept(std::span(pending_).first(done), *loss_);
    rule_.set_residual_norm(residual_norm(*loss_, history_.now().u));
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(done));
  if (pending_.empty()) {
    candidates_.known = candidates_.next_batch > 0.0;
    return false;
  }

  // The first refused solution is the best known starting point for solving it again; the factor went further down.
  if (pending_.size() > 1) solver_.active_set().invalidate();
  adopt(pending_.front());
  std::vector<Index> fresh = violating_features();
  counters_.violators += static_cast<Index>(fresh.size());
  if (fresh.empty()) {
    rule_.tighten();  // nothing is missing: the inner solution is too loose
  } else {
    // With features outside there is no proof to end with.
    if (penalty_.kind() == PenaltyKind::kSlope) rule_.forget_tries();
    extend_work(std::move(fresh));
  }
  return true;
}

/// The null fit: every column has been read once.
void PathFit::finish_null() {
  PathPoint& p = pending_.front();
  PathResult& r = writer_.result();
  r.exhausted = certifier_.explains_all(p, gap_.free_columns().cols() == static_cast<Index>(unpenalised_.size()));
  const Index n = loss_->omega().size(), outputs = p.eta.size() / n;
  r.separated =
      !r.exhausted && separates(*loss_, gap_.free_columns(), options_.fit_intercept || loss_->shift_invariant(),
                                p.eta.reshaped(n, outputs), p.u.reshaped(n, outputs));
  r.null_objective = loss_->value(p.eta);
  r.alpha_max = r.exhausted ? 0.0 : penalty_.lambda_max(p.violators.features, p.violators.values(), kLeastRatio);
  set_gap_unit();
  adopt(p);
  history_.begin(r.alpha_max);
  pending_.clear();
}

void PathFit::adopt(const PathPoint& p) {
  history_.adopt(p, *loss_);
  rule_.set_residual_norm(residual_norm(*loss_, history_.now().u));
}

/// What the penalised features have to explain, where that is more than rounding.
void PathFit::set_gap_unit() {
  const PathResult& r = result();
  rule_.set_gap_unit(r.exhausted ? writer_.null_deviance() : r.null_objective - r.saturated_objective);
}

}  // namespace riata
