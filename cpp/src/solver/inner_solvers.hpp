#pragma once

#include <concepts>
#include <tuple>

#include "solver/active_set_newton.hpp"
#include "solver/block_newton.hpp"
#include "solver/coordinate_descent.hpp"
#include "solver/dual_newton.hpp"
#include "solver/group_descent.hpp"
#include "solver/proximal_gradient.hpp"
#include "solver/slope_newton.hpp"

namespace riata {

/// The inner solvers of a fit, in the order of their state in a checkpoint. Which of them is used when is said in
/// WorkingSetSolver::method().
using InnerSolvers = std::tuple<ActiveSetNewton, DualNewton, BlockNewton, SlopeNewton, GroupDescent, CoordinateDescent,
                                ProximalGradient>;

template <class... Solvers>
consteval bool are_inner_solvers(const std::tuple<Solvers...>*) {
  return (std::derived_from<Solvers, InnerSolver> && ...);
}
static_assert(are_inner_solvers(static_cast<InnerSolvers*>(nullptr)));

}  // namespace riata
