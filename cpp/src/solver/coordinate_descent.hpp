#pragma once

#include "solver/inner_solver.hpp"

namespace riata {

/// Solver::kDescent for penalties of single coefficients: cyclic coordinate descent (Friedman et al. 2010) with
/// Anderson extrapolation (Bertrand & Massias 2021), on the Gram matrix when the model keeps one, else on the columns.
/// For penalties that are not convex each step goes to the global minimum over its coefficient (Breheny & Huang 2011),
/// and the end is a stationary point.
class CoordinateDescent final : public InnerSolver {
 public:
  InnerResult solve(InnerProblem problem, Vec& b, Vec& c) override;
  void working_set_changed(std::span<const Index> /*new_number*/, Index /*outputs*/) override {}
  void hessian_changed() override {}

  /// See checkpoint/archive.hpp. Nothing is kept.
  template <class Archive>
  void state(Archive& /*archive*/) {}
};

}  // namespace riata
