#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace riata {

/// A whole file seen as read-only bytes, paged in by the system as they are touched.
/// The file must not shrink while it is mapped.
class MappedFile {
 public:
  /// `path` is UTF-8. Throws FileError with the path and the system's reason when it is not a readable regular file.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  /// Null for an empty file.
  const std::uint8_t* data() const { return data_; }
  std::size_t size() const { return size_; }

  /// Hints to the system; they never fail. `expect` tells how the file is going to be read; `will_need` starts to
  /// read `length` bytes from `offset` (clipped to the file) ahead of their use.
  enum class Access { any, sequential };
  void expect(Access access) const;
  void will_need(std::size_t offset, std::size_t length) const;

 private:
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace riata
