#include <Eigen/Cholesky>
#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

#include "path/path_problem.hpp"
#include "riata/parallel.hpp"

namespace riata {
namespace {

constexpr double kBoundMargin = 1e-6;  // a bound this close to the threshold counts as undecided
constexpr int kFreeSteps = 2;          // of Newton's method over free features
constexpr int kTries = 6;              // attempts at a smaller gap before giving up

}  // namespace

/// Neither penalised nor bounded: its c must be exactly zero for a finite dual value.
bool PathProblem::is_free(Index j) const {
  const ElasticNet net = penalty(j, 1.0);
  return net.l1 == 0.0 && net.l2 == 0.0 && net.lower == -kInfinity && net.upper == kInfinity;
}

/// u -= M Z (Z'MZ)^-1 Z'u over intercept and free features, M = curvature: removes the rounding left in
/// Z'u = 0 while keeping u inside the domain of the conjugate.
void PathProblem::make_dual_feasible(Pending& p) const {
  if (move_dual_point(p)) return;
  const Index q = free_columns_.cols();
  const Vec& u = p.u;
  Vec ignored, curvature;
  loss_->derivatives(p.eta, ignored, curvature);
  Mat z(n_, q + (options_.fit_intercept ? 1 : 0));
  z.leftCols(q) = free_columns_;
  if (options_.fit_intercept) z.col(q).setOnes();
  Mat normal = z.transpose() * curvature.asDiagonal() * z;
  normal.diagonal().array() *= 1.0 + 1e-13;
  const Vec defect = normal.ldlt().solve(z.transpose() * u);
  if (!defect.allFinite()) return;
  const Vec moved = u - curvature.cwiseProduct(z * defect);
  // Scaled, it stays orthogonal to Z, and comes back where it has left the domain.
  for (double rest = 0.0; rest < 1e-3; rest = rest == 0.0 ? 1e-15 : 10.0 * rest) {
    if (!(loss_->dual((1.0 - rest) * moved) > -kInfinity)) continue;
    p.u = (1.0 - rest) * moved;
    return;
  }
}

/// The same where rows are coupled, and u has to be a gradient: it is taken at eta + Z (Z'F''Z)^-1 Z'u.
bool PathProblem::move_dual_point(Pending& p) const {
  p.dual_eta = p.eta;
  for (int step = 0; step < kFreeSteps; ++step) {
    const auto coupled = loss_->curvature(p.dual_eta, 0.0);
    if (!coupled) return false;
    Mat weighted = free_columns_;
    coupled->multiply(weighted);
    Mat normal = free_columns_.transpose() * weighted;
    normal.diagonal().array() *= 1.0 + 1e-13;
    const Vec change = normal.ldlt().solve(free_columns_.transpose() * p.u);
    if (!change.allFinite()) return true;
    p.dual_eta += free_columns_ * change;
    Vec ignored;
    loss_->derivatives(p.dual_eta, p.u, ignored);
  }
  return true;
}

void PathProblem::begin_certify() {
  evaluate(pending_);
  for (Pending& p : pending_) {
    if (free_columns_.cols() > 0) {
      make_dual_feasible(p);
      correlate_work(p.u, p.c);
      p.c_error = 0.0;
    }
    p.beyond.clear();
  }
  needed_.clear();
  candidates_.clear();
  candidates_known_ = false;
  if (outside_ == 0) return;
  assert(pending_.size() == 1);  // the open block represents one residual exactly
  const Vec rho = residual(pending_.front().u);
  bound_outside(rho, pending_.front().lambda);
  if (needed_.empty()) return;
  sides_ = &reference_.open_block(std::array{&rho, static_cast<const Vec*>(&rho_)});
  coordinates_ = reference_.coordinates(rho);
}

/// Bounds every column outside the working set: those undecided at lambda are needed; of the others, those that may
/// enter over the next batch become candidates.
void PathProblem::bound_outside(const Vec& rho, double lambda) {
  const ReferenceSubspace::Query query = reference_.query(rho);
  const double threshold = lambda < kInfinity ? lambda * (1.0 - kBoundMargin) : -1.0;
  const double strong = strong_threshold(lambda, following_) / options_.l1_ratio;
  constexpr Index kChunk = 8192;
  const Index chunks = (p_ + kChunk - 1) / kChunk;
  std::vector<std::vector<Index>> needed(static_cast<std::size_t>(chunks)), promising(needed);
  parallel_for(chunks, worth_threads(threads_, 4.0 * static_cast<double>(p_)), [&](Index chunk) {
    const std::size_t i = static_cast<std::size_t>(chunk);
    const Index first = chunk * kChunk;
    std::array<std::uint8_t, kChunk> held;
    const std::span<std::uint8_t> flags(held.data(), static_cast<std::size_t>(std::min(kChunk, p_ - first)));
    reference_.decide(query, threshold, strong, first, flags);
    for (std::size_t k = 0; k < flags.size(); ++k) {
      if (flags[k] == 0) continue;
      (flags[k] == kUndecided ? needed : promising)[i].push_back(first + static_cast<Index>(k));
    }
  });
  for (const auto& mine : needed) needed_.insert(needed_.end(), mine.begin(), mine.end());
  for (const auto& mine : promising) {
    for (const Index j : mine) candidates_.push_back({std::abs(reference_.estimate(query, j)) / factor(j), j});
  }
}

void PathProblem::expect(const Mat& used, Index pieces) {
  rounded_ = &used != sides_;
  if (rounded_) reference_.replace_sides(used);
  side_sums_ = used.colwise().sum();
  pieces_.assign(static_cast<std::size_t>(pieces), {});
}

void PathProblem::absorb(Index piece, Columns columns, const MatIn& products) {
  Piece& mine = pieces_[static_cast<std::size_t>(piece)];
  const double lambda = pending_.front().lambda, norm = coordinates_.norm();
  const double strong = strong_threshold(lambda, following_);
  std::array<double, kMaxBasis> k{};
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Index j = columns[i];
    const double centre = options_.fit_intercept ? mean_[j] : 0.0;
    double c = 0.0;
    for (Index t = 0; t < products.cols(); ++t) {
      double& kt = k[static_cast<std::size_t>(t)];
      kt = (products(static_cast<Index>(i), t) - centre * side_sums_[t]) / scale_[j];
      c += kt * coordinates_[t];
    }
    reference_.store(j, k.data());
    const double size = std::abs(c), slack = rounded_ ? reference_.error(j) * norm : 0.0;
    const ElasticNet net = penalty(j, lambda < kInfinity ? lambda : 0.0);
    if (lambda < kInfinity ? size + slack > net.l1 : c != 0.0) {
      if (rounded_) {
        mine.again.push_back(j);
        continue;
      }
      mine.beyond.push_back({j, c});
    }
    if (size / factor(j) >= strong) mine.candidates.push_back({size / factor(j), j});
  }
}

std::vector<Index> PathProblem::absorbed() {
  std::vector<Index> again;
  auto& beyond = pending_.front().beyond;
  for (const Piece& piece : pieces_) {
    candidates_.insert(candidates_.end(), piece.candidates.begin(), piece.candidates.end());
    again.insert(again.end(), piece.again.begin(), piece.again.end());
    beyond.insert(beyond.end(), piece.beyond.begin(), piece.beyond.end());
  }
  pieces_.clear();
  return again;
}

bool PathProblem::finish_certify() {
  if (pending_.front().lambda == kInfinity) {
    // The null fit: every column has been read once.
    const Pending& p = pending_.front();
    const double ratio = std::max(options_.l1_ratio, 1e-3);
    for (const auto& [j, c] : p.beyond) {
      const ElasticNet net = penalty(j, 1.0);
      if (c > 0.0 ? net.upper <= 0.0 : net.lower >= 0.0) continue;
      lambda_max_ = std::max(lambda_max_, std::abs(c) / (ratio * factor(j)));
    }
    result_.alpha_max = lambda_max_;
    result_.null_objective = loss_->value(p.eta);
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
  std::vector<Index> fresh;
  for (const Pending& p : pending_) {
    for (const auto& [j, c] : p.beyond) {
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
  c_error_ = p.c_error;
  g_ = p.g;
  u_ = p.u;
  eta_ = p.eta;
  rho_ = residual(u_);
  norm_ = residual_norm(u_);
}

bool PathProblem::accept(Pending& p, bool last_try) {
  const auto net = penalties(p.lambda);
  double primal = loss_->value(p.eta), scale = 1.0;
  const auto c_of = [&p](std::size_t w) {
    const double c = p.c[static_cast<Index>(w)];
    return c + std::copysign(p.c_error, c);
  };
  for (std::size_t w = 0; w < net.size(); ++w) {
    const Index i = static_cast<Index>(w);
    primal += net[w].value(p.b[i]);
    if (net[w].l1 == 0.0 && net[w].l2 == 0.0) continue;
    scale = std::min(scale, net[w].feasible_scale(c_of(w)));
  }
  for (const auto& [j, c] : p.beyond) scale = std::min(scale, penalty(j, p.lambda).feasible_scale(c));
  double dual = loss_->dual_at(p.dual_eta.size() > 0 ? p.dual_eta : p.eta, p.u, scale);
  if (offset_.size() > 0) dual -= scale * offset_.dot(p.u);
  for (std::size_t w = 0; w < net.size(); ++w) {
    if (net[w].l1 == 0.0 && net[w].l2 == 0.0) {
      const double c = scale * c_of(w), reach = c > 0.0 ? net[w].upper : -net[w].lower;
      if (reach < kInfinity) {
        dual -= std::abs(c) * reach;
      } else if (std::abs(c) > 1e-10 * residual_norm(p.u) * largest_norm_) {
        dual = -kInfinity;  // c must vanish here, but for what rounding leaves
      }
      continue;
    }
    dual -= net[w].conjugate(scale * c_of(w) * (1.0 - 1e-16));
  }
  for (const auto& [j, c] : p.beyond) dual -= penalty(j, p.lambda).conjugate(scale * c * (1.0 - 1e-16));
  const double unit = result_.null_objective - result_.saturated_objective;
  const double gap = unit > 0.0 ? (primal - dual) / unit : primal - dual;
  if (!(gap <= options_.tol) && !last_try) return false;
  record(p, primal, dual, gap);
  return true;
}

}  // namespace riata
