#pragma once

#include <span>

#include "path/fit_parts.hpp"
#include "solver/path_point.hpp"

namespace riata {

/// Proximal Newton (Lee, Sun, Saunders 2014) with a curvature that is kept, with its factor, while that is cheaper than
/// a new one: steps to the minimum of a quadratic with the fresh gradient plus the penalty, each with a line search.
class ProximalNewton {
 public:
  ProximalNewton(const FitParts& fit, Counters& counters) : fit_(fit), counters_(counters) {}

  /// Moves p from its b, g, eta, u and c to the minimum at its lambda. `entering` are coefficients expected to become
  /// active; `ahead`, when there is one, is a guess of the solution.
  void solve(PathPoint& p, std::span<const Index> entering, const Vec* ahead);

  /// See checkpoint/archive.hpp. The model's curvature is no part of its state where it couples rows: it follows from
  /// where it was taken.
  template <class Archive>
  void state(Archive& archive) {
    archive(coupled_at_);
    if constexpr (Archive::reading) couple_again();
  }

 private:
  struct At;
  At begin(const PathPoint& p) const;
  double take_step(At& at, PathPoint& p, bool first, std::span<const Index> entering, double left, int stalls);
  void finish(At& at, PathPoint& p) const;
  double factor_step(At& at, PathPoint& p, bool kept, std::span<const Index> entering, bool everywhere, double left);
  double model_step(At& at, PathPoint& p, Solver solver);
  double inner_step(At& at, PathPoint& p, Solver solver, double target, bool tangent);
  void renew_model(const At& at, const PathPoint& p, bool majorize);
  void couple_again();
  double search_line(At& at, PathPoint& p, const Vec& b, bool free) const;
  double curvature_along(const At& at, const PathPoint& p, const Vec& change) const;
  double best_fraction(const At& at, const PathPoint& p, const Vec& b, const Vec& change, double slope) const;
  void complete(At& at, PathPoint& p) const;
  double distance(const At& at, const PathPoint& p, std::span<const Index> units) const;
  bool rows_coupled() const;
  bool completes_cheaply(const PathPoint& p) const;
  bool coordinates_convex(const Penalties& net);
  Index iterations_left(const PathPoint& p) const;

  FitParts fit_;
  Counters& counters_;
  Vec coupled_at_;  // eta of the curvature in the model, where it couples rows
};

}  // namespace riata
