#include "certify/separable_screen.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "parallel.hpp"

namespace riata {

std::vector<Candidate> SeparableScreen::estimate_candidates(const ScreeningQuery& query) {
  query_ = query;
  std::vector<Candidate> out;
  std::vector<std::uint8_t> flags(static_cast<std::size_t>(size()));
  screen(kInfinity, full_working_set_ ? 0.0 : query.strong / penalty_.l1_ratio(), 0, flags);
  for (Index i = 0; i < size(); ++i) {
    const Index j = first_ + i;
    if (flags[static_cast<std::size_t>(i)] != 0) out.push_back({estimate(j) / penalty_.factor(j), j});
  }
  return out;
}

/// ReferenceColumns::decide() for what is held against the limits: |c|, the largest of K, or their norm. `begin` is
/// counted from the first column of the range.
void SeparableScreen::screen(double threshold, double promising, Index begin, std::span<std::uint8_t> flags) const {
  reference_[0].decide(query_.residual[0], threshold, promising, begin, flags);
  if (outputs_ == 1) return;
  if (penalty_.kind() == PenaltyKind::kRows) return screen_rows(threshold, promising, begin, flags);
  std::vector<std::uint8_t> other(flags.size());
  for (std::size_t k = 1; k < reference_.size(); ++k) {
    reference_[k].decide(query_.residual[k], threshold, promising, begin, other);
    for (std::size_t i = 0; i < flags.size(); ++i) {
      if (flags[i] != kUndecided && other[i] != 0) flags[i] = other[i];
    }
  }
}

void SeparableScreen::screen_rows(double threshold, double promising, Index begin,
                                  std::span<std::uint8_t> flags) const {
  double scale = 0.0;  // taken out of the squares
  for (std::size_t k = 0; k < reference_.size(); ++k) scale = std::max(scale, reference_[k].scale(query_.residual[k]));
  Vec bounds = Vec::Zero(static_cast<Index>(flags.size())), estimates = bounds;
  for (std::size_t k = 0; k < reference_.size() && scale > 0.0; ++k) {
    reference_[k].add_squares(query_.residual[k], begin, scale, bounds, estimates);
  }
  for (std::size_t i = 0; i < flags.size(); ++i) {
    const double limit = reference_[0].limit(begin + static_cast<Index>(i));
    const double bound = scale * std::sqrt(bounds[static_cast<Index>(i)]);
    const double guess = scale * std::sqrt(estimates[static_cast<Index>(i)]);
    if (limit < 0.0) {
      flags[i] = 0;
    } else {
      flags[i] = !(bound <= threshold * limit) ? kUndecided : guess >= promising * limit ? kPromising : 0;
    }
  }
}

/// What |c_j|, or what stands for it with several outputs, would be if the residual asked for lay in the span.
double SeparableScreen::estimate(Index j) const {
  Vec c(outputs_);
  for (Index k = 0; k < outputs_; ++k) {
    const std::size_t i = static_cast<std::size_t>(k);
    c[k] = reference_[i].estimate(query_.residual[i], j - first_);
  }
  return penalty_.size_of(c.data());
}

/// Those undecided are needed; of the others, those that may enter over the next batch become candidates.
void SeparableScreen::bound_columns() {
  const double lambda = query_.lambda;
  if (!(lambda < kInfinity)) return need_all();
  const double threshold = lambda * (1.0 - kBoundMargin), strong = query_.strong / penalty_.l1_ratio();
  const Index chunks = (size() + kScreenChunk - 1) / kScreenChunk;
  std::vector<std::vector<Index>> needed(static_cast<std::size_t>(chunks)), promising(needed);
  parallel_for(chunks, worth_threads(threads_, 4.0 * static_cast<double>(size() * outputs_)), [&](Index chunk) {
    const std::size_t i = static_cast<std::size_t>(chunk);
    const Index begin = chunk * kScreenChunk;
    std::array<std::uint8_t, kScreenChunk> held;
    const std::span<std::uint8_t> flags(held.data(), static_cast<std::size_t>(std::min(kScreenChunk, size() - begin)));
    screen(threshold, strong, begin, flags);
    for (std::size_t k = 0; k < flags.size(); ++k) {
      if (flags[k] == 0) continue;
      (flags[k] == kUndecided ? needed : promising)[i].push_back(first_ + begin + static_cast<Index>(k));
    }
  });
  for (const auto& mine : needed) columns_to_check_.insert(columns_to_check_.end(), mine.begin(), mine.end());
  for (const auto& mine : promising) {
    for (const Index j : mine) candidates_.push_back({estimate(j) / penalty_.factor(j), j});
  }
}

/// Sorts a column among those beyond their threshold at each lambda and, by the last, the candidates.
void SeparableScreen::classify(Index piece, Index j, std::span<const Vec> c, std::span<const Vec> slack) {
  Piece& mine = pieces_[static_cast<std::size_t>(piece)];
  double held = 0.0;
  for (std::size_t q = 0; q < round_.size(); ++q) {
    const double lambda = round_[q].lambda;
    held = penalty_.size_of(c[q].data());
    if (!(lambda < kInfinity ? penalty_.upper_size(c[q], slack[q]) > penalty_.entry(j, lambda).l1 : held != 0.0)) {
      continue;
    }
    if (plan_.rounded) {
      mine.again.push_back(j);
      return;
    }
    Violators& beyond = mine.violators[q];
    beyond.features.push_back(j);
    beyond.c.insert(beyond.c.end(), c[q].begin(), c[q].end());
    beyond.error = std::max(beyond.error, slack[q].maxCoeff());
  }
  if (held / penalty_.factor(j) >= query_.strong) mine.candidates.push_back({held / penalty_.factor(j), j});
}

std::vector<Index> SeparableScreen::finish_pass(std::span<const Index> /*read*/) {
  std::vector<Index> again;
  for (const Piece& piece : pieces_) {
    candidates_.insert(candidates_.end(), piece.candidates.begin(), piece.candidates.end());
    again.insert(again.end(), piece.again.begin(), piece.again.end());
    for (std::size_t q = 0; q < round_.size(); ++q) violators_[q].add(piece.violators[q]);
  }
  pieces_.clear();
  return again;
}

}  // namespace riata
