#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "path/column_part.hpp"
#include "path/column_set.hpp"
#include "path/packed_sides.hpp"
#include "path/packed_weights.hpp"

/// What a fit tells the parts of X that other processes hold, and what they answer; see HostedParts and ServedFit.
/// Columns have the numbers of the part.
namespace riata {

/// A penalty goes by its name, with its parameters.
template <class Archive>
void transfer_penalty(Archive& archive, PenaltySpec& penalty) {
  std::string name(penalty.name());
  archive(name);
  if constexpr (Archive::reading) penalty = name;
  PenaltySpec::describe(penalty, [&](const Option&, auto& value) { archive(value); });
}

/// "begin": what a fit is. The same for all parts.
struct FitBeginning {
  bool fit_intercept = true, standardize = true, digest = false;
  double l1_ratio = 1.0, copy_share = 0.0;
  PenaltySpec penalty;
  PackedWeights weights;
  Mat null_u;

  template <class Archive>
  void state(Archive& archive) {
    archive(fit_intercept, standardize, digest, l1_ratio, copy_share);
    transfer_penalty(archive, penalty);
    archive(weights, null_u);
  }
};

/// Beside it, for each part: what Features have for its columns. Groups have numbers of their own, in the same order.
struct PartFeatures {
  Vec penalty_factor, lower, upper;
  std::vector<Index> group;
  Vec group_weights;

  template <class Archive>
  void state(Archive& archive) {
    archive(penalty_factor, lower, upper, group, group_weights);
  }
};

struct FirstPassAnswer {
  std::vector<Vec> means, variances;
  Vec copy_errors;
  std::uint64_t digest = 0;
  double streamed = 0.0;

  template <class Archive>
  void state(Archive& archive) {
    archive(means, variances, copy_errors, digest, streamed);
  }
};

/// What ColumnParts::add_problem() is told, but for what the part has itself.
struct NewProblem {
  Index outputs = 1;
  bool full_working_set = false;
  double largest_norm = 0.0, largest_weight = 0.0;

  template <class Archive>
  void state(Archive& archive) {
    archive(outputs, full_working_set, largest_norm, largest_weight);
  }
};

struct Move {
  Index problem = 0;
  std::vector<Index> into_work, out_of_work;

  template <class Archive>
  void state(Archive& archive) {
    archive(problem, into_work, out_of_work);
  }
};

/// "bound" and "candidates": one question of several problems, after what has changed since. "bound and read" has
/// beside it, for each of them, a SidesMessage: what to read where bounds leave columns undecided.
struct Question {
  Index problem = 0;
  Index most = 0;                     // candidates to be told of, the best ones
  std::vector<ScreeningQuery> round;  // of "candidates" one

  template <class Archive>
  void state(Archive& archive) {
    archive(problem, most, round);
  }
};

/// The answer for a problem. While `undecided` columns are to be read there is none yet.
struct PartAnswer {
  Index undecided = 0;
  Index unbounded = 0;  // that bounds left undecided, whether they have been read since or not
  RoundAnswer found;
  ColumnSet read;    // by "read"
  HeldNumbers held;  // of those that "read exactly" has read once more

  template <class Archive>
  void state(Archive& archive) {
    archive(undecided, unbounded, found, read, held);
  }
};

/// "read": the right-hand sides of a problem, or those nearby that are tried first.
struct SidesMessage {
  Index problem = 0;
  std::vector<Index> forgotten;
  PackedSides sides;

  template <class Archive>
  void state(Archive& archive) {
    archive(problem, forgotten, sides);
  }
};

/// What reading has cost.
struct ReadingCost {
  double streamed = 0.0, products = 0.0;
};

/// The best candidates, all but `most` left out: by what is held against the penalty, of equal ones the first.
void keep_best(std::vector<Candidate>& candidates, Index most);

}  // namespace riata
