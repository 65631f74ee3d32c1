#include "path/recall.hpp"

#include <algorithm>
#include <utility>

namespace riata {
namespace {

std::uint8_t without(std::uint8_t marks, unsigned flags) {
  return static_cast<std::uint8_t>(marks & ~flags);
}

/// What columns remember are products with the basis of their block: sides beside it, which a round of several lambdas
/// has, are of no more use.
PackedSides basis_of(PackedSides sides) {
  ReadingPlan& plan = sides.plan;
  std::vector<Index> kept, begin{0};
  for (std::size_t k = 0; k < plan.open.size(); ++k) {
    for (Index q = 0; q < plan.open[k].size; ++q) kept.push_back(plan.begin[k] + q);
    begin.push_back(static_cast<Index>(kept.size()));
  }
  if (begin == plan.begin) return sides;
  const Index last = plan.coordinates.cols() - 1;
  plan.begin = std::move(begin);
  plan.sums = Vec(plan.sums(kept));
  plan.coordinates = Mat(plan.coordinates(kept, Eigen::seqN(last, 1)));
  plan.replaced = Mat(plan.replaced.col(last));
  if (sides.coded()) {
    const auto rows = static_cast<std::ptrdiff_t>(sides.codes.size()) / sides.count;
    std::vector<std::int16_t> codes;
    codes.reserve(static_cast<std::size_t>(rows) * kept.size());
    for (const Index q : kept) {
      codes.insert(codes.end(), sides.codes.begin() + q * rows, sides.codes.begin() + (q + 1) * rows);
    }
    sides.codes = std::move(codes);
    sides.step = Vec(sides.step(kept));
    sides.sum = Vec(sides.sum(kept));
  } else {
    sides.sides = sides.sides.some(kept);
  }
  sides.count = static_cast<Index>(kept.size());
  return sides;
}

}  // namespace

Recall Recall::part(Index first, Index last) const {
  Recall out;
  out.marks.assign(marks.begin() + first, marks.begin() + last);
  const auto from = std::lower_bound(held.columns.begin(), held.columns.end(), first);
  const auto to = std::lower_bound(from, held.columns.end(), last);
  if (from == to) return out;
  const auto each = static_cast<std::ptrdiff_t>(held.numbers.size() / held.columns.size());
  for (auto at = from; at != to; ++at) {
    if ((marks[static_cast<std::size_t>(*at)] & mark::kHeld) == 0) continue;
    out.held.columns.push_back(*at - first);
    const auto numbers = held.numbers.begin() + (at - held.columns.begin()) * each;
    out.held.numbers.insert(out.held.numbers.end(), numbers, numbers + each);
  }
  return out;
}

void RecallRecord::move(std::span<const Index> into_work, std::span<const Index> out_of_work) {
  for (const Index j : out_of_work) {
    std::uint8_t& mine = known_.marks[static_cast<std::size_t>(j)];
    mine = without(mine, mark::kInside);
  }
  for (const Index j : into_work) known_.marks[static_cast<std::size_t>(j)] |= mark::kInside;
}

void RecallRecord::open(PackedSides sides, Index forgotten) {
  if (forgotten > 0) {
    const Index gone = std::min(forgotten, static_cast<Index>(known_.blocks.size()));
    known_.blocks.erase(known_.blocks.begin(), known_.blocks.begin() + gone);
    for (std::uint8_t& each : known_.marks) {
      const bool stays = (each & mark::kBlock) > forgotten;
      each = stays ? static_cast<std::uint8_t>(each - forgotten) : static_cast<std::uint8_t>(each & mark::kInside);
    }
  }
  known_.blocks.resize(sides.plan.open.front().number - 1u);  // of some there may be none: see hold_all()
  known_.blocks.push_back(basis_of(std::move(sides)));
}

void RecallRecord::read(Index column) {
  std::uint8_t& mine = known_.marks[static_cast<std::size_t>(column)];
  mine = static_cast<std::uint8_t>((mine & mark::kInside) | known_.blocks.size());
}

void RecallRecord::hold(const HeldNumbers& numbers) {
  if (numbers.columns.empty()) return;
  for (const Index j : numbers.columns) known_.marks[static_cast<std::size_t>(j)] |= mark::kHeld;
  // Those of other columns stay; these are put where they belong.
  HeldNumbers all;
  const auto take = [&](const HeldNumbers& from, std::size_t k) {
    all.columns.push_back(from.columns[k]);
    const auto at = from.numbers.begin() + static_cast<Index>(k) * width();
    all.numbers.insert(all.numbers.end(), at, at + width());
  };
  const HeldNumbers& old = known_.held;
  std::size_t next = 0;
  for (std::size_t k = 0; k < numbers.columns.size(); ++k) {
    const Index j = numbers.columns[k];
    for (; next < old.columns.size() && old.columns[next] < j; ++next) take(old, next);
    if (next < old.columns.size() && old.columns[next] == j) ++next;
    take(numbers, k);
  }
  for (; next < old.columns.size(); ++next) take(old, next);
  known_.held = std::move(all);
}

void RecallRecord::hold_all(const std::vector<ReferenceColumns::Numbers>& numbers, Index first) {
  const std::vector<std::uint8_t>& blocks = numbers.front().block;
  HeldNumbers& held = known_.held;
  for (std::size_t j = 0; j < blocks.size(); ++j) {
    if (blocks[j] == 0) continue;
    held.columns.push_back(first + static_cast<Index>(j));
    held.numbers.resize(held.numbers.size() + static_cast<std::size_t>(width()));
    float* to = held.numbers.data() + held.numbers.size() - width();
    for (const ReferenceColumns::Numbers& each : numbers) {
      each.copy(j, to);
      to += HeldNumbers::kEach;
    }
    known_.marks[static_cast<std::size_t>(first) + j] = blocks[j] | mark::kHeld;
  }
}

/// Of columns that have been read again, or not for long.
void RecallRecord::drop_stale() {
  known_.held = known_.part(0, static_cast<Index>(known_.marks.size())).held;
}

}  // namespace riata
