#include <algorithm>
#include <cmath>

#include "path/path_problem.hpp"
#include "riata/parallel.hpp"

namespace riata {

/// Bounds and estimates of |c| for the residual asked for, of several outputs of the norm.
void PathProblem::bound_columns() {
  constexpr Index kChunk = 8192;
  const double scale = largest_scale(), work = 4.0 * static_cast<double>(p_ * outputs_);
  parallel_for((p_ + kChunk - 1) / kChunk, worth_threads(threads_, work), [&](Index chunk) {
    const Index first = chunk * kChunk, size = std::min(kChunk, p_ - first);
    Vec bounds = Vec::Zero(size), estimates = bounds;
    for (std::size_t k = 0; k < reference_.size() && scale > 0.0; ++k) {
      reference_[k].add_squares(query_[k], first, scale, bounds, estimates);
    }
    bounds_.segment(first, size) = scale * bounds.cwiseSqrt();
    estimates_.segment(first, size) = scale * estimates.cwiseSqrt();
  });
}

/// What is known of the features of a group, of each as many numbers as `values` has for a column.
Vec PathProblem::members_of(Index group, const Vec& values) const {
  const auto& members = groups_.members(group);
  const Index width = values.size() / p_;
  Vec out(static_cast<Index>(members.size()) * width);
  for (std::size_t i = 0; i < members.size(); ++i) {
    out.segment(static_cast<Index>(i) * width, width) = values.segment(members[i] * width, width);
  }
  return out;
}

/// The columns of the groups that bounds do not decide are needed. Of entries known up to a bound the norm is largest
/// with all of them there; of several outputs with all of a feature's bound in one, which no soft threshold takes more
/// of.
void PathProblem::bound_groups(double lambda) {
  for (Index group = 0; group < groups_.count(); ++group) {
    const auto& members = groups_.members(group);
    if (members.empty() || !is_outside(members.front())) continue;
    const GroupNorm net = norm_of(group, lambda * (1.0 - kBoundMargin));
    if (net.size(members_of(group, bounds_)) <= net.l1) continue;
    needed_.insert(needed_.end(), members.begin(), members.end());
  }
  std::sort(needed_.begin(), needed_.end());
  if (needed_.empty()) note_groups(strong_threshold(lambda, following_));
}

/// What has been read of whole groups: which pass their threshold. Returns columns to read again.
std::vector<Index> PathProblem::judge_groups(std::span<const Index> read) {
  const double lambda = pending_.front().lambda;
  Beyond& beyond = pending_.front().beyond;
  std::vector<Index> groups, again;
  for (const Index j : read) {
    estimates_[j] = safe_norm(read_c_.segment(j * outputs_, outputs_));
    if (j == groups_.members(groups_.of(j)).front()) groups.push_back(groups_.of(j));
  }
  for (const Index group : groups) {
    const Vec c = members_of(group, read_c_);
    if (lambda < kInfinity) {
      const GroupNorm net = norm_of(group, lambda);
      if (net.size((c.cwiseAbs() + members_of(group, read_slack_)).eval()) <= net.l1) continue;
    } else if ((c.array() == 0.0).all()) {
      continue;
    }
    const auto& members = groups_.members(group);
    if (rounded_) {
      again.insert(again.end(), members.begin(), members.end());
      continue;
    }
    beyond.features.insert(beyond.features.end(), members.begin(), members.end());
    beyond.c.insert(beyond.c.end(), c.begin(), c.end());
    beyond.error = std::max(beyond.error, members_of(group, read_slack_).maxCoeff());
  }
  std::sort(again.begin(), again.end());
  if (again.empty()) note_groups(strong_threshold(lambda, following_));
  return again;
}

/// Groups outside the working set whose dual norm is estimated at l1_ratio over `threshold` or more become candidates.
void PathProblem::note_groups(double threshold) {
  candidates_.clear();
  for (Index group = 0; group < groups_.count(); ++group) {
    const auto& members = groups_.members(group);
    if (members.empty() || !is_outside(members.front())) continue;
    const double size = keep_all_ ? 0.0 : norm_of(group, 1.0).dual_norm(members_of(group, estimates_));
    if (keep_all_ || size * options_.l1_ratio >= threshold) candidates_.push_back({size, members.front()});
  }
}

/// Columns outside the working set of at least a size, by falling size.
std::vector<std::pair<double, Index>> PathProblem::outside_by(const Vec& sizes, double least) const {
  std::vector<std::pair<double, Index>> out;
  for (Index j = 0; j < p_; ++j) {
    if (sizes[j] > least && is_outside(j)) out.push_back({sizes[j], j});
  }
  std::sort(out.begin(), out.end(),
            [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  return out;
}

/// With m penalised features in the working set, where the sums are right by themselves, all others stay at zero if the
/// r-th largest of them is at most the weight m + r: then so are the sums that take in some of either. Columns up to
/// the last one whose bound is above that are needed.
void PathProblem::bound_sorted(double lambda) {
  const Vec weights = lambda * (1.0 - kBoundMargin) * features_.sorted_weights;
  const Index inside = static_cast<Index>(work_.size() - unpenalised_.size());
  const auto outside = outside_by(bounds_, weights[inside + outside_ - 1]);
  std::size_t last = 0;
  for (std::size_t r = 0; r < outside.size(); ++r) {
    if (outside[r].first > weights[inside + static_cast<Index>(r)]) last = r + 1;
  }
  for (std::size_t r = 0; r < last; ++r) needed_.push_back(outside[r].second);
  std::sort(needed_.begin(), needed_.end());
  if (needed_.empty()) note_sorted(strong_threshold(lambda, following_));
}

/// The same with what has been read in the place of its bounds: all others move up, where weights are larger.
std::vector<Index> PathProblem::judge_sorted(std::span<const Index> read) {
  const double lambda = pending_.front().lambda;
  Beyond& beyond = pending_.front().beyond;
  for (const Index j : read) {
    estimates_[j] = std::abs(read_c_[j]);
    bounds_[j] = estimates_[j] + read_slack_[j];
  }
  std::vector<Index> above;
  if (lambda < kInfinity) {
    const Vec weights = lambda * features_.sorted_weights;
    const Index inside = static_cast<Index>(work_.size() - unpenalised_.size());
    const auto outside = outside_by(bounds_, weights[inside + outside_ - 1]);
    for (std::size_t r = 0; r < outside.size(); ++r) {
      if (outside[r].first > weights[inside + static_cast<Index>(r)]) above.push_back(outside[r].second);
    }
    std::sort(above.begin(), above.end());
  } else {
    std::copy_if(read.begin(), read.end(), std::back_inserter(above), [&](Index j) { return read_c_[j] != 0.0; });
  }
  if (rounded_ && !above.empty()) return above;
  for (const Index j : above) {
    beyond.features.push_back(j);
    beyond.c.push_back(read_c_[j]);
    beyond.error = std::max(beyond.error, read_slack_[j]);
  }
  note_sorted(strong_threshold(lambda, following_));
  return {};
}

/// Columns outside the working set whose estimate is at least `threshold` times the weight that it would have behind
/// what is active become candidates.
void PathProblem::note_sorted(double threshold) {
  candidates_.clear();
  if (!(threshold < kInfinity)) return;
  const Index active = support_size();
  const Vec& weights = features_.sorted_weights;
  const auto outside = outside_by(estimates_, threshold * weights[weights.size() - 1]);
  for (std::size_t r = 0; r < outside.size(); ++r) {
    const Index place = std::min(active + static_cast<Index>(r), weights.size() - 1);
    if (outside[r].first >= threshold * weights[place]) candidates_.push_back(outside[r]);
  }
}

}  // namespace riata
