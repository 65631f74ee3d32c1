#pragma once

#include <span>

#include "design/shared_pool.hpp"
#include "riata/types.hpp"

namespace riata {

/// Columns of X in units of their scale, less their mean where there is an intercept, and products with those that
/// the pool holds. With K outputs coefficients and c have K entries for each feature, feature by feature; vectors of
/// rows are n x K, one output after the other.
class StandardizedColumns {
 public:
  StandardizedColumns(const SharedPool& pool, bool centred, Index outputs, int threads, Vec mean, Vec scale)
      : shared_(pool),
        centred_(centred),
        outputs_(outputs),
        threads_(threads),
        mean_(std::move(mean)),
        scale_(std::move(scale)) {}

  int threads() const { return threads_; }
  const Vec& mean() const { return mean_; }
  const Vec& scale() const { return scale_; }
  /// The mean as far as columns are centred.
  double centre(Index feature) const { return centred_ ? mean_[feature] : 0.0; }
  /// Mean and scale, when no more products are to be taken.
  void release(Vec& mean, Vec& scale);

  /// Xs b for several b, n x K each.
  Mat multiply(std::span<const Index> features, std::span<const Vec* const> coefficients) const;
  /// c = Xs'u, u with columns that sum to zero where columns are centred.
  void correlate(std::span<const Index> features, const MatIn& u, MatOut c) const;
  /// The same for one u of K outputs.
  Vec correlate(std::span<const Index> features, const Vec& u) const;
  /// Some entries of that, into their places of c.
  void correlate_entries(std::span<const Index> features, const Vec& u, std::span<const Index> entries, Vec& c) const;
  /// The columns, n x |features|.
  Mat gather(std::span<const Index> features) const;
  /// Products leave out that columns are centred, for u sums to zero: a bound of what that makes of its rounding, where
  /// the columns of the pool are off their mean.
  double centring_error(std::span<const Index> features, const Vec& u) const;

 private:
  int threads_for(Columns positions, Index sides) const;
  /// What is left of the mean in the pool's column.
  double remaining_mean(Index feature) const {
    return mean_[feature] - shared_.pool().shift_of(shared_.position(feature));
  }

  const SharedPool& shared_;
  bool centred_;
  Index outputs_;
  int threads_;
  Vec mean_, scale_;
};

}  // namespace riata
