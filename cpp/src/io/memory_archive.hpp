#pragma once

#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "io/transfer.hpp"

namespace riata {

/// Writes to memory what is to be read again by MemoryReader, in another process it may be.
class MemoryWriter {
 public:
  static constexpr bool reading = false;

  template <class... T>
  void operator()(T&... values) {
    (transfer(*this, values), ...);
  }
  void bytes(const void* data, std::size_t size) { written_.append(static_cast<const char*>(data), size); }
  std::string take() { return std::move(written_); }

 private:
  std::string written_;
};

/// Reads what MemoryWriter has written: into memory of its own, so that matrices are aligned as any other, wherever the
/// bytes lie. Throws std::invalid_argument where there are fewer bytes than are asked for.
class MemoryReader {
 public:
  static constexpr bool reading = true;
  explicit MemoryReader(std::string_view written) : left_(written) {}

  template <class... T>
  void operator()(T&... values) {
    (transfer(*this, values), ...);
  }
  void bytes(void* data, std::size_t size) {
    if (size > left_.size()) refuse();
    if (size > 0) std::memcpy(data, left_.data(), size);
    left_.remove_prefix(size);
  }
  /// Throws where so many numbers of a size cannot follow.
  void expect(Index rows, Index cols, std::size_t each, bool vector = false) const {
    const Index most = static_cast<Index>(left_.size() / each);
    if (rows < 0 || cols < 0 || (vector && cols != 1) || (cols > 0 && rows > most / cols)) refuse();
  }
  std::string_view left() const { return left_; }

 private:
  [[noreturn]] static void refuse() {
    throw std::invalid_argument("a message between parts of X is shorter than what it holds");
  }

  std::string_view left_;
};

/// What from_bytes() makes the same values of.
template <class... T>
std::string to_bytes(T&... values) {
  MemoryWriter out;
  out(values...);
  return out.take();
}

template <class... T>
void from_bytes(std::string_view bytes, T&... values) {
  MemoryReader reader(bytes);
  reader(values...);
}

}  // namespace riata
