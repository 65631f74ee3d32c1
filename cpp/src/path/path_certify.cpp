#include <Eigen/Cholesky>
#include <algorithm>
#include <atomic>
#include <cassert>
#include <cmath>

#include "path/path_problem.hpp"
#include "riata/parallel.hpp"

namespace riata {
namespace {

constexpr double kBoundMargin = 1e-7;  // a bound this close to the threshold counts as undecided
constexpr int kTries = 6;              // attempts at a smaller gap before giving up

}  // namespace

/// Neither penalised nor bounded: its c must be exactly zero for a finite dual value.
bool PathProblem::is_free(Index j) const {
  const ElasticNet net = penalty(j, 1.0);
  return net.l1 == 0.0 && net.l2 == 0.0 && net.lower == -kInfinity && net.upper == kInfinity;
}

/// u -= M Z (Z'MZ)^-1 Z'u over intercept and free features, M = curvature: removes the rounding left in
/// Z'u = 0 while keeping u inside the domain of the conjugate.
void PathProblem::make_dual_feasible(Vec& u, const Vec& curvature) const {
  const Index q = free_columns_.cols();
  if (q == 0) return;
  Mat z(n_, q + (options_.fit_intercept ? 1 : 0));
  z.leftCols(q) = free_columns_;
  if (options_.fit_intercept) z.col(q).setOnes();
  Mat normal = z.transpose() * curvature.asDiagonal() * z;
  normal.diagonal().array() *= 1.0 + 1e-13;
  const Vec defect = normal.ldlt().solve(z.transpose() * u);
  if (defect.allFinite()) u -= curvature.cwiseProduct(z * defect);
}

const Mat* PathProblem::begin_certify(std::vector<std::uint8_t>& need) {
  const Vec& omega = loss_->omega();
  Vec ignored, h;
  evaluate(pending_);
  for (Pending& p : pending_) {
    if (free_columns_.cols() > 0) {
      loss_->derivatives(p.eta, ignored, h);
      make_dual_feasible(p.u, h);
      correlate_work(p.u, p.c);
    }
    p.rho = (omega.array() > 0.0).select(p.u.array() / omega.array(), 0.0);
    p.seen = Certificate{};
  }
  streaming_ = nullptr;
  candidates_.clear();
  candidates_known_ = false;
  if (outside_ == 0) return nullptr;
  assert(pending_.size() == 1);  // the open block represents one residual exactly

  for (Pending& p : pending_) p.query = reference_.query(p.rho);
  const double ratio = options_.l1_ratio;
  std::atomic<bool> any{false};
  constexpr Index kChunk = 16384;
  const Index chunks = (p_ + kChunk - 1) / kChunk;
  const Pending& newest = pending_.back();
  const double strong = strong_threshold(newest.lambda, following_);
  std::vector<std::vector<std::pair<double, Index>>> promising(static_cast<std::size_t>(chunks));
  // A bound takes some ten operations.
  const double bounds = 10.0 * static_cast<double>(p_) * static_cast<double>(pending_.size());
  parallel_for(chunks, worth_threads(threads_, bounds), [&](Index chunk) {
    bool found = false;
    auto& mine = promising[static_cast<std::size_t>(chunk)];
    for (Index j = chunk * kChunk; j < std::min(p_, (chunk + 1) * kChunk); ++j) {
      const std::size_t i = static_cast<std::size_t>(j);
      if (!usable_[i] || number_[i] >= 0) continue;
      const double v = factor(j);
      for (const Pending& p : pending_) {
        const double l1 = p.lambda < kInfinity ? p.lambda * ratio * v * (1.0 - kBoundMargin) : -1.0;
        if (reference_.bound(p.query, j) > l1) {
          need[i] = 1;
          found = true;
          break;
        }
      }
      if (need[i]) continue;  // absorb() will know its c
      const double estimate = std::abs(reference_.estimate(newest.query, j)) / v;
      if (estimate >= strong) mine.push_back({estimate, j});
    }
    if (found) any = true;
  });
  for (const auto& mine : promising) candidates_.insert(candidates_.end(), mine.begin(), mine.end());
  if (!any) return nullptr;
  std::vector<const Vec*> residuals;
  for (const Pending& p : pending_) residuals.push_back(&p.rho);
  for (const Vec& rho : history_) residuals.push_back(&rho);
  needed_ = &need;
  streaming_ = &reference_.open_block(residuals);
  streaming_sums_ = streaming_->colwise().sum();
  for (Pending& p : pending_) p.coordinates = reference_.coordinates(p.rho);
  return streaming_;
}

void PathProblem::absorb(Columns columns, const Eigen::Ref<const Mat, 0, Eigen::OuterStride<>>& products) {
  constexpr Index kChunk = 2048;
  const Index q = products.cols(), count = static_cast<Index>(columns.size()), chunks = (count + kChunk - 1) / kChunk;
  const double strong = strong_threshold(pending_.back().lambda, following_);
  std::vector<std::vector<Certificate>> partial(static_cast<std::size_t>(chunks));
  std::vector<std::vector<std::pair<double, Index>>> promising(static_cast<std::size_t>(chunks));
  parallel_for(chunks, worth_threads(threads_, 20.0 * static_cast<double>(count)), [&](Index chunk) {
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
        // Columns that only another problem asked for are candidates by their estimate already.
        if (a + 1 == pending_.size() && (*needed_)[static_cast<std::size_t>(j)] && std::abs(c) / factor(j) >= strong) {
          promising[static_cast<std::size_t>(chunk)].push_back({std::abs(c) / factor(j), j});
        }
      }
    }
  });
  for (const auto& mine : promising) candidates_.insert(candidates_.end(), mine.begin(), mine.end());
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
      lambda_max_ = std::max(lambda_max_, std::abs(c) / (ratio * factor(j)));
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
  while (done < pending_.size() && accept(pending_[done], done == 0 && tries_ >= kTries)) ++done;
  if (done > 0) {
    tries_ = 0;
    kkt_relative_ = kkt_start_;
    const std::size_t newest = done - 1;
    earlier_c_ = newest > 0 ? pending_[newest - 1].c : c_;
    earlier_lambda_ = newest > 0 ? pending_[newest - 1].lambda : lambda_;
    adopt(pending_[newest]);
    lambda_ = pending_[newest].lambda;
    for (std::size_t q = 0; q < done; ++q) history_.push_front(std::move(pending_[q].rho));
    while (history_.size() > most_history_) history_.pop_back();
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
  // Without a penalty c must vanish on every side that has no bound: what rounding leaves there counts as zero.
  const double rounding = 1e-10 * residual_norm(p.u) * largest_norm_;
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
      const double c = scale * p.c[static_cast<Index>(w)], reach = c > 0.0 ? net[w].upper : -net[w].lower;
      if (reach < kInfinity) {
        dual -= std::abs(c) * reach;
      } else if (std::abs(c) > rounding) {
        dual = -kInfinity;
      }
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

}  // namespace riata
