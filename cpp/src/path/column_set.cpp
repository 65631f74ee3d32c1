#include "path/column_set.hpp"

#include <algorithm>
#include <stdexcept>

namespace riata {
namespace {

constexpr unsigned kMore = 0x80;  // another piece follows
constexpr unsigned kMostShift = 56;

}  // namespace

ColumnSet::ColumnSet(std::span<const Index> columns, Index size) {
  const std::size_t most = static_cast<std::size_t>((size + 7) / 8);
  Index next = 0;
  for (const Index j : columns) {
    for (Index gap = j - next; bytes_.size() < most;) {
      const unsigned low = static_cast<unsigned>(gap) & (kMore - 1);
      gap >>= 7;
      bytes_.push_back(static_cast<std::uint8_t>(low | (gap > 0 ? kMore : 0)));
      if (gap == 0) break;
    }
    if (bytes_.size() >= most) break;
    next = j + 1;
  }
  bits_ = bytes_.size() >= most && most > 0;
  if (!bits_) return;
  bytes_.assign(most, 0);
  for (const Index j : columns) bytes_[static_cast<std::size_t>(j / 8)] |= static_cast<std::uint8_t>(1u << (j % 8));
}

std::vector<Index> ColumnSet::columns(Index size) const {
  std::vector<Index> out;
  if (bits_) {
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
      for (Index bit = 0; bit < 8; ++bit) {
        if ((bytes_[i] >> bit & 1) != 0) out.push_back(8 * static_cast<Index>(i) + bit);
      }
    }
  } else {
    std::uint64_t gap = 0;
    Index next = 0;
    unsigned shift = 0;
    for (const std::uint8_t byte : bytes_) {
      if (shift > kMostShift) throw std::invalid_argument("columns that were read must be in the part");
      gap |= static_cast<std::uint64_t>(byte & (kMore - 1)) << shift;
      shift += 7;
      if ((byte & kMore) != 0) continue;
      if (gap >= static_cast<std::uint64_t>(std::max<Index>(size - next, 0))) {
        throw std::invalid_argument("columns that were read must be in the part");
      }
      out.push_back(next + static_cast<Index>(gap));
      next = out.back() + 1;
      gap = 0;
      shift = 0;
    }
  }
  if (!out.empty() && out.back() >= size) throw std::invalid_argument("columns that were read must be in the part");
  return out;
}

}  // namespace riata
