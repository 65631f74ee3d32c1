// PathFit: which features a fit goes on with, and how far ahead.

#include <algorithm>
#include <cmath>
#include <vector>

#include "path/continuation.hpp"
#include "path/path_fit.hpp"

namespace riata {
namespace {

constexpr double kShorter = 0.8;  // share of a step that is tried next, to find the longest

}  // namespace

/// The features of the working set that are active, or expected to be at a lambda.
std::vector<Index> PathFit::retained_features(double lambda) const {
  const Vec &b = history_.now().b, &c = history_.now().c;
  std::vector<char> keep(work_.features().size(), 0);
  const auto mark = [&](Index entry) { keep[static_cast<std::size_t>(entry / loss_->outputs())] = 1; };
  for (Index e : solver_.active_set().features()) mark(e);
  const Penalties net = penalties(lambda);
  if (const Sorted* sorted = net.sorted()) {
    const double least = sorted->size > sorted->free ? sorted->net.weights().tail(1)[0] : 0.0;
    for (Index e = 0; e < b.size(); ++e) {
      if (e < sorted->free || b[e] != 0.0 || std::abs(c[e]) >= least) mark(e);
    }
  } else {
    for (Index unit = 0; unit < net.units(); ++unit) {
      const Index first = net.begin(unit), size = net.begin(unit + 1) - first;
      if (!net.reaches(unit, c) && (b.segment(first, size).array() == 0.0).all()) continue;
      for (Index e = first; e < first + size; ++e) mark(e);
    }
  }
  std::vector<Index> out;
  for (std::size_t w = 0; w < keep.size(); ++w) {
    if (keep[w] != 0) out.push_back(work_.features()[w]);
  }
  return out;
}

/// The best of the candidates, in increasing order; the features of a group together.
std::vector<Index> PathFit::select_candidates(Index batch) {
  std::vector<Candidate>& all = candidates_.list;
  std::erase_if(all, [&](const Candidate& x) { return work_.contains(x.second); });
  const bool groups = penalty_.kind() == PenaltyKind::kGroups;
  const Index rows = loss_->omega().size();
  Index most = std::clamp<Index>(2 * n_active() + 32 * batch, 256, std::max<Index>(1000, rows));
  if (groups) most = std::max<Index>(most / penalty_.groups().typical_size(), 32);
  if (!full_working_set() && static_cast<Index>(all.size()) > most) {
    std::nth_element(all.begin(), all.begin() + most, all.end(), [](const Candidate& x, const Candidate& y) {
      return x.first != y.first ? x.first > y.first : x.second < y.second;
    });
    all.resize(static_cast<std::size_t>(most));
  }
  std::vector<Index> out;
  for (const Candidate& candidate : all) out.push_back(candidate.second);
  std::sort(out.begin(), out.end());
  if (!groups) return out;
  std::vector<Index> features;
  for (const Index j : out) {
    const auto& members = penalty_.groups().members(penalty_.groups().of(j));
    features.insert(features.end(), members.begin(), members.end());
  }
  return features;
}

bool PathFit::wants_steps(double from, double to) const {
  if (result().exhausted || options_.l1_ratio == 0.0 || !far_below(from, to)) return false;
  return penalty_.kind() == PenaltyKind::kConcave || screening_.n_outside() > kEntering;
}

double PathFit::first_stop(double lambda) {
  const double from = std::min(history_.now().lambda, lambda_max());
  if (!wants_steps(from, lambda)) return lambda;
  if (penalty_.kind() == PenaltyKind::kConcave) return from;
  double stop = from;
  for (double next = from; stop > lambda; stop = next) {
    next = std::max(kShorter * stop, lambda);
    if (screening_.count_undecided(history_.now().rho, query(next, kInfinity)) > kEntering) break;
  }
  if (stop < from) candidates_.known = false;  // they were noted for a shorter step
  return stop;
}

/// The features outside that are to be active at the first point refused: those after it stand on what it lacks.
std::vector<Index> PathFit::violating_features() const {
  const PathPoint& p = pending_.front();
  const Violators& violators = p.violators;
  const Penalties net = penalty_.at(violators.features, p.lambda);
  const Vec c = violators.values();
  std::vector<Index> out;
  for (Index unit = 0; unit < net.units(); ++unit) {
    // By themselves they would have the largest weights of a sorted norm.
    if (!net.sorted() && net.violation_at_zero(unit, c) <= rule_.kkt_tolerance(p.lambda)) continue;
    for (Index e = net.begin(unit); e < net.begin(unit + 1); ++e) {
      const Index j = violators.features[static_cast<std::size_t>(e / loss_->outputs())];
      if (out.empty() || out.back() != j) out.push_back(j);
    }
  }
  return out;
}

}  // namespace riata
