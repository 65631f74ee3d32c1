#pragma once

#include "certify/duality_gap.hpp"
#include "path/result_writer.hpp"
#include "path/working_set_solver.hpp"
#include "solver/stopping_rule.hpp"

namespace riata {

/// Decides whether a solution is good enough, by what it is in the data, and takes it into the result if so.
class Certifier {
 public:
  Certifier(const Loss& loss, const PenaltyFamily& penalty, const StandardizedColumns& columns, const WorkingSet& work,
            const LinearPredictor& predictor, const DualityGap& gap, const StoppingRule& rule, WorkingSetSolver& solver,
            ResultWriter& writer, const PathOptions& options)
      : loss_(loss),
        penalty_(penalty),
        columns_(columns),
        work_(work),
        predictor_(predictor),
        gap_(gap),
        rule_(rule),
        solver_(solver),
        writer_(writer),
        options_(options) {}

  /// Whether a null fit explains the response up to rounding, or separates its rows: then it goes on in its direction
  /// until the rest of the loss is nothing next to the tolerance. `all_free`: no unpenalised feature has bounds.
  bool explains_all(PathPoint& p, bool all_free) const;
  /// Takes a point into the result if its certificate is good enough, or this was the `last_try`.
  bool accept(PathPoint& p, bool last_try);

 private:
  bool locally_convex(const PathPoint& p, const Penalties& net);

  const Loss& loss_;
  const PenaltyFamily& penalty_;
  const StandardizedColumns& columns_;
  const WorkingSet& work_;
  const LinearPredictor& predictor_;
  const DualityGap& gap_;
  const StoppingRule& rule_;
  WorkingSetSolver& solver_;
  ResultWriter& writer_;
  const PathOptions& options_;
};

}  // namespace riata
