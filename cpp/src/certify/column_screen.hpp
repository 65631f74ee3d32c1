#pragma once

#include <memory>
#include <span>
#include <vector>

#include "certify/reference_columns.hpp"
#include "certify/screening_query.hpp"
#include "penalty/penalty_family.hpp"
#include "solver/column_norms.hpp"
#include "solver/path_point.hpp"
#include "solver/standardized_columns.hpp"

namespace riata {

/// What one fit knows of a range of columns outside its working set: which of them are below their threshold at a
/// residual, as far as bounds tell, and what has been read of the others. Features have the numbers of X.
class ColumnScreen {
 public:
  /// Columns first .. last - 1, screened as the penalty asks for.
  static std::unique_ptr<ColumnScreen> make(const PenaltyFamily& penalty, const StandardizedColumns& columns,
                                            const ColumnNorms& norms, Index first, Index last, Index outputs,
                                            bool full_working_set, int threads);
  virtual ~ColumnScreen() = default;
  ColumnScreen(const ColumnScreen&) = delete;
  ColumnScreen& operator=(const ColumnScreen&) = delete;

  /// Features of this range that come into the working set, or leave it; others are passed over.
  void enter(std::span<const Index> features);
  void leave(std::span<const Index> features);
  /// Blocks that the residual side has forgotten, for each output.
  void forget(std::span<const Index> blocks);

  /// Those outside that are estimated to be at ScreeningQuery::strong or more, from what is known.
  virtual std::vector<Candidate> estimate_candidates(const ScreeningQuery& query) = 0;
  /// Bounds every column outside, at each residual of a round. Where that leaves some undecided they are to be read.
  void bound(std::span<const ScreeningQuery> round);
  /// Ends without a round.
  void skip();
  /// The columns to read, in increasing order.
  const std::vector<Index>& columns_to_check() const { return columns_to_check_; }
  /// Products are about to come in so many pieces.
  void begin_pass(const ReadingPlan& plan, Index pieces);
  /// Products that were taken before are known again. Safe for different columns at once.
  void recall(const ReadingPlan& plan, Columns columns, const MatIn& products);
  /// What is known of a feature: kMaxBasis + 1 numbers an output; and that again, with the block it came with.
  void copy_numbers(Index feature, float* to) const;
  void restore(Index feature, std::uint8_t block, const float* numbers);
  Index outputs() const { return outputs_; }
  /// The null fit is asked about.
  bool asks_null() const { return !(query_.lambda < kInfinity); }
  /// Takes X' used of some columns. Safe for different pieces at once.
  void add_block(Index piece, Columns columns, const MatIn& products);
  /// Puts together the pieces of the columns that were `read`. Returns those for which nearby right-hand sides did not
  /// do, in increasing order.
  virtual std::vector<Index> finish_pass(std::span<const Index> read) = 0;

  /// What the round has found: beyond their threshold at each lambda, and for the lambda after it.
  const std::vector<Violators>& violators() const { return violators_; }
  const std::vector<Candidate>& candidates() const { return candidates_; }

  /// See checkpoint/archive.hpp. For use between rounds; leave() and enter() give the rest.
  template <class Archive>
  void state(Archive& archive) {
    archive(reference_);
  }

 protected:
  ColumnScreen(const PenaltyFamily& penalty, const StandardizedColumns& columns, const ColumnNorms& norms, Index first,
               Index last, Index outputs, bool full_working_set, int threads);

  virtual void bound_columns() = 0;
  virtual void begin_pieces(Index pieces) = 0;
  /// c of a column that was read at each residual of the round, known up to its slack.
  virtual void classify(Index piece, Index feature, std::span<const Vec> c, std::span<const Vec> slack) = 0;
  /// For the null fit all columns outside are needed.
  void need_all();
  bool is_outside(Index feature) const { return reference_[0].limit(feature - first_) >= 0.0; }
  Index size() const { return last_ - first_; }
  bool holds(Index feature) const { return feature >= first_ && feature < last_; }

  const PenaltyFamily& penalty_;
  const StandardizedColumns& columns_;
  Index first_, last_, outputs_;
  bool full_working_set_;
  int threads_;
  std::vector<ReferenceColumns> reference_;  // one an output
  std::vector<ScreeningQuery> round_;
  ScreeningQuery query_{};  // one of the round, in its turn
  ReadingPlan plan_;
  std::vector<Index> columns_to_check_;
  std::vector<Violators> violators_;  // one a lambda of the round
  std::vector<Candidate> candidates_;

 private:
  double product_noise(Index feature) const;
  void store(const ReadingPlan& plan, std::size_t output, Index feature, const MatIn& products, Index row,
             double* basis);
};

inline constexpr double kBoundMargin = 1e-6;  // a bound this close to its threshold counts as undecided
inline constexpr Index kScreenChunk = 8192;   // columns bounded together

}  // namespace riata
