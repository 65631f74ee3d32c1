#include "path/path_problem.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "riata/parallel.hpp"

namespace riata {
namespace {

constexpr double kConstant = 1e-9;  // spread of a column, relative to its mean, below which it counts as constant
/// Whether an inner solution is exact at no extra cost: then the tolerance is not what decides.
bool exact_steps(const PathOptions& options) {
  return options.loss == "gaussian" && options.penalty == "elastic_net" &&
         (options.solver == "auto" || options.solver == "homotopy");
}

Structure structure_of(const PathOptions& options, Index outputs) {
  if (options.penalty == "group") return Structure::kGroups;
  if (options.penalty == "mcp" || options.penalty == "scad") return Structure::kConcave;
  if (options.penalty == "slope") return Structure::kSorted;
  return outputs > 1 && options.row_grouped ? Structure::kRows : Structure::kNone;
}

double column_scale(bool standardize, double spread) {
  return standardize ? spread : 1.0;
}

}  // namespace

bool PathProblem::keeps_gram(const Design& X, const PathOptions& options, bool alone) {
  constexpr Index limit = 4096, limit_shared = 1024;  // features: 128 MB, and 8 MB for each of several problems
  constexpr Index worthwhile = 4;                     // lambdas: for fewer, the active features' part of it will do
  return options.loss == "gaussian" && options.penalty != "group" && options.penalty != "slope" &&
         options.count() >= worthwhile && X.cols() <= std::min(X.rows(), alone ? limit : limit_shared);
}

PathProblem::PathProblem(SharedPool& shared, Response response, const Features& features, const PathOptions& options,
                         Vec mean, Vec variance, const Vec& copy_errors, bool alone, int threads)
    : shared_(shared),
      features_(features),
      options_(options),
      n_(shared.design().rows()),
      p_(shared.design().cols()),
      threads_(threads),
      loss_(std::move(response.loss)),
      outputs_(loss_->outputs()),
      structure_(structure_of(options, outputs_)),
      offset_(std::move(response.offset)),
      reported_offset_(std::move(response.given_offset)),
      y_shift_(std::move(response.y_shift)),
      held_out_(std::move(response.held_out)),
      mean_(std::move(mean)),
      scale_(std::move(variance)),
      model_(shared.pool(), options.fit_intercept, keeps_gram(shared.design(), options, alone), shared.small_means(),
             threads, outputs_),
      active_set_(options.l1_ratio < 1.0),
      u_(std::move(response.u)),
      rho_(Vec::Zero(u_.size())),
      eta_(std::move(response.eta)),
      g_(std::move(response.g)),
      reference_(static_cast<std::size_t>(outputs_)),
      kkt_start_(std::clamp(0.1 * options.tol, 1e-13, exact_steps(options) ? 1e-9 : 1e-6)),
      kkt_relative_(kkt_start_),
      null_deviance_(response.deviance),
      spread_(response.spread) {
  Vec nu(p_), noise(p_), copy_error(copy_errors.size());
  const double largest_weight = std::sqrt(loss_->omega().maxCoeff());
  std::vector<bool> usable(static_cast<std::size_t>(p_));
  double least_factor = kInfinity, largest_factor = 0.0;
  for (Index j = 0; j < p_; ++j) {
    const double v = factor(j);
    const double spread = std::sqrt(std::max(scale_[j], 0.0));  // still the variance
    const bool constant = spread <= kConstant * std::abs(mean_[j]) || spread == 0.0;
    // Without an intercept a constant column may take its place: it cannot be standardised, which only a penalty needs.
    const bool spread_needed = options.fit_intercept || (options.standardize && v > 0.0);
    const bool useless = spread_needed ? constant : spread == 0.0 && mean_[j] == 0.0;
    scale_[j] = constant ? 1.0 : column_scale(options.standardize, spread);
    usable[static_cast<std::size_t>(j)] = !useless && v < kInfinity;
    nu[j] = noise[j] = 0.0;
    if (copy_errors.size() > 0) copy_error[j] = largest_weight * copy_errors[j] / scale_[j];
    if (!usable[static_cast<std::size_t>(j)]) continue;
    const double norm = options.fit_intercept ? spread : std::hypot(spread, mean_[j]);
    nu[j] = norm / scale_[j];
    noise[j] = kProductError * std::hypot(spread, mean_[j]) / scale_[j];
    ++outside_;
    largest_norm_ = std::max(largest_norm_, nu[j]);
    largest_noise_ = std::max(largest_noise_, noise[j]);
    if (v == 0.0) {
      unpenalised_.push_back(j);
      continue;
    }
    least_factor = std::min(least_factor, v);
    largest_factor = std::max(largest_factor, v);
  }
  if (largest_factor > 0.0) usual_factor_ = std::max(least_factor, 1e-3 * largest_factor);
  norm_ = residual_norm(u_);
  keep_all_ = model_.has_gram() || options.l1_ratio == 0.0;
  number_.assign(static_cast<std::size_t>(p_), -1);
  for (ReferenceSubspace& reference : reference_) {
    reference.setup(loss_->omega(), nu, noise, copy_error);
    for (Index j = 0; j < p_; ++j) {
      if (usable[static_cast<std::size_t>(j)]) reference.set_limit(j, options.l1_ratio * factor(j));
    }
  }
  if (structure_ == Structure::kGroups) {
    for (Index j : unpenalised_) usable[static_cast<std::size_t>(j)] = false;
    groups_ = FeatureGroups(features.group, usable, features.group_weights.size());
  }
  if (tied()) {
    bounds_ = estimates_ = Vec::Zero(p_);
    read_c_ = read_slack_ = Vec::Zero(p_ * outputs_);
  }
  result_.saturated_objective = loss_->saturated();
}

ElasticNet PathProblem::penalty(Index j, double lambda) const {
  const double v = factor(j);
  ElasticNet net;
  if (v > 0.0) {
    net.l1 = lambda * options_.l1_ratio * v;
    net.l2 = lambda * (1.0 - options_.l1_ratio) * v;
  }
  if (features_.lower.size() > 0) net.lower = features_.lower[j] * scale_[j];
  if (features_.upper.size() > 0) net.upper = features_.upper[j] * scale_[j];
  return net;
}

Penalties PathProblem::penalties(std::span<const Index> features, double lambda) const {
  if (structure_ == Structure::kRows) {
    std::vector<GroupNorm> rows;
    rows.reserve(features.size());
    for (Index j : features) {
      const ElasticNet net = penalty(j, lambda);
      rows.push_back({net.l1, net.l2});
    }
    return {std::move(rows), outputs_};
  }
  if (structure_ == Structure::kGroups) {  // the features of a group lie together
    std::vector<GroupNorm> norms;
    std::vector<Index> first{0};
    for (std::size_t w = 0; w < features.size();) {
      const Index group = groups_.of(features[w]);
      const std::size_t size = group < 0 ? 1 : groups_.members(group).size();
      norms.push_back(group < 0 ? GroupNorm{} : norm_of(group, lambda));
      first.push_back(first.back() + static_cast<Index>(size) * outputs_);
      w += size;
    }
    return {std::move(norms), std::move(first)};
  }
  if (structure_ == Structure::kConcave) {
    const auto kind = options_.penalty == "mcp" ? Concave::Kind::kMcp : Concave::Kind::kScad;
    std::vector<Concave> concave;
    concave.reserve(features.size());
    for (Index j : features) concave.push_back({kind, penalty(j, lambda).l1, options_.gamma});
    return Penalties(std::move(concave));
  }
  if (structure_ == Structure::kSorted) {  // unpenalised features come first
    Sorted sorted;
    sorted.size = static_cast<Index>(features.size());
    while (sorted.free < sorted.size && factor(features[static_cast<std::size_t>(sorted.free)]) == 0.0) ++sorted.free;
    if (lambda < kInfinity) sorted.net = SortedL1(lambda * features_.sorted_weights.head(sorted.size - sorted.free));
    return Penalties(std::move(sorted));
  }
  std::vector<ElasticNet> entries;
  entries.reserve(features.size() * static_cast<std::size_t>(outputs_));
  for (Index j : features) entries.insert(entries.end(), static_cast<std::size_t>(outputs_), penalty(j, lambda));
  return Penalties(std::move(entries));
}

/// The norm of a group of features.
GroupNorm PathProblem::norm_of(Index group, double lambda) const {
  const double weight = lambda * (1.0 - options_.sparse_share) * features_.group_weights[group];
  return {options_.l1_ratio * weight, (1.0 - options_.l1_ratio) * weight,
          lambda * options_.l1_ratio * options_.sparse_share};
}

/// What of the K numbers c of a feature is held against l1: their norm, or the largest.
double PathProblem::size_of(const double* c) const {
  const Eigen::Map<const Vec> all(c, outputs_);
  return structure_ == Structure::kRows ? safe_norm(all) : all.lpNorm<Eigen::Infinity>();
}

/// Features with a coefficient other than zero.
Index PathProblem::support_size() const {
  return (b_.reshaped(outputs_, b_.size() / outputs_).array() != 0.0).colwise().any().count();
}

int PathProblem::threads_for(Columns columns, Index sides) const {
  return worth_threads(threads_, shared_.pool().multiplications(static_cast<Index>(columns.size()), sides));
}

void PathProblem::set_work(std::vector<Index> features) {
  shared_.require(features, threads_, counters_);
  std::vector<Index> new_number(work_.size(), -1), fresh, positions;
  std::vector<double> inv_scale;
  const Index K = outputs_;
  Vec b = Vec::Zero(static_cast<Index>(features.size()) * K), c = b;
  Vec earlier = Vec::Constant(b.size(), std::numeric_limits<double>::quiet_NaN()), earlier_b = b;
  for (std::size_t w = 0; w < features.size(); ++w) {
    const Index j = features[w];
    positions.push_back(shared_.position(j));
    inv_scale.push_back(1.0 / scale_[j]);
    const std::int32_t old = number_[static_cast<std::size_t>(j)];
    if (old >= 0) {
      new_number[static_cast<std::size_t>(old)] = static_cast<Index>(w);
      const Index to = static_cast<Index>(w) * K, from = old * K;
      b.segment(to, K) = b_.segment(from, K);
      c.segment(to, K) = c_.segment(from, K);
      if (earlier_c_.size() > 0) {
        earlier.segment(to, K) = earlier_c_.segment(from, K);
        earlier_b.segment(to, K) = earlier_b_.segment(from, K);
      }
    } else {
      fresh.push_back(static_cast<Index>(w));
    }
  }
  if (!fresh.empty()) {
    std::vector<Index> columns;
    for (Index w : fresh) columns.push_back(positions[static_cast<std::size_t>(w)]);
    Mat out(static_cast<Index>(fresh.size()), K);
    shared_.pool().correlate(columns, Eigen::Map<const Mat>(u_.data(), n_, K), out, threads_for(columns, K));
    for (std::size_t k = 0; k < fresh.size(); ++k) {
      const double scale = inv_scale[static_cast<std::size_t>(fresh[k])];
      c.segment(fresh[k] * K, K) = out.row(static_cast<Index>(k)).transpose() * scale;
    }
  }
  outside_ += static_cast<Index>(work_.size()) - static_cast<Index>(features.size());
  for (Index j : work_) {
    number_[static_cast<std::size_t>(j)] = -1;
    for (ReferenceSubspace& reference : reference_) reference.set_limit(j, options_.l1_ratio * factor(j));
  }
  if (outputs_ > 1) block_newton_.renumber(new_number);
  group_descent_.renumber(new_number);
  sorted_newton_.renumber(new_number);
  active_gram_.renumber(new_number);
  if (simple() || structure_ == Structure::kConcave) {
    std::vector<Index> new_entry;
    for (const Index w : new_number) {
      for (Index k = 0; k < K; ++k) new_entry.push_back(w < 0 ? -1 : w * K + k);
    }
    active_set_.renumber(new_entry);
  }
  work_ = std::move(features);
  enter_work();
  b_ = std::move(b);
  c_ = std::move(c);
  earlier_b_ = std::move(earlier_b);
  earlier_c_ = std::move(earlier);
  model_.set_working(std::move(positions), std::move(inv_scale));
}

/// Numbers the features of the working set; no bound is asked of them.
void PathProblem::enter_work() {
  for (std::size_t w = 0; w < work_.size(); ++w) {
    number_[static_cast<std::size_t>(work_[w])] = static_cast<std::int32_t>(w);
    for (ReferenceSubspace& reference : reference_) reference.clear_limit(work_[w]);
  }
}

void PathProblem::extend_work(std::vector<Index> features) {
  if (features.empty()) return;
  std::vector<Index> all = work_;
  all.insert(all.end(), features.begin(), features.end());
  set_work(std::move(all));
}

/// |c| / penalty factor from which a column at lambda `from` is expected to be active at `to` (sequential strong rule,
/// Tibshirani et al. 2012; only ever a guess about what to gather).
double PathProblem::strong_threshold(double from, double to) const {
  if (!(to > 0.0) && !keep_all_) return kInfinity;  // nothing follows
  return keep_all_ ? 0.0 : options_.l1_ratio * std::clamp(2.0 * to - std::min(from, lambda_max_), 0.0, to);
}

/// Fills candidates_ from the estimates of every column outside the working set.
void PathProblem::find_candidates(double threshold) {
  candidates_.clear();
  ask(rho_);
  if (tied()) {
    bound_columns();
    return structure_ == Structure::kGroups ? note_groups(threshold) : note_sorted(threshold);
  }
  std::vector<std::uint8_t> flags(static_cast<std::size_t>(p_));
  decide(kInfinity, keep_all_ ? 0.0 : threshold / options_.l1_ratio, 0, flags);
  for (Index j = 0; j < p_; ++j) {
    if (flags[static_cast<std::size_t>(j)] != 0) candidates_.push_back({estimate(j) / factor(j), j});
  }
}

/// The features of the working set that are active, or expected to be at a lambda.
std::vector<Index> PathProblem::wanted(double lambda) const {
  std::vector<char> keep(work_.size(), 0);
  const auto mark = [&](Index entry) { keep[static_cast<std::size_t>(entry / outputs_)] = 1; };
  for (Index e : active_set_.features()) mark(e);
  const Penalties net = penalties(work_, lambda);
  if (const Sorted* sorted = net.sorted()) {
    const double least = sorted->size > sorted->free ? sorted->net.weights().tail(1)[0] : 0.0;
    for (Index e = 0; e < b_.size(); ++e) {
      if (e < sorted->free || b_[e] != 0.0 || std::abs(c_[e]) >= least) mark(e);
    }
  } else {
    for (Index unit = 0; unit < net.units(); ++unit) {
      const Index first = net.begin(unit), size = net.begin(unit + 1) - first;
      if (!net.reaches(unit, c_) && (b_.segment(first, size).array() == 0.0).all()) continue;
      for (Index e = first; e < first + size; ++e) mark(e);
    }
  }
  std::vector<Index> out;
  for (std::size_t w = 0; w < work_.size(); ++w) {
    if (keep[w] != 0) out.push_back(work_[w]);
  }
  return out;
}

/// The best of the candidates, in increasing order; the features of a group together.
std::vector<Index> PathProblem::chosen(Index batch) {
  std::erase_if(candidates_, [&](const auto& x) { return number_[static_cast<std::size_t>(x.second)] >= 0; });
  const bool groups = structure_ == Structure::kGroups;
  Index most = std::clamp<Index>(2 * support_size() + 32 * batch, 256, std::max<Index>(1000, n_));
  if (groups) most = std::max<Index>(most / groups_.typical_size(), 32);
  if (!keep_all_ && static_cast<Index>(candidates_.size()) > most) {
    std::nth_element(
        candidates_.begin(), candidates_.begin() + most, candidates_.end(),
        [](const auto& x, const auto& y) { return x.first != y.first ? x.first > y.first : x.second < y.second; });
    candidates_.resize(static_cast<std::size_t>(most));
  }
  std::vector<Index> out;
  for (const auto& candidate : candidates_) out.push_back(candidate.second);
  std::sort(out.begin(), out.end());
  if (!groups) return out;
  std::vector<Index> features;
  for (const Index j : out) {
    const auto& members = groups_.members(groups_.of(j));
    features.insert(features.end(), members.begin(), members.end());
  }
  return features;
}

void PathProblem::select(std::span<const double> lambdas, double following) {
  const double target = lambdas.back();
  std::vector<Index> keep = work_;
  if (!keep_all_ && (outside_ > 0 || lambdas.size() == 1)) {  // when nothing is outside, longer batches keep it so
    keep = wanted(std::max(2.0 * target - lambda_, 0.0));
  }
  std::vector<Index> fresh;
  if (outside_ > 0 && !result_.exhausted) {
    if (!candidates_known_) find_candidates(strong_threshold(lambda_, target));
    fresh = chosen(static_cast<Index>(lambdas.size()));
  }
  if (!fresh.empty() || keep.size() != work_.size()) {
    keep.insert(keep.end(), fresh.begin(), fresh.end());
    set_work(std::move(keep));
  }
  pending_.clear();
  for (double lambda : lambdas) {
    pending_.emplace_back();
    pending_.back().lambda = lambda;
    const bool choose = options_.solver == "auto" || options_.solver == "homotopy";
    pending_.back().solver = !choose ? options_.solver : simple() ? "homotopy" : "newton";
  }
  tries_ = 0;
  following_ = following;
  candidates_known_ = false;
}

void PathProblem::record(const Pending& p, double primal, double dual, double gap) {
  PathResult& r = result_;
  if (r.coef_indptr.empty()) r.coef_indptr.push_back(0);
  std::vector<std::pair<Index, double>> coefs;
  Vec intercept = p.g + y_shift_, unseen = Vec::Zero(outputs_);  // what centring takes from eta
  std::vector<Index> active;
  for (std::size_t w = 0; w < work_.size(); ++w) {
    const Index j = work_[w];
    Vec all = p.b.segment(static_cast<Index>(w) * outputs_, outputs_);
    if (loss_->symmetric() && is_free(j)) all.array() -= all.mean();
    bool any = false;
    for (Index k = 0; k < outputs_; ++k) {
      const double b = all[k];
      if (b == 0.0) continue;
      any = true;
      double raw = b / scale_[j];  // may leave its bounds by a rounding
      if (features_.lower.size() > 0) raw = std::max(raw, features_.lower[j]);
      if (features_.upper.size() > 0) raw = std::min(raw, features_.upper[j]);
      coefs.push_back({j * outputs_ + k, raw});
      if (options_.fit_intercept) unseen[k] += mean_[j] * b / scale_[j];
    }
    if (any) active.push_back(feature_of(j));
  }
  std::sort(active.begin(), active.end());
  intercept -= unseen;
  std::sort(coefs.begin(), coefs.end());
  for (const auto& [entry, value] : coefs) {
    r.coef_indices.push_back(entry);
    r.coef_values.push_back(value);
  }
  r.coef_indptr.push_back(static_cast<Index>(r.coef_indices.size()));
  r.alphas.push_back(p.lambda);
  const bool has_intercept = options_.fit_intercept && !loss_->shift_invariant();
  const double common = loss_->symmetric() ? intercept.mean() : 0.0;  // adds nothing where outputs have no origin
  intercept.array() -= common;
  for (Index k = 0; k < outputs_; ++k) r.intercepts.push_back(has_intercept ? intercept[k] : 0.0);
  r.primal.push_back(primal);
  r.dual.push_back(dual);
  r.dual_gaps.push_back(gap);
  const double deviance = loss_->value(p.eta) - loss_->saturated();
  r.deviance_ratio.push_back(null_deviance_ > 0.0 ? 1.0 - deviance / null_deviance_ : 0.0);
  r.converged.push_back(std::abs(gap) <= options_.tol);
  r.n_active.push_back(std::unique(active.begin(), active.end()) - active.begin());
  r.n_iter.push_back(p.iterations);
  r.solver.push_back(p.solver);
  if (options_.keep_linear_predictor) {
    const Index first = (static_cast<Index>(r.alphas.size()) - 1) * outputs_;
    r.linear_predictor.conservativeResize(static_cast<Index>(held_out_.size()), first + outputs_);
    const Vec centred = centred_away(p);
    for (Index k = 0; k < outputs_; ++k) {
      const double taken = loss_->shift_invariant() ? -unseen[k] : common;  // and an intercept that cannot be told
      for (std::size_t row = 0; row < held_out_.size(); ++row) {
        const Index i = k * n_ + held_out_[row];
        const double extra = reported_offset_.size() > 0 ? reported_offset_[i] : 0.0;  // not part of eta in these rows
        r.linear_predictor(static_cast<Index>(row), first + k) =
            p.eta[i] + y_shift_[k] + extra - taken - centred[held_out_[row]];
      }
    }
  }
}

/// What eta loses in every output when the coefficients of free features are centred over classes, as record() does.
Vec PathProblem::centred_away(const Pending& p) const {
  Vec out = Vec::Zero(n_);
  Index column = 0;
  for (Index j : unpenalised_) {
    if (!loss_->symmetric() || !is_free(j)) continue;
    const Index w = number_[static_cast<std::size_t>(j)];
    out += p.b.segment(w * outputs_, outputs_).mean() * free_columns_.col(column++);
  }
  return out;
}

PathResult PathProblem::take_result() {
  result_.outputs = outputs_;
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
  r.intercepts.resize(keep * static_cast<std::size_t>(outputs_));
  cut(r.primal);
  cut(r.dual);
  cut(r.dual_gaps);
  cut(r.deviance_ratio);
  cut(r.converged);
  if (!r.locally_convex.empty()) cut(r.locally_convex);
  cut(r.n_active);
  cut(r.n_iter);
  cut(r.solver);
  r.coef_indptr.resize(keep + 1);
  r.coef_indices.resize(static_cast<std::size_t>(r.coef_indptr.back()));
  r.coef_values.resize(r.coef_indices.size());
  if (options_.keep_linear_predictor) r.linear_predictor.conservativeResize(Eigen::NoChange, count * outputs_);
}

}  // namespace riata
