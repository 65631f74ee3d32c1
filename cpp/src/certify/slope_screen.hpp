#pragma once

#include "certify/tied_screen.hpp"

namespace riata {

/// Features whose weights follow the order of their sizes: one range holds all columns, and rounds are of one lambda.
class SlopeScreen final : public TiedScreen {
 public:
  using TiedScreen::TiedScreen;
  std::vector<Index> finish_pass(std::span<const Index> read) override;

 protected:
  void bound_together() override;
  void collect_candidates() override;

 private:
  std::vector<Candidate> outside_by(const Vec& sizes, double least) const;
};

}  // namespace riata
