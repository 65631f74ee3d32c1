#pragma once

#include <vector>

#include "path/path_fit.hpp"

namespace riata {

/// Why a path has ended, or that it has not.
enum class Outcome { kGoesOn, kComplete, kInterrupted, kDeviance, kMaxActive, kMemory };

/// As PathResult::stopped tells it.
inline const char* name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::kInterrupted:
      return "progress";
    case Outcome::kDeviance:
      return "deviance";
    case Outcome::kMaxActive:
      return "max_active";
    case Outcome::kMemory:
      return "memory";
    default:
      return "";
  }
}

/// A problem with a grid of its own, and those that follow it. What has ended is reported again by a fit that goes on
/// from a checkpoint.
struct GridGroup {
  std::vector<PathFit*> problems;  // the leader, then in order
  Index leader;
  std::vector<double> grid;
  Index reported = 0, retained = 0;  // lambdas that progress has been told of, and those that stay in the result
  Outcome outcome = Outcome::kGoesOn;

  PathFit& front() const { return *problems.front(); }
  bool goes_on() const { return outcome == Outcome::kGoesOn; }
  Index total() const { return static_cast<Index>(grid.size()); }

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(grid, reported, retained);
  }
};

}  // namespace riata
