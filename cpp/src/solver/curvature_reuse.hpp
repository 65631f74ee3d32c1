#pragma once

#include "riata/types.hpp"

namespace riata {

/// When modified Newton renews its curvature and the factor of it. An old curvature costs more steps, a new one costs a
/// factor: it is due when the steps spent beyond what they were on the first lambda after it was made have cost as much
/// as making it (so that neither is ever paid much more than the other), or when what is left to do on the present
/// lambda, at the rate seen, would cost more. Costs are counted operations in rough nanoseconds, as in SolverChoice.
class CurvatureReuse {
 public:
  /// A new curvature was taken up and its factor made.
  void renewed(double build_cost);
  /// A lambda is begun.
  void begin();
  /// A step cost that much and left `distance` of what it found (both relative to what the lambda asks for);
  /// `same_face` when no feature entered or left, so that their ratio tells of the curvature alone.
  void stepped(double cost, double found, double left, bool same_face);
  /// The best length of a step was that fraction of the one taken: the next one starts from there.
  void stretch(double fraction);
  double length() const { return length_; }
  /// Whether to renew before the next step, with `distance` still to go (1: done).
  bool due(double distance) const;
  /// Factors made for each step so far.
  double builds() const { return total_steps_ > 0.0 ? total_builds_ / total_steps_ : 1.0; }

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(build_cost_, step_cost_, excess_, length_, rate_, total_builds_, total_steps_, lambdas_, steps_,
            first_steps_);
  }

 private:
  double build_cost_ = 0.0, step_cost_ = 0.0;
  double excess_ = 0.0;  // cost of steps beyond those of the first lambda
  double length_ = 1.0;
  double rate_ = 0.0;  // what a step leaves, as last seen
  double total_builds_ = 0.0, total_steps_ = 0.0;
  Index lambdas_ = 0, steps_ = 0, first_steps_ = 0;
};

}  // namespace riata
