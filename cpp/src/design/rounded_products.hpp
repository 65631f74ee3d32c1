#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "riata/design/design.hpp"

namespace riata {

/// Cheap products of the columns of X with right-hand sides near the ones that were asked for: by the storage itself,
/// where it has such (2-bit genotypes), else by a copy of X in 16-bit integers, made while its columns are in cache for
/// the first time. Both errors are known, so that reference certificates can allow for them.
class RoundedProducts {
 public:
  static constexpr double kLargest = 2.0 * (1u << 30);  // bytes a copy may ever take

  /// `lambdas` to be fitted: a copy has to pay for itself, and not to take more than `most_bytes`.
  /// Only columns first .. last - 1 are taken into it (default: all).
  RoundedProducts(const Design& X, Index lambdas, double most_bytes = kLargest, Index first = 0, Index last = -1);

  /// What of the bytes of X a copy takes, 0 where none is to be made.
  static double share_of_copy(const Design& X, Index lambdas, double most_bytes);
  /// The products of columns first .. last - 1, with a copy where its share is not 0.
  static RoundedProducts of_share(const Design& X, double share, Index first, Index last);
  /// Whether there are any.
  bool offered() const { return copies() || X_.traits().rounds; }
  bool copies() const { return codes_ != nullptr; }
  /// Codes of a side for the copy.
  Index padded_rows() const { return stride_; }
  /// Bytes of the copy.
  double memory() const {
    return copies() ? static_cast<double>(stride_ * errors_.size()) * sizeof(std::int16_t) : 0.0;
  }
  /// Bytes that correlate() reads of a column, over those of the design.
  double share() const { return share_; }

  /// Takes the columns into the copy. Safe for different columns at once. `mean` of each.
  void encode(Columns columns, const Eigen::Ref<const Vec>& mean);
  /// |x_j - copy_j|, Euclidean, from the first column of the range on; empty when there is no copy.
  const Vec& errors() const { return errors_; }

  /// Right-hand sides made ready for correlate(): near those given, zeros where they have zeros.
  struct Sides {
    Mat used;
    Vec step, sum;                    // for products with the copy: used = step * codes, and its column sums
    std::vector<std::int16_t> codes;  // a line for each side, padded like the copy's
  };
  Sides round(const Mat& sides) const;
  /// X'used, with the copy in the place of X.
  void correlate(Columns columns, const Sides& sides, MatOut out) const;

 private:
  struct Bare {};
  RoundedProducts(Bare, const Design& X, Index first) : X_(X), first_(first) {}
  void encode_one(Index j, const double* x, double mean);

  const Design& X_;
  Index first_;
  Index stride_ = 0;
  double share_ = 1.0;
  std::unique_ptr<std::int16_t[]> codes_;
  Vec step_, shift_, errors_;
};

}  // namespace riata
