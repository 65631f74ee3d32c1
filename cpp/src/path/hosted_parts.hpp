#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "path/column_parts.hpp"
#include "path/part_calls.hpp"
#include "path/part_layout.hpp"
#include "path/part_messages.hpp"

namespace riata {

/// Refuses fits whose working set is all of X, or that tie all of its columns, where X is in other processes: throws
/// std::invalid_argument.
void validate_hosted(const Design& X, const std::vector<Problem>& problems, const Features& features,
                     const PathOptions& options);

/// Parts that other processes hold. What a fit asks goes to all of them in one message for all of its problems, and
/// what changes between questions goes with the next of them. What takes the place of a part that is lost is told what
/// its columns were read against last, reads them once more, and knows the same bits.
class HostedParts final : public ColumnParts {
 public:
  /// `copy_share` as in RoundedProducts. Of candidates parts tell as many as a fit may ever choose.
  HostedParts(const Design& X, PartLayout layout, const PathOptions& options, const Features& features,
              double copy_share, Counters& counters);

  void first_pass(const Mat& weights, const Mat& null_u, std::vector<Vec>& means, std::vector<Vec>& variances,
                  std::uint64_t* digest) override;
  double memory() const override { return static_cast<double>(beginning_.size()); }
  Vec copy_errors() const override { return copy_errors_; }
  std::vector<Index> cuts() const override { return cuts_; }
  const RoundedProducts& rounded() const override { return rounded_; }
  Index add_problem(const PenaltyFamily& penalty, const StandardizedColumns& columns, const ColumnNorms& norms,
                    Index outputs, bool full_working_set, int threads) override;

  void move(Index problem, std::span<const Index> into_work, std::span<const Index> out_of_work) override;
  void fetch(std::span<const Index> features, SharedPool& pool, int threads, Counters& counters) const override {
    pool.require(features, threads, counters);
  }
  std::vector<Candidate> candidates(Index problem, const ScreeningQuery& query) override;
  bool reads_ahead() const override { return true; }
  void bound(std::span<Ask> asks, int threads) override;
  void skip(Index problem) override { answers_[static_cast<std::size_t>(problem)] = {}; }
  void read(std::span<const Reading> readings) override;
  RoundAnswer answer(Index problem) const override;

  void state(ArchiveWriter& archive, Index problem) override;
  void state(ArchiveReader& archive, Index problem) override;
  void state(ArchiveCounter& archive, Index problem) override { write(archive, problem); }

 private:
  using Parts = PartCalls::Parts;
  /// What a problem has read in a round, until the next one.
  struct Round {
    PackedSides sides;
    Index forgotten = 0;
    std::vector<ColumnSet> read;  // of each part
    std::vector<HeldNumbers> held;
  };

  template <class Archive>
  void write(Archive& archive, Index problem) {
    settle();
    StoredAs stored = StoredAs::kRecall;
    archive(stored, records_[static_cast<std::size_t>(problem)]);
  }
  void check_places() const;
  /// The same for every part, after what has changed.
  std::vector<std::string> ask_all(std::string_view method, std::vector<Question> questions,
                                   const std::string& beside = {});
  void settle();
  void begin_again(Parts& parts);
  void recall(Parts& parts);
  std::string features_of(Index part) const;
  /// What parts are to read, first with sides that take two bytes a row; and what is kept of it until the next round.
  std::string sides_to_read(std::span<const Reading* const> readings, std::vector<Round>& kept) const;
  Question question(Index problem, std::span<const ScreeningQuery> round) const;
  PackedSides sides_of(const Reading& reading, bool nearby) const;
  /// Takes answers of several problems, one list of each part, which have columns of its own numbers.
  enum class Stage { kBound, kBoundAndRead, kRead, kReadExactly };
  std::vector<bool> take(Stage stage, std::span<const Index> problems, const Parts& parts,
                         const std::vector<std::string>& answers);
  PartAnswer& answer_of(Index problem, Index part);
  std::size_t part_of(Index feature) const;

  const Design& X_;
  std::vector<Index> cuts_;
  PartCalls calls_;
  const PathOptions& options_;
  const Features& features_;
  RoundedProducts rounded_;
  double copy_share_;
  Counters& counters_;
  Vec copy_errors_;
  std::string beginning_;    // the first message
  bool null_known_ = false;  // by that
  std::vector<NewProblem> problems_;
  std::vector<RecallRecord> records_;  // of each of them, up to the last message but those of a round
  std::vector<bool> null_;             // whether it asks about the null fit
  std::vector<std::size_t> lambdas_;   // how many it asks about
  std::vector<std::optional<Round>> rounds_;
  std::optional<std::vector<bool>> ahead_;        // of a round that is read already: which parts have undecided columns
  std::size_t told_ = 0;                          // of the problems,
  std::size_t known_ = 0;                         // and where the records are
  bool begun_ = false;                            // what answers the first message is settled
  bool goes_on_ = false;                          // from a checkpoint, of which parts are not told yet
  std::vector<std::vector<Move>> moves_;          // of each part, since the last message
  std::vector<std::vector<PartAnswer>> answers_;  // of each problem and part
};

}  // namespace riata
