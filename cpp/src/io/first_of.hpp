#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "riata/types.hpp"

/// Finding the first of equal items, for tables and genotypes with many.
namespace riata {

/// A hash of words, one at a time, the same on every run.
inline std::uint64_t hash_word(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
  return hash ^ hash >> 29;
}

inline std::uint64_t hash_bytes(std::string_view bytes) {
  std::uint64_t hash = bytes.size();
  for (; !bytes.empty(); bytes.remove_prefix(std::min<std::size_t>(8, bytes.size()))) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), std::min<std::size_t>(8, bytes.size()));
    hash = hash_word(hash, word);
  }
  return hash;
}

/// A hash table of items numbered from 0, by open addressing; it holds their numbers alone.
class FirstOf {
 public:
  explicit FirstOf(Index items) : slots_(std::bit_ceil(static_cast<std::size_t>(2 * items + 2)), kNone) {}

  /// The item for which same(item) holds among those of this hash, or -1.
  template <class Same>
  Index find(std::uint64_t hash, const Same& same) const {
    const std::uint32_t found = slots_[place(hash, same)];
    return found == kNone ? -1 : Index{found};
  }

  /// The same, after putting `item` there when there is none.
  template <class Same>
  Index find_or_add(std::uint64_t hash, Index item, const Same& same) {
    std::uint32_t& slot = slots_[place(hash, same)];
    if (slot != kNone) return Index{slot};
    slot = static_cast<std::uint32_t>(item);
    return -1;
  }

 private:
  static constexpr std::uint32_t kNone = 0xffffffffu;

  template <class Same>
  std::size_t place(std::uint64_t hash, const Same& same) const {
    std::size_t at = hash >> (64 - std::countr_zero(slots_.size()));  // the upper bits depend on all of a word
    while (slots_[at] != kNone && !same(Index{slots_[at]})) at = (at + 1) & (slots_.size() - 1);
    return at;
  }

  std::vector<std::uint32_t> slots_;
};

}  // namespace riata
