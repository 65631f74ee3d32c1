#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

/// Files as read-only bytes in memory.
namespace riata {

/// What tells a file from another, and its content now from that at another time. On Windows, where a file that is
/// open here cannot change, as it was when it was opened.
struct FileIdentity {
  std::uint64_t device = 0, inode = 0;
  std::int64_t bytes = 0;
  std::int64_t modified = 0;  // nanoseconds, of the system's clock for files

  bool operator==(const FileIdentity&) const = default;
};

/// A whole file seen as read-only bytes, paged in by the system as they are touched. It stays what it was when another
/// takes its name, or when it is deleted.
///
/// A file that is cut short while it is mapped, or that the disk cannot read, ends a program by SIGBUS. Here zeros
/// take the place of what is gone, by a handler of that signal which the first mapping installs, and `check` tells. The
/// handler passes on what concerns no mapping of this class.
class MappedFile {
 public:
  /// `path` is UTF-8. Throws FileError with the path and the system's reason when it is not a readable regular file.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::string& path() const { return path_; }
  /// Null for an empty file.
  const std::uint8_t* data() const { return data_; }
  std::size_t size() const { return size_; }

  /// Throws FileError when the file has another size than it had, or when some of it could not be read: what was read
  /// before is then not to be used.
  void check() const;
  /// Of the file that is mapped, whatever has its name by now.
  FileIdentity identity() const;

  /// Hints to the system; they never fail. `expect` tells how the file is going to be read; `will_need` starts to
  /// read `length` bytes from `offset` (clipped to the file) ahead of their use.
  enum class Access { any, sequential };
  void expect(Access access) const;
  void will_need(std::size_t offset, std::size_t length) const;

 private:
  struct Opened;  // what the system knows of it

  std::string path_;
  std::unique_ptr<Opened> opened_;
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace riata
