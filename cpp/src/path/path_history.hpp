#pragma once

#include <limits>
#include <span>
#include <vector>

#include "penalty/penalty_family.hpp"
#include "riata/loss/loss.hpp"
#include "solver/path_point.hpp"

namespace riata {

/// Solutions going down a path: the current one, evaluated from the data, the one before it, and what both say about
/// the next.
class PathHistory {
 public:
  struct Iterate {
    double lambda = kInfinity;
    Vec b, c;  // scaled coefficients on the working set
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
  /// Makes a point the current one.
  void adopt(const PathPoint& p, const Loss& loss);
  void set_lambda(double lambda) { now_.lambda = lambda; }
  /// All these points were accepted, one after the other: the last becomes the current one.
  void accept(std::span<const PathPoint> points, const Loss& loss);

  /// The working set changed: `new_number` from old to new, and c of the `size` features there now, as far as it is not
  /// known.
  void working_set_changed(std::span<const Index> new_number, Index size, Index outputs);
  void set_correlations(Index first, const Vec& c) { now_.c.segment(first, c.size()) = c; }

  /// Coefficients of features[i] whose c, going on from the solutions before points[q] as it went so far, passes its
  /// threshold there: a hint.
  std::vector<Index> expected_entries(std::span<const PathPoint> points, std::size_t q, const PenaltyFamily& penalty,
                                      std::span<const Index> features) const;
  /// Moves b, the solution before points[q], on to its lambda as it went since the lambda before, where it was not zero
  /// at either; false where nothing is known to go by.
  bool extrapolate(std::span<const PathPoint> points, std::size_t q, const Penalties& net, Vec& b) const;

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(now_, earlier_);
  }

 private:
  struct Earlier {  // one lambda above (c NaN: not known)
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
  View last(std::span<const PathPoint> points, std::size_t q) const;
  View second_last(std::span<const PathPoint> points, std::size_t q) const;

  Iterate now_;
  Earlier earlier_;
};

}  // namespace riata
