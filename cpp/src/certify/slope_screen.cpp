#include "certify/slope_screen.hpp"

#include <algorithm>
#include <iterator>

namespace riata {

/// Columns outside the working set of more than a size, by falling size.
std::vector<Candidate> SlopeScreen::outside_by(const Vec& sizes, double least) const {
  std::vector<Candidate> out;
  for (Index j = 0; j < size(); ++j) {
    if (sizes[j] > least && is_outside(j)) out.push_back({sizes[j], j});
  }
  std::sort(out.begin(), out.end(), [](const Candidate& a, const Candidate& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  return out;
}

/// With m penalised features in the working set, where the sums are right by themselves, all others stay at zero if the
/// r-th largest of them is at most the weight m + r: then so are the sums that take in some of either. Columns up to
/// the last one whose bound is above that are needed.
void SlopeScreen::bound_together() {
  const Vec weights = query_.lambda * (1.0 - kBoundMargin) * penalty_.sorted_weights();
  const Index inside = query_.n_penalised_inside;
  const auto outside = outside_by(bounds_, weights[inside + query_.n_outside - 1]);
  std::size_t last = 0;
  for (std::size_t r = 0; r < outside.size(); ++r) {
    if (outside[r].first > weights[inside + static_cast<Index>(r)]) last = r + 1;
  }
  for (std::size_t r = 0; r < last; ++r) columns_to_check_.push_back(outside[r].second);
  std::sort(columns_to_check_.begin(), columns_to_check_.end());
}

/// The same with what has been read in the place of its bounds: all others move up, where weights are larger.
std::vector<Index> SlopeScreen::finish_pass(std::span<const Index> read) {
  const Read& mine = read_.front();
  for (const Index j : read) {
    estimates_[j] = std::abs(mine.c[j]);
    bounds_[j] = estimates_[j] + mine.slack[j];
  }
  std::vector<Index> above;
  if (query_.lambda < kInfinity) {
    const Vec weights = query_.lambda * penalty_.sorted_weights();
    const Index inside = query_.n_penalised_inside;
    const auto outside = outside_by(bounds_, weights[inside + query_.n_outside - 1]);
    for (std::size_t r = 0; r < outside.size(); ++r) {
      if (outside[r].first > weights[inside + static_cast<Index>(r)]) above.push_back(outside[r].second);
    }
    std::sort(above.begin(), above.end());
  } else {
    std::copy_if(read.begin(), read.end(), std::back_inserter(above), [&](Index j) { return mine.c[j] != 0.0; });
  }
  if (plan_.rounded && !above.empty()) return above;
  for (const Index j : above) {
    violators_.front().features.push_back(j);
    violators_.front().c.push_back(mine.c[j]);
    violators_.front().error = std::max(violators_.front().error, mine.slack[j]);
  }
  collect_candidates();
  return {};
}

/// Columns whose estimate is at least ScreeningQuery::strong times the weight that they would have behind what is
/// active.
void SlopeScreen::collect_candidates() {
  candidates_.clear();
  if (!(query_.strong < kInfinity)) return;
  const Vec& weights = penalty_.sorted_weights();
  const auto outside = outside_by(estimates_, query_.strong * weights[weights.size() - 1]);
  for (std::size_t r = 0; r < outside.size(); ++r) {
    const Index place = std::min(query_.n_active + static_cast<Index>(r), weights.size() - 1);
    if (outside[r].first >= query_.strong * weights[place]) candidates_.push_back(outside[r]);
  }
}

}  // namespace riata
