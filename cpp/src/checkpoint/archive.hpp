#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "io/atomic_file.hpp"
#include "io/digest.hpp"
#include "io/transfer.hpp"
#include "riata/io/mmap.hpp"

namespace riata {

/// What an object works on, of no use from one call to the next, is handed over by archive.rooms(scratch_, ...): its
/// size alone is kept, so that who goes on from a file holds as much as who wrote it, and is counted. Of an object with
/// parts it goes by a member `rooms(archive)`.
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
