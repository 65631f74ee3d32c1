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

#include "io/bus_errors.hpp"
#endif

namespace riata {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& reason) {
  throw FileError("cannot read '" + path + "': " + reason);
}

}  // namespace

#ifdef _WIN32

namespace {

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

std::uint64_t joined(DWORD high, DWORD low) {
  return std::uint64_t{high} << 32 | low;
}

}  // namespace

struct MappedFile::Opened {
  FileIdentity identity;
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;

  explicit Opened(const std::string& path) {
    constexpr std::int64_t kEpoch = 116444736000000000;  // of Unix, in units of 100 ns since 1601
    const Handle file(CreateFileW(wide(path).c_str(), GENERIC_READ, FILE_SHARE_READ, nullptr, OPEN_EXISTING,
                                  FILE_ATTRIBUTE_NORMAL, nullptr));
    if (file.value == INVALID_HANDLE_VALUE) fail_with_system_reason(path);
    BY_HANDLE_FILE_INFORMATION about;
    if (!GetFileInformationByHandle(file.value, &about)) fail_with_system_reason(path);
    size = static_cast<std::size_t>(joined(about.nFileSizeHigh, about.nFileSizeLow));
    const FILETIME written = about.ftLastWriteTime;
    identity = {about.dwVolumeSerialNumber, joined(about.nFileIndexHigh, about.nFileIndexLow),
                static_cast<std::int64_t>(size),
                (static_cast<std::int64_t>(joined(written.dwHighDateTime, written.dwLowDateTime)) - kEpoch) * 100};
    if (size == 0) return;
    const Handle mapping(CreateFileMappingW(file.value, nullptr, PAGE_READONLY, 0, 0, nullptr));
    if (mapping.value == nullptr) fail_with_system_reason(path);
    // The view keeps the mapping alive, and the file from being written to.
    data = static_cast<const std::uint8_t*>(MapViewOfFile(mapping.value, FILE_MAP_READ, 0, 0, 0));
    if (data == nullptr) fail_with_system_reason(path);
  }
  ~Opened() {
    if (data != nullptr) UnmapViewOfFile(data);
  }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
};

void MappedFile::check() const {}

FileIdentity MappedFile::identity() const {
  return opened_->identity;
}

#else

namespace {

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

struct stat status_of(int file, const std::string& path) {
  struct stat status{};
  if (::fstat(file, &status) != 0) fail_with_system_reason(path);
  return status;
}

#ifdef __APPLE__
std::int64_t modified(const struct stat& status) {
  return std::int64_t{status.st_mtimespec.tv_sec} * 1000000000 + status.st_mtimespec.tv_nsec;
}
#else
std::int64_t modified(const struct stat& status) {
  return std::int64_t{status.st_mtim.tv_sec} * 1000000000 + status.st_mtim.tv_nsec;
}
#endif

}  // namespace

struct MappedFile::Opened {
  Descriptor file;
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  bus_errors::Range watched = -1;

  // A pipe is to be refused, not waited for.
  explicit Opened(const std::string& path) : file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (file.value < 0) fail_with_system_reason(path);
    const struct stat status = status_of(file.value, path);
    if (!S_ISREG(status.st_mode)) fail(path, "not a regular file");
    size = static_cast<std::size_t>(status.st_size);
    if (size == 0) return;
    void* const mapped = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.value, 0);
    if (mapped == MAP_FAILED) fail_with_system_reason(path);
    data = static_cast<const std::uint8_t*>(mapped);
    watched = bus_errors::watch(data, size);
  }
  ~Opened() {
    if (data == nullptr) return;
    bus_errors::forget(watched);
    ::munmap(const_cast<std::uint8_t*>(data), size);
  }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
};

void MappedFile::check() const {
  const struct stat status = status_of(opened_->file.value, path_);
  if (static_cast<std::size_t>(status.st_size) != size_)
    fail(path_, "it had " + std::to_string(size_) + " bytes and has " + std::to_string(status.st_size) +
                    " now: it must not change while it is in use");
  if (bus_errors::happened(opened_->watched))
    fail(path_, "part of it could not be read: the disk fails, or the file was cut short for a while");
}

FileIdentity MappedFile::identity() const {
  const struct stat status = status_of(opened_->file.value, path_);
  return {static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino),
          static_cast<std::int64_t>(status.st_size), modified(status)};
}

#endif

MappedFile::MappedFile(const std::string& path) : path_(path), opened_(std::make_unique<Opened>(path)) {
  data_ = opened_->data;
  size_ = opened_->size;
}

MappedFile::~MappedFile() = default;

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      opened_(std::move(other.opened_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(opened_, other.opened_);
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
