#pragma once

#include <optional>
#include <span>
#include <vector>

#include "certify/reference_subspace.hpp"
#include "loss/loss.hpp"
#include "path/column_parts.hpp"

namespace riata {

/// What one fit asks of the columns outside its working set, wherever these are: the residuals that bounds refer to and
/// the right-hand sides to read, made once for all parts.
class Screening {
 public:
  Screening(ColumnParts& columns, const Loss& loss, const PenaltyFamily& penalty, const StandardizedColumns& scaled,
            const ColumnNorms& norms, bool full_working_set, int threads);

  /// Features that come into the working set, and others that leave it.
  void move(std::span<const Index> into_work, std::span<const Index> out_of_work);
  /// Brings features into the pool that are not there yet.
  void fetch(std::span<const Index> features, SharedPool& pool, int threads, Counters& counters) const {
    columns_.fetch(features, pool, threads, counters);
  }
  /// Usable features outside it.
  Index n_outside() const { return n_outside_; }

  /// Features that are estimated to be at ScreeningQuery::strong or more, from what is known.
  std::vector<Candidate> candidates(const Vec& rho, ScreeningQuery query);
  /// How many columns outside no bound keeps below their threshold. Not during a round.
  Index count_undecided(const Vec& rho, ScreeningQuery query);
  /// Begins a round for residuals, one for each query: every column outside is to be bounded for all of them, with
  /// those of other fits.
  void begin_round(std::vector<Vec> residuals, std::vector<ScreeningQuery> round);
  /// Whether that is so, and what is asked then. It refers to this.
  bool asks() const { return asks_; }
  Ask ask() const { return {problem_, round_, 0, ahead_ ? &*ahead_ : nullptr}; }
  /// Whether what the round would read can be told with the question, and is likely to be needed.
  bool can_read_ahead() const;
  bool likely_to_read() const { return read_; }
  /// Does so; `last` as in go_on().
  void read_ahead(const Vec& last);
  /// What has been asked is known. Where bounds leave columns undecided these are to be read, with right-hand sides
  /// that span the residuals of this round; later bounds refer to the last two, counting the `last` one before it.
  void go_on(Index undecided, const Vec& last);
  /// Ends without a round.
  void skip_round();
  bool needs_reading() const { return undecided_ > 0; }
  /// What is to be read then. It refers to this.
  Reading reading();
  /// What the round has found, in the order of the columns.
  RoundAnswer answer() const { return columns_.answer(problem_); }

  /// See checkpoint/archive.hpp. For use between rounds; move() gives the rest.
  template <class Archive>
  void state(Archive& archive) {
    archive(reference_);
    columns_.state(archive, problem_);
  }

 private:
  ScreeningQuery at(const Vec& rho, ScreeningQuery query) const;
  void open_block(const Vec& last);
  ReadingPlan plan_for(const Mat& used, bool rounded);

  ColumnParts& columns_;
  Index problem_;  // its number there
  Index outputs_;
  Index n_outside_, undecided_ = 0;
  std::vector<ReferenceSubspace> reference_;  // one an output
  std::vector<ScreeningQuery> round_;
  std::vector<Vec> residuals_;        // of the round
  bool asks_ = false, read_ = false;  // read_: in the last round
  std::optional<Reading> ahead_;
  std::vector<Index> begin_;  // see ReadingPlan
  Mat coordinates_;
  std::vector<std::vector<Index>> beside_;  // for each output and residual: its own right-hand side, -1: none
  std::vector<Index> forgotten_;
  Mat rhs_;  // of the open blocks and beside them, those of each output together
};

}  // namespace riata
