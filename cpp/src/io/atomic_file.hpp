#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace riata {

/// A file that appears whole or not at all: written beside its destination under the name PATH.part, forced onto the
/// disk, then renamed over what was there. A leftover or a link under the name PATH.part is removed, and never written
/// to; where another process is writing that file it is left alone. Throws FileError with the path and the system's
/// reason.
class AtomicFile {
 public:
  /// `path` is UTF-8.
  explicit AtomicFile(const std::string& path);
  /// Removes what was not committed.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, std::size_t size);
  void commit();

 private:
  [[noreturn]] void fail(const std::string& reason) const;

  std::string name_;  // of the destination, for messages
  std::filesystem::path target_, aside_;
  int file_ = -1;
};

/// A path from its UTF-8 name.
std::filesystem::path path_of(const std::string& utf8);

}  // namespace riata
