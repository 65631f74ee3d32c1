#pragma once

#include <memory>
#include <span>
#include <vector>

#include "checkpoint/archive.hpp"
#include "path/column_part.hpp"

namespace riata {

/// What a problem asks of the columns outside its working set at the beginning of a round, once for each lambda, and
/// how many of them its bounds leave undecided. `ahead`, see ColumnParts::reads_ahead(): what is to be read then.
struct Ask {
  Index problem;
  std::span<const ScreeningQuery> round;
  Index undecided = 0;
  const Reading* ahead = nullptr;
};

/// What is known of columns in a checkpoint: the numbers of each, part by part, or what it takes to find them again.
/// Fits of any division of the columns, here or held by others, go on from both.
enum class StoredAs : std::uint8_t { kNumbers, kRecall };

/// What one problem knows of columns, as LocalParts keep it in a checkpoint: for each part the Numbers of each output.
using StoredNumbers = std::vector<ReferenceColumns::Numbers>;

/// The columns of X, divided into parts and asked as one, wherever these are: what is said of a call is said in
/// ColumnPart, and answers are put together in the order of the columns.
class ColumnParts {
 public:
  virtual ~ColumnParts() = default;
  ColumnParts() = default;
  ColumnParts(const ColumnParts&) = delete;
  ColumnParts& operator=(const ColumnParts&) = delete;

  virtual void first_pass(const Mat& weights, const Mat& null_u, std::vector<Vec>& means, std::vector<Vec>& variances,
                          std::uint64_t* digest) = 0;
  /// Bytes of copies in this process.
  virtual double memory() const = 0;
  /// See RoundedProducts::errors().
  virtual Vec copy_errors() const = 0;
  /// First column of each part, and the number of columns.
  virtual std::vector<Index> cuts() const = 0;
  /// Makes right-hand sides ready.
  virtual const RoundedProducts& rounded() const = 0;
  /// A problem, by what ColumnScreen::make() asks for. Returns its number.
  virtual Index add_problem(const PenaltyFamily& penalty, const StandardizedColumns& columns, const ColumnNorms& norms,
                            Index outputs, bool full_working_set, int threads) = 0;

  virtual void move(Index problem, std::span<const Index> into_work, std::span<const Index> out_of_work) = 0;
  virtual void fetch(std::span<const Index> features, SharedPool& pool, int threads, Counters& counters) const = 0;
  virtual std::vector<Candidate> candidates(Index problem, const ScreeningQuery& query) = 0;
  /// Whether it pays to tell what would be read with the question: where that saves a message. All that ask do or none.
  virtual bool reads_ahead() const { return false; }
  /// ColumnPart::bound() for several problems, on so many threads.
  virtual void bound(std::span<Ask> asks, int threads) = 0;
  /// Safe for different problems at once.
  virtual void skip(Index problem) = 0;
  virtual void read(std::span<const Reading> readings) = 0;
  virtual RoundAnswer answer(Index problem) const = 0;

  /// See ColumnPart::state(). Who reads has done the first pass.
  virtual void state(ArchiveWriter& archive, Index problem) = 0;
  virtual void state(ArchiveReader& archive, Index problem) = 0;
  virtual void state(ArchiveCounter& archive, Index problem) = 0;
};

/// Parts in this process.
class LocalParts final : public ColumnParts {
 public:
  /// `parts` of about the same size.
  LocalParts(const Design& X, std::span<const Index> numbers, Index parts, Index copy_for, double most_bytes,
             int threads, Counters& counters);

  void first_pass(const Mat& weights, const Mat& null_u, std::vector<Vec>& means, std::vector<Vec>& variances,
                  std::uint64_t* digest) override;
  double memory() const override;
  Vec copy_errors() const override;
  std::vector<Index> cuts() const override;
  const RoundedProducts& rounded() const override { return parts_.front().rounded(); }
  Index add_problem(const PenaltyFamily& penalty, const StandardizedColumns& columns, const ColumnNorms& norms,
                    Index outputs, bool full_working_set, int threads) override;

  void move(Index problem, std::span<const Index> into_work, std::span<const Index> out_of_work) override;
  void fetch(std::span<const Index> features, SharedPool& pool, int threads, Counters& counters) const override;
  std::vector<Candidate> candidates(Index problem, const ScreeningQuery& query) override;
  void bound(std::span<Ask> asks, int threads) override;
  void skip(Index problem) override;
  void read(std::span<const Reading> readings) override;
  RoundAnswer answer(Index problem) const override;

  void state(ArchiveWriter& archive, Index problem) override { write(archive, problem); }
  void state(ArchiveReader& archive, Index problem) override;
  void state(ArchiveCounter& archive, Index problem) override { write(archive, problem); }

 private:
  template <class Archive>
  void write(Archive& archive, Index problem) {
    StoredAs stored = StoredAs::kNumbers;
    std::vector<Index> begins = cuts();
    archive(stored, begins);
    for (ColumnPart& part : parts_) part.state(archive, problem);
  }

  std::vector<ColumnPart> parts_;
  Index problems_ = 0;
  Counters& counters_;
};

/// The columns of X where they are: `parts` of them here, unless other processes hold them, who have their own.
/// `options` and `features` are read when the first pass begins.
std::unique_ptr<ColumnParts> column_parts(const Design& X, const PathOptions& options, const Features& features,
                                          Index parts, Index copy_for, double most_bytes, Counters& counters);

}  // namespace riata
