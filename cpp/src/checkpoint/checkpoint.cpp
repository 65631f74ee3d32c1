#include "checkpoint/checkpoint.hpp"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "kernel/plink.hpp"
#include "riata/kernel/kernels.hpp"

namespace riata {
namespace {

constexpr double kLeastPause = 20.0;  // between two writes, in units of what the last one took

using Identity = std::vector<std::pair<std::string, std::uint64_t>>;

template <class... Parts>
std::uint64_t digest_of(const Parts&... parts) {
  Digest digest;
  const auto add = [&digest](const auto& part) {
    if constexpr (requires { part.data(); }) {
      digest.add(static_cast<std::uint64_t>(part.size()));
      digest.add(part.data(), static_cast<std::size_t>(part.size()) * sizeof(*part.data()));
    } else {
      digest.add(&part, sizeof part);
    }
  };
  (add(parts), ...);
  return digest.value();
}

/// All that decides the bits of a result, but X. Threads do not.
Identity identify(const Design& X, const std::vector<Problem>& problems, const Features& features,
                  const PathOptions& o) {
  Digest y, start, strata, ties, weights, offset, leaders;
  for (const Problem& problem : problems) {
    const Survival& survival = problem.survival;
    y.add(digest_of(problem.y, survival.event));
    start.add(digest_of(survival.start));
    strata.add(digest_of(survival.stratum));
    ties.add(digest_of(survival.efron));
    weights.add(digest_of(problem.weights));
    offset.add(digest_of(problem.offset));
    leaders.add(digest_of(problem.leader));
  }
  return {{"the version of riata", digest_of(std::string(RIATA_VERSION))},
          {"the processor's instruction set", digest_of(std::string(kernels().name), plink_kernels().fast_pairs)},
          // How it lies in memory decides what the pool holds in place and what less its mean.
          {"the kind of X", X.traits().fingerprint},
          {"the shape of X", digest_of(X.rows(), X.cols())},
          {"y", y.value()},
          {"start", start.value()},
          {"strata", strata.value()},
          {"ties", ties.value()},
          {"the weights or folds", weights.value()},
          {"offset", offset.value()},
          {"which problems lead", leaders.value()},
          {"penalty_factor", digest_of(features.penalty_factor)},
          {"lower", digest_of(features.lower)},
          {"upper", digest_of(features.upper)},
          {"penalty", digest_of(o.penalty, o.gamma, o.sparse_share, features.group, features.group_weights,
                                features.column, features.sorted_weights)},
          {"loss", digest_of(o.loss)},
          {"row_grouped", digest_of(o.row_grouped)},
          {"huber_delta", digest_of(o.huber_delta)},
          {"solver", digest_of(std::string(name_of(o.solver)))},
          {"fit_intercept", digest_of(o.fit_intercept)},
          {"standardize", digest_of(o.standardize)},
          {"l1_ratio", digest_of(o.l1_ratio)},
          {"alphas", digest_of(o.alphas, o.count(), o.stop_early)},
          {"eps", digest_of(o.eps)},
          {"max_active", digest_of(o.max_active)},
          {"memory", digest_of(o.memory)},
          {"tol", digest_of(o.tol)},
          {"max_iter", digest_of(o.max_iter)},
          {"what is kept of held-out rows", digest_of(o.keep_linear_predictor)}};
}

/// The names of what differs, as a list in words.
std::string differences(const Identity& here, const Identity& there) {
  std::vector<std::string> names;
  for (std::size_t k = 0; k < here.size(); ++k) {
    if (here[k] != there[k]) names.push_back(here[k].first);
  }
  std::string out;
  for (std::size_t k = 0; k < names.size(); ++k) {
    out += (k == 0 ? "" : k + 1 == names.size() ? " and " : ", ") + names[k];
  }
  return out;
}

}  // namespace

Checkpoint::Checkpoint(const Design& X, const std::vector<Problem>& problems, const Features& features,
                       const PathOptions& options)
    : path_(options.checkpoint), seconds_(options.checkpoint_seconds), warn_(options.warn) {
  if (!wanted()) return;
  identity_ = identify(X, problems, features, options);
  std::error_code unknown;  // where it cannot be looked up it cannot be written: the probe tells
  if (std::filesystem::exists(path_of(path_), unknown)) {
    reader_ = std::make_unique<ArchiveReader>(path_);
    CheckpointProgress ignored;
    Identity theirs;
    (*reader_)(ignored, theirs, design_);
    if (theirs.size() != identity_.size()) refuse("the version of riata");
    if (theirs != identity_) refuse(differences(identity_, theirs));
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
