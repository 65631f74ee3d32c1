#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "checkpoint/archive.hpp"
#include "checkpoint/identity.hpp"
#include "riata/api.hpp"
#include "riata/error.hpp"

namespace riata {

/// Where the state of the paths of one call is kept between lambdas, so that a fit that was killed goes on from there
/// to the same bits. A file holds what it is the state of, digests of all arguments that change a bit of the result;
/// one of another fit is refused.
class Checkpoint {
 public:
  /// Opens what an earlier run has left, if there is one, and makes sure that a file can be made. Throws FileError when
  /// it cannot or when the file is damaged, std::invalid_argument naming what differs when it is of another fit.
  Checkpoint(const PathOptions& options, Identity identity);

  bool wanted() const { return !path_.empty(); }
  /// Whether there is a state to go on from.
  bool found() const { return reader_ != nullptr; }
  /// Refuses a file that was made for another X, by the digest of it.
  void identify_design(std::uint64_t digest);

  template <class T>
  void load(T& object) {
    transfer(*reader_, object);
    reader_->finish();
    reader_.reset();
  }
  /// Whether to save again: so long after the last time, and not more than a small part of the time.
  bool due() const;
  /// A file that cannot be written, as on a full disk, is told of once; the last one stays.
  template <class T>
  void save(T& object, CheckpointProgress progress) {
    const auto start = Clock::now();
    try {
      ArchiveWriter writer(path_);
      writer(progress, identity_, design_);
      transfer(writer, object);
      writer.finish();
    } catch (const FileError& error) {
      tell(error);
    }
    wait_after(Clock::now() - start);
  }
  /// The fit is complete.
  void remove() const;

 private:
  using Clock = std::chrono::steady_clock;
  void wait_after(Clock::duration saving);
  void tell(const FileError& error);
  [[noreturn]] void refuse(const std::string& what) const;

  std::string path_;
  double seconds_;
  Identity identity_;
  std::uint64_t design_ = 0;
  std::unique_ptr<ArchiveReader> reader_;
  Clock::time_point next_;
  std::function<void(const std::string&)> warn_;
};

}  // namespace riata
