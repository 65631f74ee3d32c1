#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "certify/reference_subspace.hpp"
#include "kernel/bounds.hpp"
#include "riata/types.hpp"

namespace riata {

/// What a range of columns remembers of the residuals it was read against: the column side of ReferenceSubspace, whose
/// bounds it gives. Columns are numbered from 0 here.
class ReferenceColumns {
 public:
  /// nu[j] is the norm of scaled column j, `noise[j]` bounds the rounding of its inner products with unit vectors, and
  /// copy_error[j] is the norm of its difference from the copy used with replaced sides (empty: there is no copy).
  /// `largest_norm` is that of all columns, of this range and others.
  void setup(const Vec& nu, const Vec& noise, const Vec& copy_error, double largest_norm);

  /// Sets the threshold of column j, in units of the one that decide() is given. Columns start without one, and are
  /// not asked for while they have none.
  void set_limit(Index j, double limit);
  void clear_limit(Index j);
  /// Threshold of column j as set, rounded down; negative: it has none.
  double limit(Index j) const { return static_cast<double>(limit_[static_cast<std::size_t>(j)]); }

  /// So many of the oldest blocks are no more: their columns count as never read (bound nu_j |rho|).
  void forget(Index blocks);
  /// What is remembered of column j, kMaxBasis + 1 numbers; and that again, with its block.
  void copy_numbers(Index j, float* to) const;
  void restore(Index j, std::uint8_t block, const float* numbers);
  /// Inner products of column j with the basis of the open block come first in k. Safe for different columns at once.
  void store(Index j, const double* k, const ReferenceSubspace::OpenBlock& open);
  /// Bounds the error of k'a, for products k of column j that came with replaced sides (see OpenBlock) and coordinates
  /// a of length 1.
  double error(Index j, double replaced) const;
  /// nu[j], rounded up.
  double norm(Index j) const { return unit_ * static_cast<double>(nu_[static_cast<std::size_t>(j)]); }

  using Query = ReferenceSubspace::Query;
  /// k_j'a: what c_j would be if rho lay in the span.
  double estimate(const Query& q, Index j) const;
  /// Upper bound of |c_j|, as decide() takes it of many columns at a time.
  double bound(const Query& q, Index j) const;
  /// flags[i] for column first + i: kUndecided unless its bound is at most threshold times its limit; if it is,
  /// kPromising when the estimate is at least `promising` times that, else 0. A column without a limit gets 0.
  void decide(const Query& q, double threshold, double promising, Index first, std::span<std::uint8_t> flags) const;
  /// No c is larger than this times the norm of its column over the largest of all columns.
  double scale(const Query& q) const { return unit_ * q.norm; }
  /// Adds the squares of bound() and estimate(), both over `scale`, of the columns from `first` on.
  void add_squares(const Query& q, Index first, double scale, Vec& bounds, Vec& estimates) const;

  /// The same of columns elsewhere, in a range of others: see ReferenceColumns::state().
  struct Numbers {
    std::array<std::vector<float>, kMaxBasis> k;
    std::vector<float> left;
    std::vector<std::uint8_t> block;
    template <class Archive>
    void state(Archive& archive) {
      archive(k, left, block);
    }
    void copy(std::size_t j, float* to) const;
  };
  /// See checkpoint/archive.hpp. What setup() and set_limit() gave is no part of it.
  template <class Archive>
  void state(Archive& archive) {
    archive(k_, left_, block_);
  }

 private:
  double unit_ = 1.0;  // largest nu: what the floats below are relative to, so that none leaves their range
  std::array<std::vector<float>, kMaxBasis> k_;
  std::vector<float> nu_, left_, size_, limit_;  // see KnownColumns
  std::vector<std::uint8_t> block_;
};

}  // namespace riata
