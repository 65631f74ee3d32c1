#include "io/atomic_file.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "riata/error.hpp"

#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#include <sys/stat.h>
#else
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace riata {
namespace {

constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;  // bytes a system takes in one call

std::string last_reason() {
  return std::generic_category().message(errno);
}

#ifdef _WIN32

int open_new(const std::filesystem::path& path) {
  return ::_wopen(path.c_str(), _O_BINARY | _O_CREAT | _O_TRUNC | _O_WRONLY, _S_IREAD | _S_IWRITE);
}
std::ptrdiff_t write_some(int file, const char* data, std::size_t size) {
  return ::_write(file, data, static_cast<unsigned>(size));
}
int force(int file) {
  return ::_commit(file);
}
int close_file(int file) {
  return ::_close(file);
}
void force_folder(const std::filesystem::path&) {}

#else

/// Whether no other process holds `file`; not every file system can tell. Sets errno when it is held.
bool take(int file) {
  return ::flock(file, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

/// Removes what a run that has ended has left under a name of ours, or a link that lies there: what it points to stays
/// as it is. Sets errno when it is something else, or in use.
bool remove_leftover(const char* name) {
  struct stat status{};
  if (::lstat(name, &status) != 0) return errno == ENOENT;
  if (!S_ISLNK(status.st_mode)) {
    if (!S_ISREG(status.st_mode)) {
      errno = EEXIST;
      return false;
    }
    const int file = ::open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) return errno == ENOENT;
    const bool free = take(file);
    const int reason = errno;
    ::close(file);
    errno = reason;
    if (!free) return false;
  }
  return ::unlink(name) == 0 || errno == ENOENT;
}

/// Whether `name` still is `file`, which another process may have taken for a leftover before it was locked.
bool is_named(int file, const char* name) {
  struct stat ours{}, there{};
  return ::fstat(file, &ours) == 0 && ::lstat(name, &there) == 0 && ours.st_dev == there.st_dev &&
         ours.st_ino == there.st_ino;
}

/// A new file, never one that was there: others may have put a link under this name.
int open_new(const std::filesystem::path& path) {
  constexpr int kAttempts = 5;  // others may be about to do the same
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const int file = ::open(path.c_str(), O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0666);
    if (file < 0 && errno != EEXIST) return file;
    if (file >= 0) {
      if (take(file) && is_named(file, path.c_str())) return file;
      ::close(file);
    } else if (!remove_leftover(path.c_str())) {
      return -1;
    }
  }
  errno = EWOULDBLOCK;
  return -1;
}
std::ptrdiff_t write_some(int file, const char* data, std::size_t size) {
  return ::write(file, data, size);
}
int force(int file) {
  return ::fsync(file);
}
int close_file(int file) {
  return ::close(file);
}
/// So that the new name survives a power cut; not every file system can.
void force_folder(const std::filesystem::path& folder) {
  const int file = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  ::fsync(file);
  ::close(file);
}

#endif

}  // namespace

std::filesystem::path path_of(const std::string& utf8) {
  return std::u8string(utf8.begin(), utf8.end());
}

AtomicFile::AtomicFile(const std::string& path)
    : name_(path), target_(path_of(path)), aside_(path_of(path + ".part")), file_(open_new(aside_)) {
  if (file_ < 0) fail(last_reason());
}

AtomicFile::~AtomicFile() {
  if (file_ < 0) return;
  close_file(file_);
  std::error_code ignored;
  std::filesystem::remove(aside_, ignored);
}

void AtomicFile::fail(const std::string& reason) const {
  throw FileError("cannot write '" + name_ + "': " + reason);
}

void AtomicFile::write(const void* data, std::size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const std::ptrdiff_t written = write_some(file_, at, std::min(size, kMostAtOnce));
    if (written < 0) {
      if (errno == EINTR) continue;
      fail(last_reason());
    }
    at += written;
    size -= static_cast<std::size_t>(written);
  }
}

void AtomicFile::commit() {
  if (force(file_) != 0) fail(last_reason());
  std::error_code error;
  // Some systems rename only what is closed; until it is renamed, it is to be removed.
  const int closed = close_file(std::exchange(file_, -1));
  const std::string reason = closed != 0 ? last_reason() : "";
  if (closed == 0) std::filesystem::rename(aside_, target_, error);
  if (closed != 0 || error) {
    std::error_code ignored;
    std::filesystem::remove(aside_, ignored);
    fail(closed != 0 ? reason : error.message());
  }
  force_folder(target_.parent_path());
}

}  // namespace riata
