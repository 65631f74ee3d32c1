#pragma once

#include "certify/tied_screen.hpp"

namespace riata {

/// Groups of features, which enter together: all of a group are in one range.
class GroupScreen final : public TiedScreen {
 public:
  using TiedScreen::TiedScreen;
  std::vector<Index> finish_pass(std::span<const Index> read) override;

 protected:
  void bound_together() override;
  void collect_candidates() override;

 private:
  bool is_mine(Index group) const;
  Vec members_of(Index group, const Vec& values) const;
  bool exceeds(Index group, std::size_t lambda) const;
};

}  // namespace riata
