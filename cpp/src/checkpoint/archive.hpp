#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "io/atomic_file.hpp"
#include "io/digest.hpp"
#include "riata/io/mmap.hpp"
#include "riata/types.hpp"

namespace riata {

/// Writing and reading the state of an object in one place: its
///   template <class Archive> void state(Archive& archive) { archive(first_, second_, ...); }
/// hands over what the object holds to either of the two archives below. Numbers and structs of numbers, Eigen's
/// matrices, strings, pairs and standard sequences of all these go by themselves. Files are for the machine that wrote
/// them: byte order and sizes are its own.
///
/// What an object works on, of no use from one call to the next, is handed over by archive.rooms(scratch_, ...): its
/// size alone is kept, so that who goes on from a file holds as much as who wrote it, and is counted.
template <class Archive, class T>
void transfer(Archive& archive, T& value) {
  if constexpr (requires { value.state(archive); }) {
    value.state(archive);
  } else if constexpr (std::is_trivially_copyable_v<T>) {
    static_assert(!std::is_pointer_v<T>);
    archive.bytes(&value, sizeof value);
  } else if constexpr (requires { value.first; }) {
    archive(value.first, value.second);
  } else if constexpr (requires { typename T::PlainObject; }) {
    Index rows = value.rows(), cols = value.cols();
    archive(rows, cols);
    if constexpr (Archive::reading) value.resize(rows, cols);
    archive.bytes(value.data(), static_cast<std::size_t>(value.size()) * sizeof(typename T::Scalar));
  } else {
    std::size_t size = value.size();
    archive(size);
    if constexpr (Archive::reading && requires { value.resize(size); }) value.resize(size);
    using Element = typename T::value_type;
    if constexpr (std::is_trivially_copyable_v<Element> && requires { value.data(); }) {
      archive.bytes(value.data(), size * sizeof(Element));
    } else {
      for (Element& element : value) transfer(archive, element);
    }
  }
}

/// The same for room whose contents are of no use; of an object with parts by a member `rooms(archive)`.
template <class Archive, class T>
void transfer_room(Archive& archive, T& value) {
  if constexpr (requires { value.rooms(archive); }) {
    value.rooms(archive);
  } else if constexpr (requires { typename T::PlainObject; }) {
    Index size = value.size();
    archive(size);
    if constexpr (Archive::reading) value.resize(size, 1);
    if constexpr (Archive::counting)
      archive.bytes(nullptr, static_cast<std::size_t>(size) * sizeof(typename T::Scalar));
  } else {
    std::size_t room = value.capacity(), size = value.size();  // both decide how it grows
    archive(room, size);
    if constexpr (Archive::reading) {
      value.reserve(room);
      value.resize(size);
    }
    if constexpr (Archive::counting) archive.bytes(nullptr, room * sizeof(typename T::value_type));
  }
}

/// Room of a vector beyond what it holds.
template <class Archive, class T>
void transfer_slack(Archive& archive, std::vector<T>& value) {
  std::size_t size = value.capacity();
  archive(size);
  if constexpr (Archive::reading) value.reserve(size);
  if constexpr (Archive::counting) archive.bytes(nullptr, (size - value.size()) * sizeof(T));
}

/// Writes to a file that replaces what was there when it is finished, and not before.
class ArchiveWriter {
 public:
  static constexpr bool reading = false, counting = false;
  explicit ArchiveWriter(const std::string& path);

  template <class... T>
  void operator()(T&... values) {
    (transfer(*this, values), ...);
  }
  template <class... T>
  void rooms(T&... values) {
    (transfer_room(*this, values), ...);
  }
  template <class T>
  void slack(std::vector<T>& value) {
    transfer_slack(*this, value);
  }
  void bytes(const void* data, std::size_t size);
  void finish();

 private:
  void flush();

  AtomicFile file_;
  Digest digest_;
  std::vector<char> buffer_;
  std::size_t used_ = 0, size_ = 0;  // of the buffer; what has left it
};

/// Counts the bytes of an object's state and rooms: what it holds, but for what is made again from X.
class ArchiveCounter {
 public:
  static constexpr bool reading = false, counting = true;

  template <class... T>
  void operator()(T&... values) {
    (transfer(*this, values), ...);
  }
  template <class... T>
  void rooms(T&... values) {
    (transfer_room(*this, values), ...);
  }
  template <class T>
  void slack(std::vector<T>& value) {
    transfer_slack(*this, value);
  }
  void bytes(const void*, std::size_t size) { total_ += size; }
  double total() const { return static_cast<double>(total_); }

 private:
  std::size_t total_ = 0;
};

/// Reads what ArchiveWriter has written. Throws FileError when the file cannot be read, is none of these, or is not as
/// it was written.
class ArchiveReader {
 public:
  static constexpr bool reading = true, counting = false;
  explicit ArchiveReader(const std::string& path);

  template <class... T>
  void operator()(T&... values) {
    (transfer(*this, values), ...);
  }
  template <class... T>
  void rooms(T&... values) {
    (transfer_room(*this, values), ...);
  }
  template <class T>
  void slack(std::vector<T>& value) {
    transfer_slack(*this, value);
  }
  void bytes(void* data, std::size_t size);
  /// Everything has been asked for.
  void finish() const;

 private:
  [[noreturn]] void refuse() const;

  std::string path_;
  MappedFile file_;
  std::size_t at_ = 0, end_ = 0;
};

}  // namespace riata
