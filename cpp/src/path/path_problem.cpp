#include "path/path_problem.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <numeric>

#include "riata/parallel.hpp"

namespace riata {
namespace {

constexpr double kConstant = 1e-9;       // spread of a column, relative to its mean, below which it counts as constant
constexpr double kShiftAlways = 1e3;     // |mean| / spread beyond which columns are copied so that they can be shifted
constexpr Index kReferenceRows = 4096;   // columns at least this long are referenced in place where possible
constexpr Index kGramLimit = 4096;       // most features for which a whole Gram matrix is kept
constexpr Index kFactorLimit = 6000;     // most active features "auto" gives to the Cholesky factor
constexpr Index kRidgedFactorLimit = 1000;  // the same, or twice the rows, when an l2 part keeps descent fast
constexpr double kBoundMargin = 1e-7;    // a bound this close to the threshold counts as undecided
constexpr int kTries = 6;                // attempts at a smaller gap before giving up
constexpr Index kNewtonSteps = 100;
// Accepted residuals that take part in reference bases: right-hand sides are nearly free next to one pending residual,
// not next to those of a dozen problems.
constexpr std::size_t kHistoryAlone = 3, kHistoryShared = 1;

double column_scale(bool standardize, double spread) { return standardize ? spread : 1.0; }

}  // namespace

// --- shared pool -------------------------------------------------------------------------------------------------

SharedPool::SharedPool(const Design& design, bool centre, bool everything)
    : X(design), centred(centre), whole(everything), pool(design.make_pool()), position_(static_cast<std::size_t>(design.cols()), -1) {}

void SharedPool::require(std::span<const Index> features, const Vec& mean, const Vec& spread, int threads,
                         Counters& counters) {
  std::vector<Index> missing;
  std::vector<double> shift;
  for (Index j : features) {
    if (position_[static_cast<std::size_t>(j)] >= 0) continue;
    position_[static_cast<std::size_t>(j)] = static_cast<std::int32_t>(pool->cols() + static_cast<Index>(missing.size()));
    missing.push_back(j);
    const double m = centred ? mean[j] : 0.0;
    const bool reference = (whole || X.rows() >= kReferenceRows) && X.contiguous(j) != nullptr && std::abs(m) <= kShiftAlways * spread[j];
    shift.push_back(reference ? std::numeric_limits<double>::quiet_NaN() : m);
  }
  if (missing.empty()) return;
  pool->append(missing, shift, threads);
  counters.columns_gathered += static_cast<Index>(missing.size());
}

// --- setup -------------------------------------------------------------------------------------------------------

PathProblem::PathProblem(SharedPool& shared, const Problem& problem, const Features& features,
                         const PathOptions& options, const Vec& mean, const Vec& variance, bool alone, int threads)
    : shared_(shared),
      features_(features),
      options_(options),
      n_(shared.X.rows()),
      p_(shared.X.cols()),
      threads_(threads),
      most_history_(alone ? kHistoryAlone : kHistoryShared),
      mean_(mean),
      spread_(variance.cwiseMax(0.0).cwiseSqrt()),
      model_(*shared.pool, options.fit_intercept,
             options.loss == "gaussian" && shared.X.cols() <= std::min(shared.X.rows(), kGramLimit), threads),
      active_set_(options.loss == "gaussian" && options.l1_ratio < 1.0),
      kkt_relative_(std::clamp(0.1 * options.tol, 1e-13, options.solver == "cd" || options.solver == "prox" ? 1e-6 : 1e-9)) {
  const bool quadratic = options.loss == "gaussian";
  Vec omega = problem.weights / problem.weights.sum();
  Vec y = (omega.array() > 0.0).select(problem.y, 0.0);
  if (problem.offset.size() > 0) reported_offset_ = problem.offset;
  if (quadratic) {
    if (reported_offset_.size() > 0) y -= (omega.array() > 0.0).select(reported_offset_, 0.0);
    if (options.fit_intercept) {
      y_shift_ = omega.dot(y);
      y.array() -= y_shift_;
      y = (omega.array() > 0.0).select(y, 0.0).eval();
    }
  } else if (reported_offset_.size() > 0) {
    offset_ = (omega.array() > 0.0).select(reported_offset_, 0.0);
  }
  for (Index i = 0; i < n_; ++i) {
    if (omega[i] <= 0.0) held_out_.push_back(i);
  }
  loss_ = make_loss(options.loss, std::move(y), omega);

  scale_.resize(p_);
  usable_.assign(static_cast<std::size_t>(p_), 0);
  Vec nu(p_), noise(p_);
  Index usable = 0;
  for (Index j = 0; j < p_; ++j) {
    const double v = features.penalty_factor.size() > 0 ? features.penalty_factor[j] : 1.0;
    const bool constant = spread_[j] <= kConstant * std::abs(mean_[j]) || spread_[j] == 0.0;
    const bool useless = options.fit_intercept || options.standardize ? constant : spread_[j] == 0.0 && mean_[j] == 0.0;
    scale_[j] = useless ? 1.0 : column_scale(options.standardize, spread_[j]);
    usable_[static_cast<std::size_t>(j)] = !useless && v < kInfinity;
    const double norm = options.fit_intercept ? spread_[j] : std::hypot(spread_[j], mean_[j]);
    nu[j] = norm / scale_[j];
    noise[j] = 2e-14 * std::hypot(spread_[j], mean_[j]) / scale_[j];
    if (!usable_[static_cast<std::size_t>(j)]) continue;
    ++usable;
    if (v == 0.0) unpenalised_.push_back(j);
  }
  outside_ = usable;
  keep_all_ = model_.has_gram() || options.l1_ratio == 0.0;
  number_.assign(static_cast<std::size_t>(p_), -1);
  reference_.setup(omega, nu, noise);
  result_.saturated_objective = loss_->saturated();

  // State with no feature in the model.
  const Vec base = offset_.size() > 0 ? offset_ : Vec::Zero(n_);
  g_ = options.fit_intercept ? solve_intercept(*loss_, base, 0.0) : 0.0;
  eta_ = base.array() + g_;
  null_deviance_ = loss_->value(eta_) - loss_->saturated();
  Vec h;
  loss_->derivatives(eta_, u_, h);
}

ElasticNet PathProblem::penalty(Index j, double lambda) const {
  const double v = features_.penalty_factor.size() > 0 ? features_.penalty_factor[j] : 1.0;
  ElasticNet net;
  if (v > 0.0) {
    net.l1 = lambda * options_.l1_ratio * v;
    net.l2 = lambda * (1.0 - options_.l1_ratio) * v;
  }
  if (features_.lower.size() > 0) net.lower = features_.lower[j] * scale_[j];
  if (features_.upper.size() > 0) net.upper = features_.upper[j] * scale_[j];
  return net;
}

std::vector<ElasticNet> PathProblem::penalties(double lambda) const {
  std::vector<ElasticNet> out;
  out.reserve(work_.size());
  for (Index j : work_) out.push_back(penalty(j, lambda));
  return out;
}

double PathProblem::kkt_tolerance(double lambda) const {
  const double norm = std::sqrt((loss_->omega().array() > 0.0).select(u_.array().square() / loss_->omega().array(), 0.0).sum());
  if (!(lambda < kInfinity)) return 1e-12 * norm;
  return std::max(kkt_relative_ * lambda * std::max(options_.l1_ratio, 1e-3), 1e-15 * norm);
}

Index PathProblem::support_size() const { return (b_.array() != 0.0).count(); }

std::string PathProblem::choose_solver() const {
  if (options_.solver != "auto") return options_.solver;
  const Index active = options_.l1_ratio == 0.0 ? static_cast<Index>(work_.size()) : support_size();
  const Index limit = options_.l1_ratio < 1.0 ? std::clamp(2 * n_, kRidgedFactorLimit, kFactorLimit) : kFactorLimit;
  return active > limit ? "cd" : "homotopy";
}

// --- working set -------------------------------------------------------------------------------------------------

void PathProblem::set_work(std::vector<Index> features) {
  shared_.require(features, mean_, spread_, threads_, counters_);
  std::vector<Index> new_number(work_.size(), -1), fresh, positions;
  std::vector<double> inv_scale;
  Vec b = Vec::Zero(static_cast<Index>(features.size())), c = b;
  for (std::size_t w = 0; w < features.size(); ++w) {
    const Index j = features[w];
    positions.push_back(shared_.position(j));
    inv_scale.push_back(1.0 / scale_[j]);
    const std::int32_t old = number_[static_cast<std::size_t>(j)];
    if (old >= 0) {
      new_number[static_cast<std::size_t>(old)] = static_cast<Index>(w);
      b[static_cast<Index>(w)] = b_[old];
      c[static_cast<Index>(w)] = c_[old];
    } else {
      fresh.push_back(static_cast<Index>(w));
    }
  }
  if (!fresh.empty()) {
    std::vector<Index> columns;
    for (Index w : fresh) columns.push_back(positions[static_cast<std::size_t>(w)]);
    Mat out(static_cast<Index>(fresh.size()), 1);
    shared_.pool->correlate(columns, u_, out, threads_);
    for (std::size_t k = 0; k < fresh.size(); ++k) {
      c[fresh[k]] = out(static_cast<Index>(k), 0) * inv_scale[static_cast<std::size_t>(fresh[k])];
    }
  }
  outside_ += static_cast<Index>(work_.size()) - static_cast<Index>(features.size());
  for (Index j : work_) number_[static_cast<std::size_t>(j)] = -1;
  for (std::size_t w = 0; w < features.size(); ++w) number_[static_cast<std::size_t>(features[w])] = static_cast<std::int32_t>(w);
  active_set_.renumber(new_number);
  work_ = std::move(features);
  b_ = std::move(b);
  c_ = std::move(c);
  model_.set_working(std::move(positions), std::move(inv_scale));
}

void PathProblem::extend_work(std::vector<Index> features) {
  if (features.empty()) return;
  std::vector<Index> all = work_;
  all.insert(all.end(), features.begin(), features.end());
  set_work(std::move(all));
}

void PathProblem::select(std::span<const double> lambdas) {
  const double target = lambdas.back();
  std::vector<Index> chosen;
  std::vector<Index> keep = work_;
  if (!keep_all_) {
    std::vector<char> wanted(work_.size(), 0);
    for (Index w : active_set_.features()) wanted[static_cast<std::size_t>(w)] = 1;
    for (std::size_t w = 0; w < work_.size(); ++w) {
      const Index j = work_[w];
      const ElasticNet net = penalty(j, std::max(2.0 * target - lambda_, 0.0));
      wanted[w] = wanted[w] || b_[static_cast<Index>(w)] != 0.0 || net.l1 == 0.0 ||
                  std::abs(c_[static_cast<Index>(w)]) >= net.l1;
    }
    std::size_t next = 0;
    for (std::size_t w = 0; w < work_.size(); ++w) {
      if (wanted[w]) keep[next++] = work_[w];
    }
    keep.resize(next);
  }
  if (outside_ > 0) {
    // Columns outside, by how close they are estimated to be to entering over this batch (sequential strong rule,
    // Tibshirani et al. 2012; only ever a guess about what to gather).
    const ReferenceSubspace::Query query = reference_.query(rho_);
    const double threshold = std::min(2.0 * target - std::min(lambda_, lambda_max_), target);
    std::vector<std::pair<double, Index>> candidates;
    for (Index j = 0; j < p_; ++j) {
      if (!usable_[static_cast<std::size_t>(j)] || number_[static_cast<std::size_t>(j)] >= 0) continue;
      const double v = features_.penalty_factor.size() > 0 ? features_.penalty_factor[j] : 1.0;
      const double estimate = std::abs(reference_.estimate(query, j)) / v;
      if (keep_all_ || estimate >= options_.l1_ratio * std::max(threshold, 0.0)) {
        candidates.push_back({estimate, j});
      }
    }
    const Index batch = static_cast<Index>(lambdas.size());
    const std::size_t most =
        keep_all_ ? candidates.size()
                  : static_cast<std::size_t>(std::clamp<Index>(2 * support_size() + 32 * batch, 256, std::max<Index>(1000, n_)));
    if (candidates.size() > most) {
      std::nth_element(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(most), candidates.end(),
                       [](const auto& x, const auto& y) { return x.first != y.first ? x.first > y.first : x.second < y.second; });
      candidates.resize(most);
    }
    for (const auto& candidate : candidates) chosen.push_back(candidate.second);
    std::sort(chosen.begin(), chosen.end());
  }
  if (!chosen.empty() || keep.size() != work_.size()) {
    keep.insert(keep.end(), chosen.begin(), chosen.end());
    set_work(std::move(keep));
  }
  pending_.clear();
  for (double lambda : lambdas) {
    pending_.emplace_back();
    pending_.back().lambda = lambda;
  }
  tries_ = 0;
}

// --- solving on the working set ----------------------------------------------------------------------------------

void PathProblem::fit_null() {
  set_work(unpenalised_);
  if (!unpenalised_.empty()) {
    unpenalised_columns_.resize(n_, static_cast<Index>(unpenalised_.size()));
    std::vector<Index> positions;
    for (Index j : unpenalised_) positions.push_back(shared_.position(j));
    shared_.pool->gather(positions, unpenalised_columns_, threads_);
    for (Index k = 0; k < unpenalised_columns_.cols(); ++k) {
      const Index j = unpenalised_[static_cast<std::size_t>(k)];
      const double centre = options_.fit_intercept ? mean_[j] - shared_.pool->shift_of(positions[static_cast<std::size_t>(k)]) : 0.0;
      unpenalised_columns_.col(k) = (unpenalised_columns_.col(k).array() - centre) / scale_[j];
    }
  }
  pending_.clear();
  pending_.emplace_back();
  pending_.back().lambda = kInfinity;
  solve();
}

void PathProblem::solve() {
  for (std::size_t q = 0; q < pending_.size(); ++q) {
    Pending& p = pending_[q];
    if (q == 0) {
      p.b = b_;
      p.g = g_;
    } else {
      p.b = pending_[q - 1].b;
      p.g = pending_[q - 1].g;
      p.c = pending_[q - 1].c;
    }
    p.evaluated = false;
    if (loss_->quadratic()) {
      // All lambdas of the batch expand at the current solution; the model is exact.
      if (q == 0) {
        Vec h, unused;
        if (!curvature_known_) h = loss_->omega();
        model_.expand(curvature_known_ ? nullptr : &h, u_, b_, c_);
        curvature_known_ = true;
        p.c = c_;
      }
      const auto net = penalties(p.lambda);
      p.solver = choose_solver();
      const InnerResult inner = solve_inner(
          p.solver, {model_, net, kkt_tolerance(p.lambda), options_.max_iter, counters_, options_.poll}, p.b, p.c);
      p.iterations += inner.iterations;
    } else {
      solve_one(p);
      if (q + 1 < pending_.size()) adopt(p);
    }
  }
}

InnerResult PathProblem::solve_inner(const std::string& solver, InnerProblem problem, Vec& b, Vec& c) {
  if (solver == "cd") return coordinate_descent(problem, b, c);
  if (solver == "prox") return prox_gradient(problem, b, c);
  return active_set_.solve(problem, b, c, {});
}

/// Proximal Newton (Lee, Sun, Saunders 2014): minimise the weighted quadratic at the current point plus the penalty,
/// search along the line, until the KKT conditions hold on the working set at the point itself.
void PathProblem::solve_one(Pending& p) {
  const auto net = penalties(p.lambda);
  const double tolerance = kkt_tolerance(p.lambda);
  p.solver = choose_solver();
  evaluate(std::span(&p, 1));
  double penalty_value = 0.0;
  for (std::size_t w = 0; w < net.size(); ++w) penalty_value += net[w].value(p.b[static_cast<Index>(w)]);
  double value = loss_->value(p.eta) + penalty_value, last_worst = kInfinity;
  int stalled = 0;
  Vec u, h, trial;
  for (Index step = 0; step < kNewtonSteps && p.iterations < options_.max_iter; ++step) {
    if (options_.poll) options_.poll();
    const double worst = worst_violation(net, p.b, p.c);
    if (worst <= tolerance) break;
    stalled = worst > 0.5 * last_worst ? stalled + 1 : 0;
    last_worst = std::min(worst, last_worst);
    if (stalled > 10) break;
    loss_->derivatives(p.eta, u, h);
    h = h.cwiseMax(1e-9 * loss_->omega());
    model_.expand(&h, p.u, p.b, p.c);
    active_set_.reset();
    Vec b = p.b, c = p.c;
    const InnerResult inner = solve_inner(
        p.solver, {model_, net, std::max(0.5 * tolerance, 0.03 * std::min(worst, worst * worst / (last_worst + tolerance))),
                   options_.max_iter, counters_, options_.poll}, b, c);
    p.iterations += inner.iterations;
    const Vec change = model_.predictor_change(b);
    double new_penalty = 0.0;
    for (std::size_t w = 0; w < net.size(); ++w) new_penalty += net[w].value(b[static_cast<Index>(w)]);
    const double expected = -p.u.dot(change) + new_penalty - penalty_value;
    double fraction = 1.0, new_value = kInfinity;
    for (int halving = 0; halving < 30; ++halving, fraction *= 0.5) {
      trial = p.eta + fraction * change;
      const double at = loss_->value(trial);
      // The penalty along the segment is at most its chord.
      new_value = at + penalty_value + fraction * (new_penalty - penalty_value);
      if (new_value <= value + 1e-4 * fraction * std::min(expected, 0.0) + 1e-15 * std::abs(value)) break;
    }
    if (!(new_value <= value + 1e-14 * std::abs(value))) break;
    p.b = fraction == 1.0 ? b : Vec(p.b + fraction * (b - p.b));
    p.evaluated = false;
    evaluate(std::span(&p, 1));
    penalty_value = 0.0;
    for (std::size_t w = 0; w < net.size(); ++w) penalty_value += net[w].value(p.b[static_cast<Index>(w)]);
    value = loss_->value(p.eta) + penalty_value;
  }
}

/// eta, u and c of pending solutions, from the data: one product with the supports, one with the working set.
void PathProblem::evaluate(std::span<Pending> pending) {
  std::vector<Pending*> open;
  for (Pending& p : pending) {
    if (!p.evaluated) open.push_back(&p);
  }
  if (open.empty()) return;
  const Index m = static_cast<Index>(open.size()), size = static_cast<Index>(work_.size());
  std::vector<Index> all, support, columns;
  for (Index w = 0; w < size; ++w) {
    all.push_back(shared_.position(work_[static_cast<std::size_t>(w)]));
    if (std::any_of(open.begin(), open.end(), [w](const Pending* p) { return p->b[w] != 0.0; })) {
      support.push_back(w);
      columns.push_back(all.back());
    }
  }
  Mat values(static_cast<Index>(support.size()), m), base(n_, m);
  Vec shift = Vec::Zero(m);
  for (std::size_t k = 0; k < support.size(); ++k) {
    const Index w = support[k], j = work_[static_cast<std::size_t>(w)];
    const double centre = options_.fit_intercept ? mean_[j] - shared_.pool->shift_of(columns[k]) : 0.0;
    for (Index q = 0; q < m; ++q) {
      const double value = open[static_cast<std::size_t>(q)]->b[w] / scale_[j];
      values(static_cast<Index>(k), q) = value;
      shift[q] += centre * value;
    }
  }
  if (columns.empty()) {
    base.setZero();
  } else {
    shared_.pool->multiply(columns, values, base, threads_);
  }
  Mat u(n_, m), c(size, m);
  Vec h;
  for (Index q = 0; q < m; ++q) {
    Pending& p = *open[static_cast<std::size_t>(q)];
    p.eta = base.col(q).array() - shift[q];
    if (offset_.size() > 0) p.eta += offset_;
    if (options_.fit_intercept) {
      p.g = solve_intercept(*loss_, p.eta, p.g);
      p.eta.array() += p.g;
    }
    loss_->derivatives(p.eta, p.u, h);
    u.col(q) = p.u;
    p.evaluated = true;
  }
  correlate_work(u, c);
  for (Index q = 0; q < m; ++q) open[static_cast<std::size_t>(q)]->c = c.col(q);
}

/// c = Xs'u on the working set, u with columns that sum to zero (with an intercept).
void PathProblem::correlate_work(const MatIn& u, MatOut c) const {
  std::vector<Index> all;
  Vec inv_scale(static_cast<Index>(work_.size()));
  for (std::size_t w = 0; w < work_.size(); ++w) {
    all.push_back(shared_.position(work_[w]));
    inv_scale[static_cast<Index>(w)] = 1.0 / scale_[work_[w]];
  }
  shared_.pool->correlate(all, u, c, threads_);
  c = inv_scale.asDiagonal() * c;
}

/// u -= M Z (Z'MZ)^-1 Z'u over intercept and free unpenalised features, M = curvature: removes the rounding left in
/// Z'u = 0 while keeping u inside the domain of the conjugate.
void PathProblem::make_dual_feasible(Vec& u, const Vec& curvature) const {
  const Index q = unpenalised_columns_.cols();
  if (q == 0) return;
  Mat z(n_, q + (options_.fit_intercept ? 1 : 0));
  z.leftCols(q) = unpenalised_columns_;
  if (options_.fit_intercept) z.col(q).setOnes();
  Mat normal = z.transpose() * curvature.asDiagonal() * z;
  normal.diagonal().array() *= 1.0 + 1e-13;
  const Vec defect = normal.ldlt().solve(z.transpose() * u);
  if (defect.allFinite()) u -= curvature.cwiseProduct(z * defect);
}

// --- certificates ------------------------------------------------------------------------------------------------

const Mat* PathProblem::begin_certify(std::vector<std::uint8_t>& need) {
  const Vec& omega = loss_->omega();
  Vec ignored, h;
  evaluate(pending_);
  const bool bounded = features_.lower.size() > 0 || features_.upper.size() > 0;
  for (Pending& p : pending_) {
    if (unpenalised_columns_.cols() > 0 && !bounded) {
      loss_->derivatives(p.eta, ignored, h);
      make_dual_feasible(p.u, h);
      correlate_work(p.u, p.c);
    }
    p.rho = (omega.array() > 0.0).select(p.u.array() / omega.array(), 0.0);
    p.seen = Certificate{};
  }
  streaming_ = nullptr;
  if (outside_ == 0) return nullptr;

  for (Pending& p : pending_) p.query = reference_.query(p.rho);
  const double ratio = options_.l1_ratio;
  std::atomic<bool> any{false};
  constexpr Index kChunk = 16384;
  parallel_for((p_ + kChunk - 1) / kChunk, threads_, [&](Index chunk) {
    bool found = false;
    for (Index j = chunk * kChunk; j < std::min(p_, (chunk + 1) * kChunk); ++j) {
      const std::size_t i = static_cast<std::size_t>(j);
      if (!usable_[i] || number_[i] >= 0) continue;
      const double v = features_.penalty_factor.size() > 0 ? features_.penalty_factor[j] : 1.0;
      for (const Pending& p : pending_) {
        const double l1 = p.lambda < kInfinity ? p.lambda * ratio * v * (1.0 - kBoundMargin) : -1.0;
        if (reference_.bound(p.query, j) > l1) {
          need[i] = 1;
          found = true;
          break;
        }
      }
    }
    if (found) any = true;
  });
  if (!any) return nullptr;
  std::vector<const Vec*> residuals;
  for (const Pending& p : pending_) residuals.push_back(&p.rho);
  for (const Vec& rho : history_) residuals.push_back(&rho);
  streaming_ = &reference_.open_block(residuals);
  streaming_sums_ = streaming_->colwise().sum();
  for (Pending& p : pending_) p.coordinates = reference_.coordinates(p.rho);
  return streaming_;
}

void PathProblem::absorb(Columns columns, const Eigen::Ref<const Mat, 0, Eigen::OuterStride<>>& products) {
  constexpr Index kChunk = 2048;
  const Index q = products.cols(), count = static_cast<Index>(columns.size()), chunks = (count + kChunk - 1) / kChunk;
  std::vector<std::vector<Certificate>> partial(static_cast<std::size_t>(chunks));
  parallel_for(chunks, threads_, [&](Index chunk) {
    auto& mine = partial[static_cast<std::size_t>(chunk)];
    mine.resize(pending_.size());
    double k[ReferenceSubspace::kMaxBasis];
    for (Index i = chunk * kChunk; i < std::min(count, (chunk + 1) * kChunk); ++i) {
      const Index j = columns[static_cast<std::size_t>(i)];
      if (!usable_[static_cast<std::size_t>(j)]) continue;
      const double centre = options_.fit_intercept ? mean_[j] : 0.0;
      for (Index t = 0; t < q; ++t) k[t] = (products(i, t) - centre * streaming_sums_[t]) / scale_[j];
      reference_.store(j, k);
      if (number_[static_cast<std::size_t>(j)] >= 0) continue;
      for (std::size_t a = 0; a < pending_.size(); ++a) {
        double c = 0.0;
        for (Index t = 0; t < q; ++t) c += k[t] * pending_[a].coordinates[t];
        const double lambda = pending_[a].lambda;
        const ElasticNet net = penalty(j, lambda < kInfinity ? lambda : 0.0);
        if (lambda < kInfinity ? std::abs(c) > net.l1 : c != 0.0) mine[a].beyond.push_back({j, c});
      }
    }
  });
  for (const auto& mine : partial) {
    for (std::size_t a = 0; a < mine.size(); ++a) {
      auto& beyond = pending_[a].seen.beyond;
      beyond.insert(beyond.end(), mine[a].beyond.begin(), mine[a].beyond.end());
    }
  }
}

bool PathProblem::finish_certify() {
  if (pending_.front().lambda == kInfinity) {
    // The null fit: every column has been read once.
    const Pending& p = pending_.front();
    const double ratio = std::max(options_.l1_ratio, 1e-3);
    for (const auto& [j, c] : p.seen.beyond) {
      const ElasticNet net = penalty(j, 1.0);
      if (c > 0.0 ? net.upper <= 0.0 : net.lower >= 0.0) continue;
      const double v = features_.penalty_factor.size() > 0 ? features_.penalty_factor[j] : 1.0;
      lambda_max_ = std::max(lambda_max_, std::abs(c) / (ratio * v));
    }
    result_.alpha_max = lambda_max_;
    result_.null_objective = loss_->value(p.eta);
    adopt(p);
    history_.push_front(p.rho);
    lambda_ = lambda_max_;
    pending_.clear();
    return false;
  }
  std::size_t done = 0;
  while (done < pending_.size() && accept(pending_[done], tries_ >= kTries)) ++done;
  if (done > 0) {
    tries_ = 0;
    kkt_relative_ = std::max(kkt_relative_, std::min(0.1 * options_.tol, 1e-9));
    const std::size_t newest = done - 1;
    adopt(pending_[newest]);
    lambda_ = pending_[newest].lambda;
    for (std::size_t q = 0; q < done; ++q) history_.push_front(std::move(pending_[q].rho));
    while (history_.size() > most_history_) history_.pop_back();
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(done));
  if (pending_.empty()) return false;

  // The first refused solution is the best known starting point for solving it again.
  adopt(pending_.front());
  std::vector<Index> fresh;
  for (const Pending& p : pending_) {
    for (const auto& [j, c] : p.seen.beyond) {
      if (penalty(j, p.lambda).kkt_violation(0.0, c) > kkt_tolerance(p.lambda)) fresh.push_back(j);
    }
  }
  std::sort(fresh.begin(), fresh.end());
  fresh.erase(std::unique(fresh.begin(), fresh.end()), fresh.end());
  counters_.violators += static_cast<Index>(fresh.size());
  if (fresh.empty()) {
    kkt_relative_ = std::max(0.05 * kkt_relative_, 1e-15);  // nothing is missing: the inner solution is too loose
    ++tries_;
  } else {
    extend_work(std::move(fresh));
  }
  return true;
}

void PathProblem::adopt(const Pending& p) {
  b_ = p.b;
  c_ = p.c;
  g_ = p.g;
  u_ = p.u;
  eta_ = p.eta;
  const Vec& omega = loss_->omega();
  rho_ = (omega.array() > 0.0).select(p.u.array() / omega.array(), 0.0);
}

bool PathProblem::accept(Pending& p, bool last_try) {
  const auto net = penalties(p.lambda);
  double primal = loss_->value(p.eta), scale = 1.0;
  // Rounding in Z'u: an unpenalised, unbounded feature has c = 0 up to it, and is left out of the conjugate.
  for (std::size_t w = 0; w < net.size(); ++w) {
    const Index i = static_cast<Index>(w);
    primal += net[w].value(p.b[i]);
    if (net[w].l1 == 0.0 && net[w].l2 == 0.0) continue;
    scale = std::min(scale, net[w].feasible_scale(p.c[i]));
  }
  for (const auto& [j, c] : p.seen.beyond) scale = std::min(scale, penalty(j, p.lambda).feasible_scale(c));
  const Vec u = scale * p.u;
  double dual = loss_->dual(u);
  if (offset_.size() > 0) dual -= offset_.dot(u);
  for (std::size_t w = 0; w < net.size(); ++w) {
    if (net[w].l1 == 0.0 && net[w].l2 == 0.0) {
      if (net[w].lower == -kInfinity && net[w].upper == kInfinity) continue;
      // Bounded on one side: rounding on the open side counts as zero.
      const double c = p.c[static_cast<Index>(w)];
      const double reach = c > 0.0 ? net[w].upper : -net[w].lower;
      if (reach < kInfinity) dual -= std::abs(scale * c) * reach;
      continue;
    }
    dual -= net[w].conjugate(scale * p.c[static_cast<Index>(w)] * (1.0 - 1e-16));
  }
  for (const auto& [j, c] : p.seen.beyond) dual -= penalty(j, p.lambda).conjugate(scale * c * (1.0 - 1e-16));
  const double unit = result_.null_objective - result_.saturated_objective;
  const double gap = unit > 0.0 ? (primal - dual) / unit : primal - dual;
  if (!(gap <= options_.tol) && !last_try) return false;
  record(p, primal, dual, gap);
  return true;
}

void PathProblem::record(const Pending& p, double primal, double dual, double gap) {
  PathResult& r = result_;
  if (r.coef_indptr.empty()) r.coef_indptr.push_back(0);
  std::vector<std::pair<Index, double>> coefs;
  double intercept = p.g + y_shift_;
  for (std::size_t w = 0; w < work_.size(); ++w) {
    const double b = p.b[static_cast<Index>(w)];
    if (b == 0.0) continue;
    const Index j = work_[w];
    double raw = b / scale_[j];  // may leave its bounds by a rounding
    if (features_.lower.size() > 0) raw = std::max(raw, features_.lower[j]);
    if (features_.upper.size() > 0) raw = std::min(raw, features_.upper[j]);
    coefs.push_back({j, raw});
    if (options_.fit_intercept) intercept -= mean_[j] * b / scale_[j];
  }
  std::sort(coefs.begin(), coefs.end());
  for (const auto& [j, value] : coefs) {
    r.coef_indices.push_back(j);
    r.coef_values.push_back(value);
  }
  r.coef_indptr.push_back(static_cast<Index>(r.coef_indices.size()));
  r.alphas.push_back(p.lambda);
  r.intercepts.push_back(options_.fit_intercept ? intercept : 0.0);
  r.primal.push_back(primal);
  r.dual.push_back(dual);
  r.dual_gaps.push_back(gap);
  const double deviance = loss_->value(p.eta) - loss_->saturated();
  r.deviance_ratio.push_back(null_deviance_ > 0.0 ? 1.0 - deviance / null_deviance_ : 0.0);
  r.converged.push_back(gap <= options_.tol);
  r.n_active.push_back(static_cast<Index>(coefs.size()));
  r.n_iter.push_back(p.iterations);
  r.solver.push_back(p.solver);
  if (options_.keep_linear_predictor) {
    const Index column = static_cast<Index>(r.alphas.size()) - 1;
    r.linear_predictor.conservativeResize(static_cast<Index>(held_out_.size()), column + 1);
    for (std::size_t k = 0; k < held_out_.size(); ++k) {
      const Index i = held_out_[k];
      const bool folded = loss_->quadratic() || offset_.size() > 0;
      const double extra = folded && reported_offset_.size() > 0 ? reported_offset_[i] : 0.0;
      r.linear_predictor(static_cast<Index>(k), column) = p.eta[i] + y_shift_ + extra;
    }
  }
}

PathResult PathProblem::take_result() {
  result_.mean = std::move(mean_);
  result_.scale = std::move(scale_);
  return std::move(result_);
}

void PathProblem::truncate(Index count) {
  PathResult& r = result_;
  if (count >= fitted()) return;
  const std::size_t keep = static_cast<std::size_t>(count);
  const auto cut = [keep](auto& v) { v.resize(keep); };
  cut(r.alphas);
  cut(r.intercepts);
  cut(r.primal);
  cut(r.dual);
  cut(r.dual_gaps);
  cut(r.deviance_ratio);
  cut(r.converged);
  cut(r.n_active);
  cut(r.n_iter);
  cut(r.solver);
  r.coef_indptr.resize(keep + 1);
  r.coef_indices.resize(static_cast<std::size_t>(r.coef_indptr.back()));
  r.coef_values.resize(r.coef_indices.size());
  if (options_.keep_linear_predictor) r.linear_predictor.conservativeResize(Eigen::NoChange, count);
}

}  // namespace riata
