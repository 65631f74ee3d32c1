#pragma once

#include <span>
#include <vector>

#include "penalty/separable.hpp"
#include "solver/anderson.hpp"
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
  void state(Archive& archive) {
    archive.rooms(all_, active_, anderson_, kept_);
  }

 private:
  template <SeparablePenalty P>
  InnerResult descend(InnerProblem& problem, std::span<const P> net, Vec& b, Vec& c);
  template <SeparablePenalty P>
  void sweep(InnerProblem& problem, std::span<const P> net, Vec& b, Vec& c);
  template <SeparablePenalty P>
  void find_active(const InnerProblem& problem, std::span<const P> net, const Vec& b, const Vec& c);
  template <SeparablePenalty P>
  bool extrapolate(InnerProblem& problem, std::span<const P> net, double target, Vec& b, Vec& c);

  std::vector<Index> all_, active_;
  Anderson anderson_;
  Vec kept_;
  double products_ = 0.0, evaluations_ = 0.0;  // of columns, in this solve: single ones, and with many together
};

}  // namespace riata
