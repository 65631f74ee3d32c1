#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "certify/reference_columns.hpp"
#include "kernel/bounds.hpp"
#include "path/packed_sides.hpp"

/// What is known of columns outside the working set, told in few bytes to who can read them again.
namespace riata {

/// What is known of a column, in a byte: the block of residuals that it was read against last (0: none), and flags.
namespace mark {
inline constexpr std::uint8_t kBlock = kMaxBlocks - 1;
inline constexpr std::uint8_t kInside = 0x40;  // in the working set
inline constexpr std::uint8_t kHeld = 0x80;    // its numbers are among HeldNumbers
static_assert(kBlock < kInside && (kMaxBlocks & kBlock) == 0);
}  // namespace mark

/// What columns remember (ReferenceColumns), where sides that are kept do not give it again.
struct HeldNumbers {
  static constexpr Index kEach = kMaxBasis + 1;  // numbers of a column, for each output
  std::vector<Index> columns;                    // in increasing order
  std::vector<float> numbers;

  /// See io/transfer.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(columns, numbers);
  }
};

/// What one problem knows of a range of columns.
struct Recall {
  std::vector<PackedSides> blocks;  // from number 1 on, the bases alone
  std::vector<std::uint8_t> marks;  // of each column
  HeldNumbers held;

  /// Of columns first .. last - 1 alone, numbered from 0, without the blocks.
  Recall part(Index first, Index last) const;

  /// See io/transfer.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(blocks, marks, held);
  }
};

/// Keeps a Recall of all columns up to date with what was read.
class RecallRecord {
 public:
  RecallRecord(Index columns, Index outputs)
      : outputs_(outputs), known_{{}, std::vector<std::uint8_t>(static_cast<std::size_t>(columns), 0), {}} {}

  Recall& known() { return known_; }
  void move(std::span<const Index> into_work, std::span<const Index> out_of_work);
  /// A new block, once so many of the oldest are forgotten.
  void open(PackedSides sides, Index forgotten);
  /// A column was read against it.
  void read(Index column);
  /// Numbers of columns that were read once more, with other sides than those of the block; all of them came in read().
  void hold(const HeldNumbers& numbers);

  /// What is known of columns from `first` on that were read, all as the numbers of each output tell.
  void hold_all(const std::vector<ReferenceColumns::Numbers>& numbers, Index first);

  /// See io/transfer.hpp. move() gives the rest.
  template <class Archive>
  void state(Archive& archive) {
    drop_stale();
    archive(known_);
    if constexpr (Archive::reading) {
      for (std::uint8_t& each : known_.marks) each &= static_cast<std::uint8_t>(~mark::kInside);
    }
  }

 private:
  void drop_stale();
  Index width() const { return HeldNumbers::kEach * outputs_; }

  Index outputs_;
  Recall known_;
};

}  // namespace riata
