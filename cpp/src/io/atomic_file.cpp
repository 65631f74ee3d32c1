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

int open_new(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
  if (file < 0) return file;
  // Another process that is writing it is not to be disturbed; not every file system can tell.
  if ((::flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) || ::ftruncate(file, 0) != 0) {
    const int reason = errno;
    ::close(file);
    errno = reason;
    return -1;
  }
  return file;
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
