#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "riata/types.hpp"

namespace riata {

/// Some columns of a range, on their way to another process in few bytes: a bit a column of the range, or about a byte
/// a column of the set where those are fewer.
class ColumnSet {
 public:
  ColumnSet() = default;
  /// `columns` in increasing order, of 0 .. size - 1.
  ColumnSet(std::span<const Index> columns, Index size);

  /// The columns, in increasing order. Throws std::invalid_argument where they are not below `size`.
  std::vector<Index> columns(Index size) const;

  /// See io/transfer.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(bits_, bytes_);
  }

 private:
  bool bits_ = false;
  std::vector<std::uint8_t> bytes_;  // bits, or differences in pieces of 7 bits
};

}  // namespace riata
