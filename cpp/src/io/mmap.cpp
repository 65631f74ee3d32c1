#include "riata/io/mmap.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include "riata/error.hpp"

#ifdef _WIN32
#ifndef NOMINMAX
#define NOMINMAX
#endif
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>
#else
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#endif

namespace riata {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& reason) {
  throw FileError("cannot read '" + path + "': " + reason);
}

#ifdef _WIN32

[[noreturn]] void fail_with_system_reason(const std::string& path) {
  fail(path, std::system_category().message(static_cast<int>(GetLastError())));
}

struct Handle {
  HANDLE value;
  explicit Handle(HANDLE h) : value(h) {}
  ~Handle() {
    if (value != nullptr && value != INVALID_HANDLE_VALUE) CloseHandle(value);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
};

std::wstring wide(const std::string& utf8) {
  const int bytes = static_cast<int>(utf8.size());
  const int length = MultiByteToWideChar(CP_UTF8, 0, utf8.data(), bytes, nullptr, 0);
  std::wstring text(static_cast<std::size_t>(length), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, utf8.data(), bytes, text.data(), length);
  return text;
}

const std::uint8_t* map_file(const std::string& path, std::size_t& size) {
  const Handle file(CreateFileW(wide(path).c_str(), GENERIC_READ, FILE_SHARE_READ, nullptr, OPEN_EXISTING,
                                FILE_ATTRIBUTE_NORMAL, nullptr));
  if (file.value == INVALID_HANDLE_VALUE) fail_with_system_reason(path);
  LARGE_INTEGER bytes;
  if (!GetFileSizeEx(file.value, &bytes)) fail_with_system_reason(path);
  size = static_cast<std::size_t>(bytes.QuadPart);
  if (size == 0) return nullptr;
  const Handle mapping(CreateFileMappingW(file.value, nullptr, PAGE_READONLY, 0, 0, nullptr));
  if (mapping.value == nullptr) fail_with_system_reason(path);
  const void* data = MapViewOfFile(mapping.value, FILE_MAP_READ, 0, 0, 0);  // the view keeps the mapping alive
  if (data == nullptr) fail_with_system_reason(path);
  return static_cast<const std::uint8_t*>(data);
}

void unmap(const std::uint8_t* data, std::size_t) {
  if (data != nullptr) UnmapViewOfFile(data);
}

#else

[[noreturn]] void fail_with_system_reason(const std::string& path) {
  fail(path, std::generic_category().message(errno));
}

struct Descriptor {
  int value;
  explicit Descriptor(int fd) : value(fd) {}
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
};

const std::uint8_t* map_file(const std::string& path, std::size_t& size) {
  // A pipe is to be refused, not waited for.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.value < 0) fail_with_system_reason(path);
  struct stat status{};
  if (::fstat(file.value, &status) != 0) fail_with_system_reason(path);
  if (!S_ISREG(status.st_mode)) fail(path, "not a regular file");
  size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return nullptr;
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.value, 0);
  if (data == MAP_FAILED) fail_with_system_reason(path);
  return static_cast<const std::uint8_t*>(data);
}

void unmap(const std::uint8_t* data, std::size_t size) {
  if (data != nullptr) ::munmap(const_cast<std::uint8_t*>(data), size);
}

#endif

}  // namespace

MappedFile::MappedFile(const std::string& path) {
  data_ = map_file(path, size_);
}

MappedFile::~MappedFile() {
  unmap(data_, size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

void MappedFile::expect([[maybe_unused]] Access access) const {
#ifndef _WIN32
  const int advice = access == Access::sequential ? POSIX_MADV_SEQUENTIAL : POSIX_MADV_NORMAL;
  if (data_ != nullptr) ::posix_madvise(const_cast<std::uint8_t*>(data_), size_, advice);
#endif
}

void MappedFile::will_need([[maybe_unused]] std::size_t offset, [[maybe_unused]] std::size_t length) const {
#ifndef _WIN32
  if (offset >= size_) return;
  const std::size_t page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t first = offset / page * page;
  const std::size_t last = offset + std::min(length, size_ - offset);
  ::posix_madvise(const_cast<std::uint8_t*>(data_) + first, last - first, POSIX_MADV_WILLNEED);
#endif
}

}  // namespace riata
