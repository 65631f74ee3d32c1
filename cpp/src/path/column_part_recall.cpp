#include <algorithm>
#include <cassert>
#include <utility>

#include "parallel.hpp"
#include "path/column_part.hpp"

namespace riata {
namespace {

// Columns of a piece that are read against as many blocks as there may be, with sides that are unpacked for each piece.
constexpr Index kLeastPiece = 48, kMostPiece = 4080, kPiecesAThread = 4;

}  // namespace

HeldNumbers ColumnPart::numbers(Index problem, std::vector<Index> columns) const {
  const ColumnScreen& mine = *screens_[static_cast<std::size_t>(problem)];
  HeldNumbers out;
  out.columns = std::move(columns);
  const std::size_t width = static_cast<std::size_t>(HeldNumbers::kEach * mine.outputs());
  out.numbers.resize(out.columns.size() * width);
  for (std::size_t k = 0; k < out.columns.size(); ++k) {
    mine.copy_numbers(out.columns[k], out.numbers.data() + k * width);
    out.columns[k] -= first_;
  }
  return out;
}

void ColumnPart::restore(Index problem, const std::vector<ReferenceColumns::Numbers>& numbers, Index first) {
  ColumnScreen& mine = screen(problem);
  std::vector<float> all(numbers.size() * static_cast<std::size_t>(HeldNumbers::kEach));
  const std::vector<std::uint8_t>& block = numbers.front().block;
  const Index last = std::min(first + static_cast<Index>(block.size()), last_);
  for (Index j = std::max(first, first_); j < last; ++j) {
    const std::size_t i = static_cast<std::size_t>(j - first);
    float* to = all.data();
    for (const ReferenceColumns::Numbers& each : numbers) {
      each.copy(i, to);
      to += HeldNumbers::kEach;
    }
    mine.restore(j, block[i], all.data());
  }
}

void ColumnPart::recall(std::span<const Recall> recalls, std::span<const Index> problems) {
  const Index p = last_ - first_;
  const Index piece = std::clamp(p / (kPiecesAThread * threads_), kLeastPiece, kMostPiece);
  parallel_for((p + piece - 1) / piece, threads_, [&](Index c) {
    const Index first = first_ + c * piece, last = std::min(first + piece, last_);
    for (std::size_t k = 0; k < recalls.size(); ++k) recall_piece(recalls[k], problems[k], first, last);
  });
  for (std::size_t k = 0; k < recalls.size(); ++k) {
    const HeldNumbers& held = recalls[k].held;
    if (held.columns.empty()) continue;
    ColumnScreen& mine = screen(problems[k]);
    const std::size_t width = held.numbers.size() / held.columns.size();
    for (std::size_t i = 0; i < held.columns.size(); ++i) {
      const std::uint8_t marks = recalls[k].marks[static_cast<std::size_t>(held.columns[i])];
      const auto block = static_cast<std::uint8_t>(marks & mark::kBlock);
      mine.restore(first_ + held.columns[i], block, held.numbers.data() + i * width);
    }
  }
}

/// Reads columns first .. last - 1 once more, each against its block.
void ColumnPart::recall_piece(const Recall& recall, Index problem, Index first, Index last) {
  std::vector<std::vector<Index>> of_block(recall.blocks.size() + 1);
  for (Index j = first; j < last; ++j) {
    const std::uint8_t marks = recall.marks[static_cast<std::size_t>(j - first_)];
    if ((marks & mark::kHeld) == 0) of_block[marks & mark::kBlock].push_back(j);
  }
  for (std::size_t b = 1; b < of_block.size(); ++b) {
    if (of_block[b].empty()) continue;
    const PackedSides& sides = recall.blocks[b - 1];
    ReadingPlan plan = sides.plan;
    for (ReferenceSubspace::OpenBlock& each : plan.open) each.number = static_cast<std::uint8_t>(b);
    screen(problem).recall(plan, of_block[b], products_of(sides, problem, of_block[b]));
  }
}

/// As they came when they were read: with the same sides, all of a problem together.
Mat ColumnPart::products_of(const PackedSides& sides, Index problem, Columns columns) const {
  if (sides.of_null) return null_products(sides.plan, problem, columns);
  Mat out(static_cast<Index>(columns.size()), sides.count);
  if (sides.coded()) {
    rounded_.correlate(columns, sides.for_copy(), out);
  } else if (sides.plan.rounded) {
    rounded_.correlate(columns, {sides.sides.unpacked(), {}, {}, {}}, out);
  } else {
    X_.correlate(columns, sides.sides.unpacked(), out, 1);
  }
  return out;
}

}  // namespace riata
