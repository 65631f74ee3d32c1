#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "riata/api.hpp"
#include "riata/design/pool.hpp"

namespace riata {

/// The pool that all problems of one call share, and where in it each feature is.
class SharedPool {
 public:
  /// `centred`: columns may be held less their mean. `whole`: every usable column will be required (ridge), so that
  /// copies are to be avoided.
  SharedPool(const Design& X, bool centred, bool whole);

  /// Brings the features into the pool that are not there yet. `mean` and `spread` (standard deviation) of every column
  /// decide how: shifted copies, or references to columns that X already has in memory as contiguous doubles.
  void require(std::span<const Index> features, const Vec& mean, const Vec& spread, int threads, Counters& counters);

  Index position(Index feature) const { return position_[static_cast<std::size_t>(feature)]; }
  const Design& design() const { return X_; }
  const Pool& pool() const { return *pool_; }

 private:
  const Design& X_;
  bool centred_, whole_;
  std::unique_ptr<Pool> pool_;
  std::vector<std::int32_t> position_;
};

}  // namespace riata
