#include <Eigen/Cholesky>
#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <limits>

#include "path/path_problem.hpp"
#include "riata/parallel.hpp"

namespace riata {
namespace {

constexpr int kFreeSteps = 2;  // of Newton's method over free features
constexpr int kTries = 6;      // attempts at a smaller gap before giving up
// Share of the deviance of the model with no feature that is rounding: of a residual that could be brought to zero
// solvers leave some 1e-12.
constexpr double kNothing = 1e-20;
constexpr double kGapShareLeft = 0.1;  // of the tolerance, for what is left where rows are separated
constexpr double kFreeReach = 2.0;     // of coefficients at hand, how far the optimal ones may be from zero

}  // namespace

/// Neither penalised nor bounded: its c must be exactly zero for a finite dual value.
bool PathProblem::is_free(Index j) const {
  const ElasticNet net = penalty(j, 1.0);
  return net.l1 == 0.0 && net.l2 == 0.0 && net.lower == -kInfinity && net.upper == kInfinity;
}

/// u -= M Z (Z'MZ)^-1 Z'u over intercept and free features, M = curvature: removes the rounding left in
/// Z'u = 0 while keeping u inside the domain of the conjugate. Each output by itself.
void PathProblem::make_dual_feasible(Pending& p) const {
  if (move_dual_point(p)) return;
  const Index q = free_columns_.cols();
  const Vec given = p.u;
  Vec ignored, curvature;
  loss_->derivatives(p.eta, ignored, curvature);
  Mat z(n_, q + (options_.fit_intercept ? 1 : 0));
  z.leftCols(q) = free_columns_;
  if (options_.fit_intercept) z.col(q).setOnes();
  for (Index k = 0; k < outputs_; ++k) {
    const auto u = given.segment(k * n_, n_);
    const auto weight = curvature.segment(k * n_, n_);
    Mat normal = z.transpose() * weight.asDiagonal() * z;
    normal.diagonal().array() *= 1.0 + 1e-13;
    const Vec defect = normal.ldlt().solve(z.transpose() * u);
    if (defect.allFinite()) p.u.segment(k * n_, n_) = u - weight.cwiseProduct(z * defect);
  }
  // Scaled, it stays orthogonal to Z, and comes back where it has left the domain.
  const Vec moved = p.u;
  for (double rest = 0.0; rest < 1e-3; rest = rest == 0.0 ? 1e-15 : 10.0 * rest) {
    p.u = (1.0 - rest) * moved;
    if (loss_->dual(p.u) > -kInfinity) return;
  }
  p.u = given;
}

/// The same where rows or outputs are coupled, and u has to be a gradient: it is taken at eta + Z (Z'F''Z)^-1 Z'u, with
/// Z of every output and the intercepts solved anew.
bool PathProblem::move_dual_point(Pending& p) const {
  const Mat& Z = free_columns_;
  const Index q = Z.cols(), size = q * outputs_;
  p.dual_eta = p.eta;
  for (int step = 0; step < kFreeSteps; ++step) {
    const auto coupled = loss_->curvature(p.dual_eta, 0.0, options_.fit_intercept);
    if (!coupled) {
      p.dual_eta.resize(0);
      return false;
    }
    Mat normal(size, size);
    Vec image, slope(size);
    for (Index column = 0; column < size; ++column) {
      image.setZero(n_ * outputs_);
      image.segment(column / q * n_, n_) = Z.col(column % q);
      coupled->multiply(image);
      normal.col(column) = (Z.transpose() * outputs(image)).reshaped();
    }
    slope = (Z.transpose() * outputs(p.u)).reshaped();
    normal.diagonal().array() *= 1.0 + 1e-13;
    if (loss_->symmetric()) {  // the same in all outputs changes nothing: keep away from it
      const double level = normal.trace() / static_cast<double>(size * outputs_);
      for (Index k = 0; k < outputs_; ++k) {
        for (Index l = 0; l < outputs_; ++l) normal.block(k * q, l * q, q, q).diagonal().array() += level;
      }
    }
    const Vec change = normal.ldlt().solve(slope);
    if (!change.allFinite()) return true;
    p.dual_eta += (Z * change.reshaped(q, outputs_)).reshaped();
    Vec ignored, g = Vec::Zero(outputs_);
    if (loss_->symmetric()) add_intercepts(p.dual_eta, g);
    loss_->derivatives(p.dual_eta, p.u, ignored);
  }
  return true;
}

void PathProblem::begin_certify() {
  evaluate(pending_);
  for (Pending& p : pending_) {
    if (free_columns_.cols() > 0 && structure_ != Structure::kConcave) {  // stationary is what holds at the fit itself
      make_dual_feasible(p);
      Mat c(static_cast<Index>(work_.size()), outputs_);
      correlate_work(outputs(p.u), c);
      p.c = c.transpose().reshaped();
      p.c_error = centring_error(p.u);
    }
    p.beyond = {};
  }
  needed_.clear();
  candidates_.clear();
  candidates_known_ = false;
  if (outside_ == 0 || result_.exhausted) return;
  assert(pending_.size() == 1);  // the open block represents one residual exactly
  const Vec rho = residual(pending_.front().u);
  ask(rho);
  bound_outside(pending_.front().lambda);
  if (needed_.empty()) return;
  side_begin_.assign(1, 0);
  sides_.resize(n_, kMaxBasis * outputs_);
  coordinates_.resize(sides_.cols());
  for (Index k = 0; k < outputs_; ++k) {
    const Vec mine = rho.segment(k * n_, n_), last = rho_.segment(k * n_, n_);
    ReferenceSubspace& reference = reference_[static_cast<std::size_t>(k)];
    const Mat& basis = reference.open_block(std::array{&mine, &last});
    const Index first = side_begin_.back();
    sides_.middleCols(first, basis.cols()) = basis;
    coordinates_.segment(first, basis.cols()) = reference.coordinates(mine);
    side_begin_.push_back(first + basis.cols());
  }
  sides_.conservativeResize(Eigen::NoChange, side_begin_.back());
  coordinates_.conservativeResize(side_begin_.back());
}

/// Sets the residual whose products decide() bounds and estimate() guesses.
void PathProblem::ask(const Vec& rho) {
  query_.resize(reference_.size());
  for (std::size_t k = 0; k < reference_.size(); ++k) {
    query_[k] = reference_[k].query(rho.segment(static_cast<Index>(k) * n_, n_));
  }
}

/// What is taken out of squares that are summed over outputs.
double PathProblem::largest_scale() const {
  double scale = 0.0;
  for (std::size_t k = 0; k < reference_.size(); ++k) scale = std::max(scale, reference_[k].scale(query_[k]));
  return scale;
}

/// ReferenceSubspace::decide() for what is held against the limits: |c|, the largest of K, or their norm.
void PathProblem::decide(double threshold, double promising, Index first, std::span<std::uint8_t> flags) const {
  reference_[0].decide(query_[0], threshold, promising, first, flags);
  if (outputs_ == 1) return;
  if (structure_ != Structure::kRows) {
    std::vector<std::uint8_t> other(flags.size());
    for (std::size_t k = 1; k < reference_.size(); ++k) {
      reference_[k].decide(query_[k], threshold, promising, first, other);
      for (std::size_t i = 0; i < flags.size(); ++i) {
        if (flags[i] != kUndecided && other[i] != 0) flags[i] = other[i];
      }
    }
    return;
  }
  const double scale = largest_scale();
  Vec bounds = Vec::Zero(static_cast<Index>(flags.size())), estimates = bounds;
  for (std::size_t k = 0; k < reference_.size() && scale > 0.0; ++k) {
    reference_[k].add_squares(query_[k], first, scale, bounds, estimates);
  }
  for (std::size_t i = 0; i < flags.size(); ++i) {
    const double limit = reference_[0].limit(first + static_cast<Index>(i));
    const double bound = scale * std::sqrt(bounds[static_cast<Index>(i)]);
    const double guess = scale * std::sqrt(estimates[static_cast<Index>(i)]);
    if (limit < 0.0) {
      flags[i] = 0;
    } else {
      flags[i] = !(bound <= threshold * limit) ? kUndecided : guess >= promising * limit ? kPromising : 0;
    }
  }
}

/// What |c_j|, or what stands for it with several outputs, would be if the residual asked for lay in the span.
double PathProblem::estimate(Index j) const {
  Vec c(outputs_);
  for (Index k = 0; k < outputs_; ++k) {
    const std::size_t i = static_cast<std::size_t>(k);
    c[k] = reference_[i].estimate(query_[i], j);
  }
  return size_of(c.data());
}

/// Bounds every column outside the working set: those undecided at lambda are needed; of the others, those that may
/// enter over the next batch become candidates.
void PathProblem::bound_outside(double lambda) {
  if (tied() && lambda < kInfinity) {
    bound_columns();
    return structure_ == Structure::kGroups ? bound_groups(lambda) : bound_sorted(lambda);
  }
  const double threshold = lambda < kInfinity ? lambda * (1.0 - kBoundMargin) : -1.0;
  const double strong = strong_threshold(lambda, following_) / options_.l1_ratio;
  constexpr Index kChunk = 8192;
  const Index chunks = (p_ + kChunk - 1) / kChunk;
  std::vector<std::vector<Index>> needed(static_cast<std::size_t>(chunks)), promising(needed);
  parallel_for(chunks, worth_threads(threads_, 4.0 * static_cast<double>(p_ * outputs_)), [&](Index chunk) {
    const std::size_t i = static_cast<std::size_t>(chunk);
    const Index first = chunk * kChunk;
    std::array<std::uint8_t, kChunk> held;
    const std::span<std::uint8_t> flags(held.data(), static_cast<std::size_t>(std::min(kChunk, p_ - first)));
    decide(threshold, strong, first, flags);
    for (std::size_t k = 0; k < flags.size(); ++k) {
      if (flags[k] == 0) continue;
      (flags[k] == kUndecided ? needed : promising)[i].push_back(first + static_cast<Index>(k));
    }
  });
  for (const auto& mine : needed) needed_.insert(needed_.end(), mine.begin(), mine.end());
  for (const auto& mine : promising) {
    for (const Index j : mine) candidates_.push_back({estimate(j) / factor(j), j});
  }
}

void PathProblem::expect(const Mat& used, Index pieces) {
  rounded_ = &used != &sides_;
  if (rounded_) {
    for (std::size_t k = 0; k < reference_.size(); ++k) {
      reference_[k].replace_sides(used.middleCols(side_begin_[k], side_begin_[k + 1] - side_begin_[k]));
    }
  }
  side_sums_ = used.colwise().sum();
  pieces_.assign(static_cast<std::size_t>(pieces), {});
}

void PathProblem::absorb(Index piece, Columns columns, const MatIn& products) {
  Piece& mine = pieces_[static_cast<std::size_t>(piece)];
  std::array<double, kMaxBasis> basis{};
  Vec c(outputs_), slack = Vec::Zero(outputs_), norms(outputs_);
  for (std::size_t k = 0; k < reference_.size(); ++k) {
    norms[static_cast<Index>(k)] = coordinates_.segment(side_begin_[k], side_begin_[k + 1] - side_begin_[k]).norm();
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Index j = columns[i];
    const double centre = options_.fit_intercept ? mean_[j] : 0.0;
    c.setZero();
    for (Index k = 0; k < outputs_; ++k) {
      ReferenceSubspace& reference = reference_[static_cast<std::size_t>(k)];
      const Index first = side_begin_[static_cast<std::size_t>(k)], last = side_begin_[static_cast<std::size_t>(k) + 1];
      for (Index t = first; t < last; ++t) {
        double& kt = basis[static_cast<std::size_t>(t - first)];
        kt = (products(static_cast<Index>(i), t) - centre * side_sums_[t]) / scale_[j];
        c[k] += kt * coordinates_[t];
      }
      reference.store(j, basis.data());
      slack[k] = (rounded_ ? reference.error(j) : product_noise(j)) * norms[k];
    }
    if (tied()) {
      read_c_.segment(j * outputs_, outputs_) = c;
      read_slack_.segment(j * outputs_, outputs_) = slack;
    } else {
      judge(mine, j, c, slack);
    }
  }
}

/// Bounds the rounding of the inner product of a column, as it is stored, with a residual of length 1.
double PathProblem::product_noise(Index j) const {
  return kProductError * (reference_[0].norm(j) + std::abs(mean_[j]) / scale_[j]);
}

/// Sorts a column outside the working set among those beyond their threshold and the candidates.
void PathProblem::judge(Piece& piece, Index j, const Vec& c, const Vec& slack) const {
  const double lambda = pending_.front().lambda, size = size_of(c.data());
  if (lambda < kInfinity ? most_size(c, slack) > penalty(j, lambda).l1 : size != 0.0) {
    if (rounded_) {
      piece.again.push_back(j);
      return;
    }
    piece.beyond.features.push_back(j);
    piece.beyond.c.insert(piece.beyond.c.end(), c.begin(), c.end());
    piece.beyond.error = std::max(piece.beyond.error, slack.maxCoeff());
  }
  if (size / factor(j) >= strong_threshold(lambda, following_)) piece.candidates.push_back({size / factor(j), j});
}

/// An upper bound of size_of(c), each entry known up to its slack.
double PathProblem::most_size(const Vec& c, const Vec& slack) const {
  return structure_ == Structure::kRows ? c.norm() + slack.norm() : (c.cwiseAbs() + slack).maxCoeff();
}

void PathProblem::absorb_null(const MatIn& products) {
  expect(sides_, 1);
  Mat of_sides(static_cast<Index>(needed_.size()), sides_.cols());
  for (Index k = 0; k < outputs_; ++k) {
    const Index first = side_begin_[static_cast<std::size_t>(k)];
    // One right-hand side an output, or none when there is no residual left.
    assert(side_begin_[static_cast<std::size_t>(k) + 1] - first <= 1);
    if (side_begin_[static_cast<std::size_t>(k) + 1] == first) continue;
    const double norm = std::abs(coordinates_[first]);
    for (std::size_t i = 0; i < needed_.size(); ++i) {
      of_sides(static_cast<Index>(i), first) = products(needed_[i], k) / norm;
    }
  }
  absorb(0, needed_, of_sides);
  absorbed(needed_);
}

std::vector<Index> PathProblem::absorbed(std::span<const Index> read) {
  if (tied()) {
    pieces_.clear();
    return structure_ == Structure::kGroups ? judge_groups(read) : judge_sorted(read);
  }
  std::vector<Index> again;
  Beyond& beyond = pending_.front().beyond;
  for (const Piece& piece : pieces_) {
    candidates_.insert(candidates_.end(), piece.candidates.begin(), piece.candidates.end());
    again.insert(again.end(), piece.again.begin(), piece.again.end());
    beyond.features.insert(beyond.features.end(), piece.beyond.features.begin(), piece.beyond.features.end());
    beyond.c.insert(beyond.c.end(), piece.beyond.c.begin(), piece.beyond.c.end());
    beyond.error = std::max(beyond.error, piece.beyond.error);
  }
  pieces_.clear();
  return again;
}

/// Smallest lambda at which the null fit is optimal.
double PathProblem::null_lambda(const Beyond& beyond) const {
  const double ratio = std::max(options_.l1_ratio, kLeastRatio);
  const Vec all = beyond.values();
  if (structure_ == Structure::kSorted) return SortedL1(features_.sorted_weights).dual_norm(all);
  double out = 0.0;
  if (structure_ == Structure::kGroups) {
    const Penalties net = penalties(beyond.features, 1.0);
    for (Index unit = 0; unit < net.units(); ++unit) {
      const Index first = net.begin(unit) / outputs_;
      GroupNorm norm = norm_of(groups_.of(beyond.features[static_cast<std::size_t>(first)]), 1.0);
      norm.l1 = ratio * (norm.l1 + norm.l2);  // at the ratio of the grid, which may be that of a ridge
      norm.each = ratio * options_.sparse_share;
      out = std::max(out, norm.dual_norm(net.grouped()->part(all, unit)));
    }
    return out;
  }
  for (std::size_t i = 0; i < beyond.features.size(); ++i) {
    const Index j = beyond.features[i];
    Vec c = all.segment(static_cast<Index>(i) * outputs_, outputs_);
    const ElasticNet net = penalty(j, 1.0);
    if (!(net.upper > 0.0)) c = c.cwiseMin(0.0);
    if (!(net.lower < 0.0)) c = c.cwiseMax(0.0);
    out = std::max(out, size_of(c.data()) / (ratio * factor(j)));
  }
  return out;
}

bool PathProblem::finish_certify() {
  if (pending_.front().lambda == kInfinity) {
    // The null fit: every column has been read once.
    Pending& p = pending_.front();
    result_.exhausted = leaves_nothing(p);
    result_.null_objective = loss_->value(p.eta);
    lambda_max_ = result_.exhausted ? 0.0 : null_lambda(p.beyond);
    result_.alpha_max = lambda_max_;
    adopt(p);
    lambda_ = lambda_max_;
    pending_.clear();
    return false;
  }
  std::size_t done = 0;
  while (done < pending_.size() && accept(pending_[done], done == 0 && tries_ >= kTries)) ++done;
  if (done > 0) {
    tries_ = 0;
    kkt_relative_ = kkt_start_;
    const std::size_t newest = done - 1;
    earlier_b_ = newest > 0 ? pending_[newest - 1].b : b_;
    earlier_c_ = newest > 0 ? pending_[newest - 1].c : c_;
    earlier_lambda_ = newest > 0 ? pending_[newest - 1].lambda : lambda_;
    adopt(pending_[newest]);
    lambda_ = pending_[newest].lambda;
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(done));
  if (pending_.empty()) {
    candidates_known_ = following_ > 0.0;
    return false;
  }

  // The first refused solution is the best known starting point for solving it again; the factor went further down.
  if (pending_.size() > 1) active_set_.reset();
  adopt(pending_.front());
  std::vector<Index> fresh;  // none is pending but the first while there are features outside
  const Beyond& beyond = pending_.front().beyond;
  const Penalties net = penalties(beyond.features, pending_.front().lambda);
  const Vec c = beyond.values();
  for (Index unit = 0; unit < net.units(); ++unit) {
    // By themselves they would have the largest weights of a sorted norm.
    if (!net.sorted() && net.violation_at_zero(unit, c) <= kkt_tolerance(pending_.front().lambda)) continue;
    for (Index e = net.begin(unit); e < net.begin(unit + 1); ++e) {
      const Index j = beyond.features[static_cast<std::size_t>(e / outputs_)];
      if (fresh.empty() || fresh.back() != j) fresh.push_back(j);
    }
  }
  counters_.violators += static_cast<Index>(fresh.size());
  if (fresh.empty()) {
    kkt_relative_ = std::max(0.05 * kkt_relative_, 1e-15);  // nothing is missing: the inner solution is too loose
    ++tries_;
  } else {
    if (structure_ == Structure::kSorted) tries_ = 0;  // with features outside there is no proof to end with
    extend_work(std::move(fresh));
  }
  return true;
}

void PathProblem::adopt(const Pending& p) {
  b_ = p.b;
  c_ = p.c;
  c_error_ = p.c_error;
  g_ = p.g;
  u_ = p.u;
  eta_ = p.eta;
  rho_ = residual(u_);
  norm_ = residual_norm(u_);
}

/// Whether a null fit explains the response up to rounding, or separates its rows: then it goes on in its direction
/// until the rest of the loss is nothing next to the tolerance.
bool PathProblem::leaves_nothing(Pending& p) const {
  if (!(null_deviance_ > 0.0)) return false;
  double left = loss_->value(p.eta) - result_.saturated_objective;
  if (left <= kNothing * null_deviance_) return true;
  if (!(left < loss_->separation()) || free_columns_.cols() != static_cast<Index>(unpenalised_.size())) return false;
  Vec b = p.b, g = p.g, eta = p.eta;
  while (left > kGapShareLeft * options_.tol * null_deviance_) {
    b *= 2.0;
    const Vec* const to = &b;
    eta = linear_predictors(std::span(&to, 1)).reshaped();
    add_intercepts(eta, g);
    const double next = loss_->value(eta) - result_.saturated_objective;
    if (!(next < left)) return false;
    left = next;
  }
  Vec ignored;
  p.b = std::move(b);
  p.g = std::move(g);
  p.eta = std::move(eta);
  loss_->derivatives(p.eta, p.u, ignored);
  Mat c(static_cast<Index>(work_.size()), outputs_);
  correlate_work(outputs(p.u), c);
  p.c = c.transpose().reshaped();
  return true;
}

/// What gaps are measured in: what the penalised features have to explain, where that is more than rounding.
double PathProblem::gap_unit() const {
  return result_.exhausted ? null_deviance_ : result_.null_objective - result_.saturated_objective;
}

bool PathProblem::accept(Pending& p, bool last_try) {
  // The working set and what was read beyond its threshold; everything else is at zero with a proof.
  std::vector<Index> features = work_;
  features.insert(features.end(), p.beyond.features.begin(), p.beyond.features.end());
  const Penalties net = penalties(features, p.lambda);
  Vec b = Vec::Zero(static_cast<Index>(features.size()) * outputs_), c(b.size());
  b.head(p.b.size()) = p.b;
  c.tail(b.size() - p.b.size()) = p.beyond.values();
  c.head(p.b.size()) = p.c;
  if (net.convex()) {
    for (double& entry : c.head(p.b.size())) entry += std::copysign(p.c_error, entry);
    for (double& entry : c.tail(b.size() - p.b.size())) entry += std::copysign(p.beyond.error, entry);
  }
  const double primal = loss_->value(p.eta) + net.value(b);
  if (!net.convex()) {
    const double worst = result_.exhausted ? 0.0 : net.worst_violation(b, c) + std::max(p.c_error, p.beyond.error);
    const double violation = worst / (p.lambda < kInfinity ? p.lambda : 1.0);
    if (!(violation <= options_.tol) && !last_try) return false;
    record(p, primal, std::numeric_limits<double>::quiet_NaN(), violation);
    result_.locally_convex.push_back(locally_convex(p, net));
    return true;
  }
  double scale = 1.0;
  for (Index i = 0; i < net.units(); ++i) {
    if (!net.unpenalised(i)) scale = std::min(scale, net.feasible_scale(i, c));
  }
  double dual = loss_->dual_at(p.dual_eta.size() > 0 ? p.dual_eta : p.eta, p.u, scale);
  if (offset_.size() > 0) dual -= scale * offset_.dot(p.u);
  for (Index i = 0; i < net.units(); ++i) {
    dual -= net.unpenalised(i) ? free_conjugate(i, p, net, c, scale) : net.conjugate(i, c, scale * kBelow);
  }
  if (structure_ == Structure::kSorted && !p.beyond.features.empty()) dual = -kInfinity;  // the rest has no proof yet
  // A bound too, and the only one where no feature with a penalty was looked at.
  dual = result_.exhausted ? result_.saturated_objective : std::max(dual, result_.saturated_objective);
  const double unit = gap_unit();
  const double gap = unit > 0.0 ? (primal - dual) / unit : primal - dual;
  if (!(std::abs(gap) <= options_.tol) && !last_try) return false;
  record(p, primal, dual, gap);
  return true;
}

/// Whether the objective is strictly convex on the active features, wherever they go without becoming zero (Breheny &
/// Huang 2011): the penalty takes at most its concavity from the Gram matrix.
bool PathProblem::locally_convex(const Pending& p, const Penalties& net) {
  std::vector<Index> active;
  for (Index w = 0; w < p.b.size(); ++w) {
    if (p.b[w] != 0.0) active.push_back(w);
  }
  if (active.empty()) return true;
  if (static_cast<Index>(active.size()) >= n_) return false;
  active_gram_.cover(model_, active);
  Mat gram = active_gram_.of(active);
  for (std::size_t i = 0; i < active.size(); ++i) {
    gram.diagonal()[static_cast<Index>(i)] -= net.concave()[static_cast<std::size_t>(active[i])].concavity();
  }
  return Eigen::LLT<Mat>(gram).info() == Eigen::Success;
}

/// Conjugate of an unpenalised unit: c must vanish unless a bound stops it. What rounding leaves of it may take the
/// product with the optimal coefficients from the bound, for which those at hand stand in.
double PathProblem::free_conjugate(Index unit, const Pending& p, const Penalties& net, const Vec& c,
                                   double scale) const {
  const double at = scale * net.size(unit, c);
  if (!net.entries().empty()) {
    const ElasticNet& entry = net.entries()[static_cast<std::size_t>(unit)];
    const double reach = c[unit] > 0.0 ? entry.upper : -entry.lower;
    if (reach < kInfinity) return at * reach;
  }
  if (at > 1e-10 * residual_norm(p.u) * largest_norm_) return kInfinity;
  return kFreeReach * at * net.size(unit, p.b);
}

}  // namespace riata
