#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "kernel/bounds.hpp"
#include "riata/types.hpp"

namespace riata {

/// Proof, without reading a column, that |c_j| = |<xs_j, rho>| is at most a bound. Every column remembers its inner
/// products k_j with an orthonormal basis Q of a few residuals from when it was last read; for a new residual
///   |c_j - k_j'a| <= |e| sqrt(nu_j^2 - |k_j|^2) + rounding,   a = <Q, rho>,  e = rho - Q a,
/// by Cauchy-Schwarz, in the inner product <a, b> = sum_i omega_i a_i b_i, with nu_j the norm of the scaled column.
/// The idea of reference vectors follows Johnson & Guestrin 2017 (StingyCD).
class ReferenceSubspace {
 public:
  /// nu[j] is the norm of scaled column j, `noise[j]` bounds the rounding of its inner products with unit vectors, and
  /// copy_error[j] is the norm of its difference from the copy used with replaced sides (empty: there is no copy).
  void setup(Vec omega, const Vec& nu, const Vec& noise, const Vec& copy_error = {});

  /// Sets the threshold of column j, in units of the one that decide() is given. Columns start without one, and are
  /// not asked for while they have none.
  void set_limit(Index j, double limit);
  void clear_limit(Index j);

  /// Opens a block spanned by the given residuals (the first ones matter most; near-dependent ones are dropped) and
  /// returns its basis vectors times omega, n x q: the right-hand sides to stream.
  const Mat& open_block(std::span<const Vec* const> residuals);
  /// Tells that the open block's right-hand sides were replaced by `used` before they were streamed.
  void replace_sides(const Mat& used);

  /// Inner products of column j with the open block's basis (q numbers). Safe for different columns at once.
  void store(Index j, const double* k);
  /// Coordinates of a residual in the open block.
  Vec coordinates(const Vec& rho) const { return weighted_.transpose() * rho; }
  /// Bounds the error of k'a, for the stored k of column j and coordinates a of length 1, that came with replaced
  /// sides.
  double error(Index j) const;
  /// nu[j], rounded up.
  double norm(Index j) const { return unit_ * static_cast<double>(nu_[static_cast<std::size_t>(j)]); }

  /// Prepares bounds for one residual.
  struct Query {
    ResidualInBlocks unit{};  // rho / |rho|
    double norm = 0.0;        // |rho|
  };
  Query query(const Vec& rho) const;

  /// k_j'a: what c_j would be if rho lay in the span.
  double estimate(const Query& q, Index j) const;
  /// Upper bound of |c_j|, as decide() takes it of many columns at a time.
  double bound(const Query& q, Index j) const;

  /// flags[i] for column first + i: kUndecided unless its bound is at most threshold times its limit; if it is,
  /// kPromising when the estimate is at least `promising` times that, else 0. A column without a limit gets 0.
  void decide(const Query& q, double threshold, double promising, Index first, std::span<std::uint8_t> flags) const;

  /// Threshold of column j as set, rounded down; negative: it has none.
  double limit(Index j) const { return static_cast<double>(limit_[static_cast<std::size_t>(j)]); }
  /// No c is larger than this times the norm of its column over the largest of all columns.
  double scale(const Query& q) const { return unit_ * q.norm; }
  /// Adds the squares of bound() and estimate(), both over `scale`, of the columns from `first` on.
  void add_squares(const Query& q, Index first, double scale, Vec& bounds, Vec& estimates) const;

  /// See path/archive.hpp. What setup() and set_limit() gave, and the open block, are no part of it.
  template <class Archive>
  void state(Archive& archive) {
    archive(blocks_, residuals_, first_, k_, left_, block_);
  }

 private:
  using Square = Eigen::Matrix<double, kMaxBasis, kMaxBasis>;
  /// Q = P R^-1 with P the unit residuals numbered `members`: so a = R^-T <P, rho>, and no block keeps its basis.
  struct Block {
    Index size = 0;
    std::array<Index, kMaxBasis> members{};
    Square inverse = Square::Zero();  // R^-1
    double rounding = 0.0;            // bounds the error of a and of |a|^2
    double replaced = 0.0;            // error of inner products, relative to size_, that came with replaced sides

    template <class Archive>
    void state(Archive& archive) {
      archive(size, members, inverse, rounding, replaced);
    }
  };
  Index number_of(const Vec& unit);
  void forget_old();

  Vec omega_;
  std::vector<Block> blocks_;  // block 0 is empty: never read
  std::deque<Vec> residuals_;  // omega * unit residuals, the oldest numbered first_
  Index first_ = 0;
  bool copies_ = false;
  Mat weighted_;       // omega * basis of the open block
  double unit_ = 1.0;  // largest nu: what the floats below are relative to, so that none leaves their range
  std::array<std::vector<float>, kMaxBasis> k_;
  std::vector<float> nu_, left_, size_, limit_;  // see KnownColumns
  std::vector<std::uint8_t> block_;
};

}  // namespace riata
