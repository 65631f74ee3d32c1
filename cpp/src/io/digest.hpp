#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string_view>

namespace riata {

/// 64 bits that tell different bytes apart, taken eight at a time: against accidents, not against forgers. Bytes may
/// come in parts of a multiple of eight.
class Digest {
 public:
  void add(std::uint64_t word) {
    state_ = (state_ ^ word) * 0x9e3779b97f4a7c15u;
    state_ ^= state_ >> 32;
  }
  void add(const void* data, std::size_t size) {
    const char* at = static_cast<const char*>(data);
    std::uint64_t word = 0;
    for (; size >= sizeof word; at += sizeof word, size -= sizeof word) {
      std::memcpy(&word, at, sizeof word);
      add(word);
    }
    if (size == 0) return;
    word = static_cast<std::uint64_t>(size) << 56;
    std::memcpy(&word, at, size);
    add(word);
  }
  std::uint64_t value() const { return state_; }

  static std::uint64_t of(std::string_view word, std::initializer_list<std::uint64_t> numbers = {}) {
    Digest digest;
    for (const std::uint64_t number : numbers) digest.add(number);
    digest.add(word.data(), word.size());
    return digest.value();
  }

 private:
  std::uint64_t state_ = 0x6a09e667f3bcc908u;
};

}  // namespace riata
