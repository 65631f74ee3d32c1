#include "checkpoint/checkpoint.hpp"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <utility>

namespace riata {
namespace {

constexpr double kLeastPause = 20.0;  // between two writes, in units of what the last one took

}  // namespace

Checkpoint::Checkpoint(const PathOptions& options, Identity identity)
    : path_(options.checkpoint),
      seconds_(options.checkpoint_seconds),
      identity_(std::move(identity)),
      warn_(options.warn) {
  if (!wanted()) return;
  std::error_code unknown;  // where it cannot be looked up it cannot be written: the probe tells
  if (std::filesystem::exists(path_of(path_), unknown)) {
    reader_ = std::make_unique<ArchiveReader>(path_);
    CheckpointProgress ignored;
    Identity theirs;
    (*reader_)(ignored, theirs, design_);
    if (theirs != identity_) refuse(identity_.differences(theirs));
  }
  const AtomicFile probe(path_);  // refused now rather than after a minute of work
  wait_after({});
}

void Checkpoint::refuse(const std::string& what) const {
  throw std::invalid_argument("checkpoint '" + path_ + "' was made by another fit; what differs: " + what +
                              ". Give what was given then, or remove the file to start anew");
}

void Checkpoint::identify_design(std::uint64_t digest) {
  if (found() && digest != design_) refuse("the values of X");
  design_ = digest;
}

bool Checkpoint::due() const {
  return wanted() && Clock::now() >= next_;
}

void Checkpoint::tell(const FileError& error) {
  if (const auto warn = std::exchange(warn_, nullptr)) {
    warn(std::string(error.what()) + "; the fit goes on, but could not be resumed from here");
  }
}

void Checkpoint::wait_after(Clock::duration saving) {
  const double pause = std::max(seconds_, kLeastPause * std::chrono::duration<double>(saving).count());
  next_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                             std::chrono::duration<double>(seconds_ > 0.0 ? std::min(pause, 1e9) : 0.0));
}

void Checkpoint::remove() const {
  if (!wanted()) return;
  std::error_code ignored;  // it was of use, and is no harm
  std::filesystem::remove(path_of(path_), ignored);
}

CheckpointProgress checkpoint_progress(const std::string& path) {
  ArchiveReader reader(path);
  CheckpointProgress progress;
  reader(progress);
  return progress;
}

}  // namespace riata
