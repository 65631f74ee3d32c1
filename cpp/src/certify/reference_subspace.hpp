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
/// The idea of reference vectors follows Johnson & Guestrin 2017 (StingyCD). This is the side of the rows: residuals
/// that blocks of columns refer to; what columns remember is in ReferenceColumns.
class ReferenceSubspace {
 public:
  /// `copies`: products with replaced sides are those of copies of the columns.
  void setup(Vec omega, bool copies);

  /// Opens a block spanned by the given residuals (the first ones matter most; near-dependent ones are dropped) and
  /// returns its basis vectors times omega, n x q: the right-hand sides to stream.
  const Mat& open_block(std::span<const Vec* const> residuals);
  /// How many of the oldest blocks the last open_block() has forgotten.
  Index forgotten() const { return forgotten_; }
  /// Takes the last open_block() back, which must have forgotten none: no column has been read against it.
  void withdraw_block();
  /// Whether the next open_block() forgets some.
  bool full() const { return blocks_.size() == static_cast<std::size_t>(kMaxBlocks); }
  /// Tells that the open block's right-hand sides were replaced by `used` before they were streamed.
  void replace_sides(const Mat& used);
  /// How far products with `used` are from those with `sides`, relative to the size of a column.
  double replacement(const MatIn& sides, const MatIn& used) const;
  /// A residual that is read beside the open block: its direction times omega, and its length. A zero has no direction.
  struct Beside {
    Vec side;
    double length = 0.0;
  };
  Beside beside(const Vec& rho) const;
  /// Coordinates of a residual in the open block.
  Vec coordinates(const Vec& rho) const { return weighted_.transpose() * rho; }

  /// What columns that are read now have to know of it.
  struct OpenBlock {
    std::uint8_t number = 0;
    Index size = 0;         // of the basis
    double replaced = 0.0;  // error of inner products, relative to the size of a column, that came with replaced sides
  };
  OpenBlock open() const {
    return {static_cast<std::uint8_t>(blocks_.size() - 1), weighted_.cols(), blocks_.back().replaced};
  }

  /// One residual, for bounds of every column.
  struct Query {
    ResidualInBlocks unit{};  // rho / |rho|
    double norm = 0.0;        // |rho|
  };
  Query query(const Vec& rho) const;

  /// See checkpoint/archive.hpp. What setup() gave, and the open block, are no part of it.
  template <class Archive>
  void state(Archive& archive) {
    archive(blocks_, residuals_, first_);
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
  Mat weighted_;  // omega * basis of the open block
  Index forgotten_ = 0;
  std::size_t before_ = 0;  // residuals before it was opened
};

}  // namespace riata
