#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "certify/column_screen.hpp"

namespace riata {

/// Columns that are judged one by one: penalties of single coefficients, or of those of a feature.
class SeparableScreen final : public ColumnScreen {
 public:
  SeparableScreen(const PenaltyFamily& penalty, const StandardizedColumns& columns, const ColumnNorms& norms,
                  Index first, Index last, Index outputs, bool full_working_set, int threads)
      : ColumnScreen(penalty, columns, norms, first, last, outputs, full_working_set, threads) {}

  std::vector<Candidate> estimate_candidates(const ScreeningQuery& query) override;
  std::vector<Index> finish_pass(std::span<const Index> read) override;

 protected:
  void bound_columns() override;
  void begin_pieces(Index pieces) override {
    pieces_.assign(static_cast<std::size_t>(pieces), {{}, {}, std::vector<Violators>(round_.size())});
  }
  void classify(Index piece, Index feature, std::span<const Vec> c, std::span<const Vec> slack) override;

 private:
  struct Piece {
    std::vector<Candidate> candidates;
    std::vector<Index> again;
    std::vector<Violators> violators;  // one a lambda
  };
  void screen(double threshold, double promising, Index begin, std::span<std::uint8_t> flags) const;
  void screen_rows(double threshold, double promising, Index begin, std::span<std::uint8_t> flags) const;
  double estimate(Index feature) const;

  std::vector<Piece> pieces_;
};

}  // namespace riata
