#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/memory_archive.hpp"
#include "path/part_messages.hpp"
#include "solver/column_norms.hpp"
#include "solver/standardized_columns.hpp"

namespace riata {

/// What a part of X in this process knows for a fit in another one, which asks by messages: the same ColumnPart as
/// there would be in that one, fed with what is computed there once for all parts.
class ServedFit {
 public:
  /// Begins with the first pass over X, whose columns are those from number `first` on of a larger one.
  ServedFit(const Design& X, Index first, std::string_view common, std::string_view own, int threads);
  std::string first_answer() { return to_bytes(first_); }

  /// The answer to a message, which changes what is known.
  std::string answer(std::string_view method, std::string_view common, std::string_view own);

 private:
  struct Problem {
    Index outputs, most = 0, lambdas = 0;  // of the round
    bool null_fit = false;
    StandardizedColumns columns;
    PenaltyFamily penalty;
    Problem(const SharedPool& pool, const PathOptions& options, const Features& features, Index K, int threads,
            Vec mean, Vec scale)
        : outputs(K),
          columns(pool, options.fit_intercept, K, threads, std::move(mean), std::move(scale)),
          penalty(options, features, K, columns.scale()) {}
  };
  struct Told {
    FitBeginning beginning;
    PartFeatures features;
  };
  static Told told(const Design& X, std::string_view common, std::string_view own);
  ServedFit(const Design& X, Index first, Told told, int threads);

  void catch_up(MemoryReader& common, std::string_view own, std::vector<Question>& questions);
  void check(const std::vector<SidesMessage>& sides, bool exactly) const;
  Problem& problem_of(Index number) const;
  void remember(std::string_view common, std::string_view own);
  void recall();
  void add_problem(const NewProblem& told);
  std::vector<PartAnswer> bound(const std::vector<Question>& questions);
  std::string candidates(std::vector<Question> questions);
  std::string bound_and_read(const std::vector<Question>& questions, std::vector<SidesMessage> sides);
  std::string read(std::vector<SidesMessage> sides);
  std::vector<PartAnswer> read(std::vector<SidesMessage> sides, ReadingCost& cost);
  std::string read_exactly(std::vector<SidesMessage> sides);
  PartAnswer found(Index problem) const;
  void keep_first_to_enter(const Problem& problem, Violators& violators) const;

  Index problem_count_, null_count_;  // weights and null residuals that the fit began with
  PathOptions options_;
  Features features_;
  Index rows_;
  int threads_;
  ColumnPart part_;
  FirstPassAnswer first_;
  std::unique_ptr<SharedPool> pool_;  // empty: columns are not brought close here
  std::vector<std::unique_ptr<Problem>> problems_;
  std::vector<std::vector<Index>> again_;  // columns of each problem that nearby right-hand sides leave undecided
  std::vector<Recall> recalls_;            // of the problems, until recall()
};

}  // namespace riata
