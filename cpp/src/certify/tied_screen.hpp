#pragma once

#include "certify/column_screen.hpp"

namespace riata {

/// Columns that the penalty ties to each other: bounds and products of all of them are kept until they are judged
/// together.
class TiedScreen : public ColumnScreen {
 public:
  TiedScreen(const PenaltyFamily& penalty, const StandardizedColumns& columns, const ColumnNorms& norms, Index first,
             Index last, Index outputs, bool full_working_set, int threads);

  std::vector<Candidate> estimate_candidates(const ScreeningQuery& query) override;

 protected:
  void bound_columns() override;
  void begin_pieces(Index pieces) override;
  void classify(Index piece, Index feature, std::span<const Vec> c, std::span<const Vec> slack) override;
  /// Which columns bounds do not decide.
  virtual void bound_together() = 0;
  /// Fills candidates_ from the estimates.
  virtual void collect_candidates() = 0;

  // Of each column, counted from the first: bound and estimate of |c| at the last residual, and the K numbers last read
  // of it at each residual of a round.
  Vec bounds_, estimates_;
  struct Read {
    Vec c, slack;
  };
  std::vector<Read> read_;

 private:
  void bound_each();
};

}  // namespace riata
