#pragma once

#include <limits>
#include <span>
#include <vector>

#include "loss/loss.hpp"
#include "penalty/penalty_family.hpp"
#include "solver/path_point.hpp"

namespace riata {

/// Solutions going down a path: the current one, evaluated from the data, the two accepted last, and what these say
/// about the next. The current one is the one accepted last, or a point that was refused, at a lambda further down.
class PathHistory {
 public:
  struct Iterate {
    double lambda = kInfinity;  // at which it was found
    Vec b, c;                   // scaled coefficients on the working set
    Vec u, rho, eta;
    Vec g;
    double c_error = 0.0;  // of every entry of c

    template <class Archive>
    void state(Archive& archive) {
      archive(lambda, b, c, u, rho, eta, g, c_error);
    }
  };

  /// Starts from the model with no feature.
  PathHistory(Vec u, Vec eta, Vec g);

  const Iterate& now() const { return now_; }
  /// Makes a point that is not accepted the current one.
  void adopt(const PathPoint& p, const Loss& loss);
  /// The current one is the solution at `lambda`, where the path begins.
  void begin(double lambda);
  /// All these points were accepted, one after the other: the last becomes the current one.
  void accept(std::span<const PathPoint> points, const Loss& loss);

  /// The working set changed: `new_number` from old to new, and c of the `size` features there now, as far as it is not
  /// known.
  void working_set_changed(std::span<const Index> new_number, Index size, Index outputs);
  void set_correlations(Index first, const Vec& c);

  /// Coefficients of features[i] whose c, going on from the solutions before points[q] as it went so far, passes its
  /// threshold there, or that a point refused at that very lambda has beyond it: a hint.
  std::vector<Index> expected_entries(std::span<const PathPoint> points, std::size_t q, const PenaltyFamily& penalty,
                                      std::span<const Index> features) const;
  /// Moves b, the solution before points[q], on to its lambda as it went since the lambda before, where it was not zero
  /// at either; false where nothing is known to go by.
  bool extrapolate(std::span<const PathPoint> points, std::size_t q, const Penalties& net, Vec& b) const;

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(now_, is_accepted_, accepted_, previous_);
  }

 private:
  struct Solution {  // (c NaN: not known)
    double lambda = kInfinity;
    Vec b, c;

    template <class Archive>
    void state(Archive& archive) {
      archive(lambda, b, c);
    }
  };
  /// A solution by reference.
  struct View {
    double lambda;
    const Vec& b;
    const Vec& c;
  };
  static View view(const Solution& s) { return {s.lambda, s.b, s.c}; }
  static View view(const PathPoint& p) { return {p.lambda, p.b, p.c}; }
  /// Where points[q] starts from, and the solution at the lambda above that.
  View last(std::span<const PathPoint> points, std::size_t q) const;
  View second_last(std::span<const PathPoint> points, std::size_t q) const;

  Iterate now_;
  bool is_accepted_ = false;      // the current one
  Solution accepted_, previous_;  // the one accepted last, and the one before it
};

}  // namespace riata
