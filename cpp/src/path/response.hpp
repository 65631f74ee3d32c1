#pragma once

#include <memory>
#include <vector>

#include "loss/loss.hpp"
#include "riata/api.hpp"

namespace riata {

/// The problem that holds y, offset and survival of another.
inline const Problem& response_of(const std::vector<Problem>& problems, const Problem& problem) {
  return problem.response < 0 ? problem : problems[static_cast<std::size_t>(problem.response)];
}

/// One response made ready: what is known of a problem before X is read.
struct Response {
  /// `given` holds the response of a problem with these weights.
  Response(const Problem& given, const Vec& weights, const PathOptions& options);
  Response(const Problem& problem, const PathOptions& options) : Response(problem, problem.weights, options) {}

  std::unique_ptr<Loss> loss;
  Vec offset;                   // part of eta; empty when there is none (or it went into y)
  Vec outer_offset;             // what of it as given is not, or empty
  Vec y_shift;                  // what was taken from y, for each output
  std::vector<Index> held_out;  // rows of weight zero

  // The model with no feature.
  Vec g;  // intercepts
  Vec eta, u;
  double deviance = 0.0;
  double spread = 0.0;  // what an intercept would leave of it: a level that has to be fitted is no variation
};

}  // namespace riata
