#pragma once

#include "path/working_set_solver.hpp"
#include "solver/linear_predictor.hpp"
#include "solver/stopping_rule.hpp"

namespace riata {

/// What the fit of one response is made of, for those of its parts that work with most of the others.
struct FitParts {
  const Loss& loss;
  const PenaltyFamily& penalty;
  const StandardizedColumns& columns;
  const WorkingSet& work;
  const LinearPredictor& predictor;
  const StoppingRule& rule;
  WorkingSetSolver& solver;
  const PathOptions& options;
};

}  // namespace riata
