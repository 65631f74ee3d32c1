#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "path/continuation.hpp"
#include "path/validation_record.hpp"
#include "riata/api.hpp"

/// Problems that go down one grid together, and how that ends.
namespace riata {

/// Why a path has ended, or that it has not.
enum class Outcome { kGoesOn, kComplete, kInterrupted, kDeviance, kMaxActive, kMaxGroups, kPatience, kMemory };

/// As PathResult::stopped tells it.
inline const char* name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::kInterrupted:
      return "progress";
    case Outcome::kDeviance:
      return "deviance";
    case Outcome::kMaxActive:
      return "max_active";
    case Outcome::kMaxGroups:
      return "max_groups";
    case Outcome::kPatience:
      return "patience";
    case Outcome::kMemory:
      return "memory";
    default:
      return "";
  }
}

/// The fit of a problem with a grid of its own, and those of the problems that follow it. What has ended is reported
/// again by a fit that goes on from a checkpoint.
template <class Fit>
struct GridGroup {
  std::vector<Fit*> fits;             // the leader's, then in order
  std::vector<std::size_t> problems;  // and which these are
  Index leader;
  std::vector<double> grid;
  Continuation way;                  // to the next one
  Index reported = 0, retained = 0;  // lambdas that progress has been told of, and those that stay in the result
  ValidationRecord validation;       // where that may end the path
  Outcome outcome = Outcome::kGoesOn;

  Fit& front() const { return *fits.front(); }
  bool goes_on() const { return outcome == Outcome::kGoesOn; }
  Index total() const { return static_cast<Index>(grid.size()); }

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(grid, way, reported, retained, validation);
  }
};

/// The groups of `problems`, the fit of each in `fits`, without grids as yet.
template <class Fit>
std::vector<GridGroup<Fit>> grid_groups(const std::vector<Problem>& problems,
                                        const std::vector<std::unique_ptr<Fit>>& fits) {
  std::vector<GridGroup<Fit>> groups;
  for (std::size_t f = 0; f < problems.size(); ++f) {
    if (problems[f].leader != static_cast<Index>(f)) continue;
    GridGroup<Fit>& group = groups.emplace_back();
    group.leader = problems[f].leader;
    const auto take = [&](std::size_t k) {
      group.fits.push_back(fits[k].get());
      group.problems.push_back(k);
    };
    take(f);
    for (std::size_t k = 0; k < problems.size(); ++k) {
      if (k != f && problems[k].leader == group.leader) take(k);
    }
  }
  return groups;
}

template <class Fit>
bool any_goes_on(const std::vector<GridGroup<Fit>>& groups) {
  return std::any_of(groups.begin(), groups.end(), [](const auto& group) { return group.goes_on(); });
}

template <class Fit>
void end_all(std::vector<GridGroup<Fit>>& groups, Outcome outcome) {
  for (auto& group : groups) {
    if (group.goes_on()) group.outcome = outcome;
  }
}

}  // namespace riata
