#pragma once

#include "solver/inner_solver.hpp"

namespace riata {

/// Solver::kProximal: accelerated proximal gradient (Beck & Teboulle 2009) with gradient restart (O'Donoghue & Candes
/// 2015), for any penalty.
class ProximalGradient final : public InnerSolver {
 public:
  InnerResult solve(InnerProblem problem, Vec& b, Vec& c) override;
  void working_set_changed(std::span<const Index> /*new_number*/, Index /*outputs*/) override {}
  void hessian_changed() override {}

  /// See checkpoint/archive.hpp. Nothing is kept.
  template <class Archive>
  void state(Archive& /*archive*/) {}
};

}  // namespace riata
