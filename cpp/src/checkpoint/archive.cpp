#include "checkpoint/archive.hpp"

#include <algorithm>

#include "riata/error.hpp"

namespace riata {
namespace {

constexpr std::uint64_t kMagic = 0x39706b6361746972u;  // the last digit is the version of the format
constexpr std::size_t kBuffer = std::size_t{1} << 20;  // bytes; a multiple of eight

/// What stands at the end: of the size too, for a digest that goes on over itself is zero, as bytes added may be.
std::uint64_t checksum_of(Digest digest, std::size_t size) {
  digest.add(size);
  return digest.value();
}

}  // namespace

ArchiveWriter::ArchiveWriter(const std::string& path) : file_(path), buffer_(kBuffer) {
  bytes(&kMagic, sizeof kMagic);
}

void ArchiveWriter::flush() {
  digest_.add(buffer_.data(), used_);
  file_.write(buffer_.data(), used_);
  size_ += used_;
  used_ = 0;
}

void ArchiveWriter::bytes(const void* data, std::size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const std::size_t some = std::min(size, buffer_.size() - used_);
    std::memcpy(buffer_.data() + used_, at, some);
    used_ += some;
    at += some;
    size -= some;
    if (used_ == buffer_.size()) flush();
  }
}

void ArchiveWriter::finish() {
  flush();
  const std::uint64_t checksum = checksum_of(digest_, size_);
  file_.write(&checksum, sizeof checksum);
  file_.commit();
}

ArchiveReader::ArchiveReader(const std::string& path) : path_(path), file_(path) {
  std::uint64_t magic = 0, checksum = 0;
  if (file_.size() < sizeof magic + sizeof checksum) refuse();
  end_ = file_.size() - sizeof checksum;
  std::memcpy(&checksum, file_.data() + end_, sizeof checksum);
  bytes(&magic, sizeof magic);
  if (magic != kMagic) refuse();
  Digest digest;
  digest.add(file_.data(), end_);
  if (checksum_of(digest, end_) != checksum) refuse();
}

void ArchiveReader::refuse() const {
  throw FileError("cannot read '" + path_ + "': not a checkpoint of this version of riata, or a damaged one");
}

void ArchiveReader::finish() const {
  if (at_ != end_) refuse();
  file_.check();
}

void ArchiveReader::bytes(void* data, std::size_t size) {
  if (size > end_ - at_) refuse();
  if (size > 0) std::memcpy(data, file_.data() + at_, size);
  at_ += size;
}

}  // namespace riata
