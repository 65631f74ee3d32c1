#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "path/column_parts.hpp"
#include "path/part_layout.hpp"
#include "path/part_messages.hpp"

namespace riata {

/// Refuses fits whose working set is all of X, or that tie all of its columns, where X is in other processes: throws
/// std::invalid_argument.
void validate_hosted(const Design& X, const std::vector<Problem>& problems, const Features& features,
                     const PathOptions& options);

/// Parts that other processes hold. What a fit asks goes to all of them in one message for all of its problems, and
/// what changes between questions goes with the next of them. All that has been sent is kept: where a part is lost and
/// another takes its place, it is told everything again, and ends with the same bits.
class HostedParts final : public ColumnParts {
 public:
  /// `copy_share` as in RoundedProducts. Of candidates parts tell as many as a fit may ever choose.
  HostedParts(const Design& X, PartLayout layout, const PathOptions& options, const Features& features,
              double copy_share, Counters& counters);
  ~HostedParts() override;

  void first_pass(const Mat& weights, const Mat& null_u, std::vector<Vec>& means, std::vector<Vec>& variances,
                  std::uint64_t* digest) override;
  double memory() const override { return 0.0; }
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
  void bound(std::span<Ask> asks, int threads) override;
  void skip(Index problem) override { answers_[static_cast<std::size_t>(problem)] = {}; }
  void read(std::span<const Reading> readings) override;
  RoundAnswer answer(Index problem) const override;

  void state(ArchiveWriter& archive, Index problem) override;
  void state(ArchiveReader& archive, Index problem) override;
  void state(ArchiveCounter&, Index) override {}  // none of it is in this process

 private:
  /// A message to one part, as it was sent.
  struct Sent {
    std::string_view method;
    std::shared_ptr<const std::string> common;
    std::string own;
  };
  static constexpr int kMostLosses = 100;  // of one part in one fit

  void check_places() const;
  std::vector<Index> all_parts() const;
  std::vector<std::string> ask(std::string_view method, std::string common, std::span<const Index> parts,
                               std::vector<std::string> own);
  /// The same for every part, after what has changed.
  std::vector<std::string> ask_all(std::string_view method, std::vector<Question> questions);
  std::vector<std::string> changes();
  std::string tell_again(Index part);
  PartFeatures features_of(Index part) const;
  Question question(Index problem, const ScreeningQuery& query) const;
  SidesMessage sides_of(const Reading& reading, bool nearby) const;
  /// Takes answers of several problems, one list of each part, which have columns of its own numbers.
  std::vector<bool> take(std::span<const Index> problems, std::span<const Index> parts,
                         std::vector<std::string> answers, bool costs);
  PartAnswer& answer_of(Index problem, Index part);
  std::size_t part_of(Index feature) const;

  const Design& X_;
  HostCalls calls_;
  std::vector<Index> cuts_;
  const PathOptions& options_;
  const Features& features_;
  RoundedProducts rounded_;
  double copy_share_;
  Counters& counters_;
  std::uint64_t fit_;
  Vec copy_errors_;
  std::vector<std::vector<Sent>> sent_;  // to each part
  std::vector<int> losses_;
  std::vector<NewProblem> problems_;
  std::size_t told_ = 0;                          // of the problems
  std::vector<std::vector<Move>> moves_;          // of each part, since the last message
  std::vector<std::vector<PartAnswer>> answers_;  // of each problem and part
};

}  // namespace riata
