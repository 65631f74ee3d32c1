#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "design/pool.hpp"
#include "riata/counters.hpp"

namespace riata {

/// The pool that all problems of one call share, and where in it each feature is.
class SharedPool {
 public:
  static constexpr double kColumnBytes = 20.0;  // held for each column of X

  /// How much of X will be needed: a small part of its columns; many or all of them, one after the other (several
  /// problems, ridge); all of them, but only in products of many (where a Gram matrix is kept).
  enum class Use { kPart, kMany, kProducts };

  /// `centred`: columns may be held less their mean, which large ones are. `mean` and `spread` (standard deviation) of
  /// every column decide how it is held: as a shifted copy, in place where X has it in memory as contiguous doubles,
  /// or, for products of everything, not at all.
  SharedPool(const Design& X, bool centred, Use use, const Vec& mean, const Vec& spread);

  /// Brings the features into the pool that are not there yet.
  void require(std::span<const Index> features, int threads, Counters& counters);

  /// The features in the pool, in their order there.
  std::vector<Index> features() const;
  /// How many of them came at a time: what memory() tells depends on it.
  const std::vector<Index>& batches() const { return batches_; }

  /// Whether no mean exceeds its column's standard deviation.
  bool small_means() const { return small_means_; }
  Index position(Index feature) const { return position_[static_cast<std::size_t>(feature)]; }
  const Design& design() const { return X_; }
  /// Bytes held.
  double memory() const { return static_cast<double>(pool_->memory()) + kColumnBytes * static_cast<double>(X_.cols()); }
  const Pool& pool() const { return *pool_; }

 private:
  const Design& X_;
  bool centred_;
  Use use_;
  Vec mean_, spread_;
  bool small_means_;
  std::unique_ptr<Pool> pool_;
  std::vector<std::int32_t> position_;
  std::vector<Index> batches_;
};

}  // namespace riata
