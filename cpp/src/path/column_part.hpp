#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "certify/column_screen.hpp"
#include "design/rounded_products.hpp"
#include "design/shared_pool.hpp"
#include "path/recall.hpp"
#include "riata/counters.hpp"
#include "riata/design/design.hpp"

/// The wall between rows and columns: what a fit may ask of columns outside its working set.
namespace riata {

/// Refuses columns first .. last - 1 that are no numbers, or whose squares are none; `numbers` and `before` as in
/// ColumnPart.
void check_moments(const Vec& mean, const Vec& variance, Index first, Index last, std::span<const Index> numbers,
                   Index before = 0);

/// What one problem wants read in a round: products of the columns that its bounds leave undecided with right-hand
/// sides of its own, `rhs`, after nearby ones whose products cost less, where there are such.
struct Reading {
  Index problem;
  const Mat* rhs;
  ReadingPlan plan;
  std::optional<RoundedProducts::Sides> rounded;
  ReadingPlan rounded_plan;
  std::vector<Index> forgotten;  // blocks of residuals that are no more, for each output
};

/// What a round has found outside the working set of a problem, in the order of the columns: those beyond their
/// threshold at each of its lambdas, and candidates for what comes after the last.
struct RoundAnswer {
  std::vector<Violators> violators;
  std::vector<Candidate> candidates;

  /// What further columns have beyond their threshold.
  void add(const std::vector<Violators>& more) {
    violators.resize(std::max(violators.size(), more.size()));
    for (std::size_t q = 0; q < more.size(); ++q) violators[q].add(more[q]);
  }

  /// See io/transfer.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(violators, candidates);
  }
};

/// A range of the columns of X and all that is known of them outside the working sets: copies, what was read of them,
/// and bounds, for every problem that shares the passes. Fits learn of columns outside their working set by these calls
/// alone, a few for each lambda: lists of columns and vectors of rows go in, lists of columns come back. Nothing is
/// summed over columns but whole numbers: parts give the same bits wherever they are cut.
class ColumnPart {
 public:
  /// Columns first .. last - 1. `numbers` are those by which errors name the columns of X (empty: their own);
  /// `copy_for` and `most_bytes`, of a copy of all of X, as in RoundedProducts.
  ColumnPart(const Design& X, std::span<const Index> numbers, Index first, Index last, Index copy_for,
             double most_bytes, int threads);
  /// All columns of X, where `before` others of a larger one come before it.
  ColumnPart(const Design& X, RoundedProducts rounded, Index before, int threads);

  Index first() const { return first_; }
  Index last() const { return last_; }

  /// Means and variances of the columns for each weight vector, into their places in these. Meanwhile products with the
  /// null residuals (n x problems and their outputs, or no columns where those are not known yet) and the copy for
  /// later products. With `digest`, also what tells X from another one, to be summed over parts: of its products with
  /// a fixed vector. Throws NonFiniteError for NaN or infinity in X, std::invalid_argument for squares that are not
  /// finite.
  void first_pass(const Mat& weights, const Mat& null_u, std::vector<Vec>& means, std::vector<Vec>& variances,
                  std::uint64_t* digest, Counters& counters);
  /// Bytes of the copy.
  double memory() const { return rounded_.memory(); }
  const RoundedProducts& rounded() const { return rounded_; }
  /// The next problem, by what it is to know of these columns; all of them are outside its working set.
  void add_problem(std::unique_ptr<ColumnScreen> screen) { screens_.push_back(std::move(screen)); }

  /// Columns come into the working set of a problem, or leave it; those of other parts are passed over.
  void move(Index problem, std::span<const Index> into_work, std::span<const Index> out_of_work);
  /// Brings columns of this part into the pool, as the storage has them, that are not there yet.
  void fetch(std::span<const Index> features, SharedPool& pool, int threads, Counters& counters) const {
    pool.require(features, threads, counters);
  }
  /// Those outside that are estimated to be at ScreeningQuery::strong or more, from what is known.
  std::vector<Candidate> candidates(Index problem, const ScreeningQuery& query);
  /// The first half of a round: bounds every column outside at each residual; returns how many that leaves undecided.
  /// Safe for different problems at once.
  Index bound(Index problem, std::span<const ScreeningQuery> round);
  /// In the place of a round: there is nothing to find.
  void skip(Index problem) { screen(problem).skip(); }
  /// The second half: reads the columns that are undecided for these problems, each once for all of them, and judges
  /// them. What the first pass found for the null fits is taken in the place of reading it again.
  void read(std::span<const Reading> readings, Counters& counters) {
    read_exactly(readings, read_nearby(readings, counters), counters);
  }
  /// read() in two steps: with rounded right-hand sides, where there are such. Returns the columns of each problem for
  /// which these do not do.
  std::vector<std::vector<Index>> read_nearby(std::span<const Reading> readings, Counters& counters);
  /// And those columns again, with right-hand sides as they are.
  void read_exactly(std::span<const Reading> readings, std::vector<std::vector<Index>> columns, Counters& counters);
  /// Whether products with null residuals are at hand: from the first pass until columns are read.
  bool knows_null() const { return null_products_.cols() > 0; }
  /// Appends what the round has found for a problem.
  void append_answer(Index problem, RoundAnswer& answer) const;

  /// The columns that the round has read for a problem, in increasing order.
  const std::vector<Index>& columns_read(Index problem) const {
    return screens_[static_cast<std::size_t>(problem)]->columns_to_check();
  }
  /// What is known of columns of this part.
  HeldNumbers numbers(Index problem, std::vector<Index> columns) const;
  /// What was known of all of them for some problems is known again, to the bit, by one more reading; see Recall, whose
  /// columns are numbered from the first of this part. All were outside and unread before; move() gives the rest.
  void recall(std::span<const Recall> recalls, std::span<const Index> problems);
  /// Those that lie in this part of columns from `first` on are known as these tell, for each output.
  void restore(Index problem, const std::vector<ReferenceColumns::Numbers>& numbers, Index first);
  /// What is known for one problem; see checkpoint/archive.hpp. For use between rounds; move() gives the rest.
  template <class Archive>
  void state(Archive& archive, Index problem) {
    archive(screen(problem));
  }

 private:
  /// One problem's share of a pass.
  struct Pass {
    ColumnScreen* screen;
    const Reading* of;
    std::vector<Index> columns;
    bool rounded;
    const Mat& rhs() const { return rounded ? of->rounded->used : *of->rhs; }
    const ReadingPlan& plan() const { return rounded ? of->rounded_plan : of->plan; }
  };
  ColumnScreen& screen(Index problem) { return *screens_[static_cast<std::size_t>(problem)]; }
  Index piece_columns(double side_bytes) const;
  void read_pass(const std::vector<Pass>& passes, Counters& counters) const;
  Index read_piece(const std::vector<Pass>& passes, Index piece, Index first, Index last) const;
  void take_null(const Reading& reading);
  Mat null_products(const ReadingPlan& plan, Index problem, Columns columns) const;
  Mat products_of(const PackedSides& sides, Index problem, Columns columns) const;
  void recall_piece(const Recall& recall, Index problem, Index first, Index last);

  const Design& X_;
  Traits traits_;
  std::span<const Index> numbers_;
  Index first_, last_, before_ = 0;
  RoundedProducts rounded_;
  int threads_;
  Mat null_products_;  // of the null fits, until they are certified: a row for each column
  std::vector<std::unique_ptr<ColumnScreen>> screens_;  // one a problem
};

}  // namespace riata
