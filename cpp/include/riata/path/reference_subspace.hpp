#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "riata/types.hpp"

namespace riata {

/// Proof, without reading a column, that |c_j| = |<xs_j, rho>| is at most a bound. Every column remembers its inner
/// products k_j with an orthonormal basis Q of a few residuals from when it was last read; for a new residual
///   |c_j - k_j'a| <= |e| sqrt(nu_j^2 - |k_j|^2) + rounding,   a = <Q, rho>,  e = rho - Q a,
/// by Cauchy-Schwarz, in the inner product <a, b> = sum_i omega_i a_i b_i, with nu_j the norm of the scaled column.
/// The idea of reference vectors follows Johnson & Guestrin 2017 (StingyCD).
class ReferenceSubspace {
 public:
  static constexpr Index kMaxBasis = 4;

  /// nu[j] is the norm of scaled column j; `noise[j]` bounds the relative rounding error of streamed inner products.
  void setup(Vec omega, const Vec& nu, const Vec& noise);

  /// Opens a block spanned by the given residuals (the first ones matter most; near-dependent ones are dropped) and
  /// returns its basis vectors times omega, n x q: the right-hand sides to stream.
  const Mat& open_block(std::span<const Vec* const> residuals);

  /// Inner products of column j with the open block's basis (q numbers).
  void store(Index j, const double* k);
  /// Coordinates of a residual in the open block.
  Vec coordinates(const Vec& rho) const { return weighted_.transpose() * rho; }

  /// Prepares bounds for one residual.
  struct Query {
    std::vector<float> coordinates;  // kMaxBasis a block
    std::vector<float> rest;         // |e| a block
    double norm = 0.0;               // |rho|; the two above are for rho / |rho|
  };
  Query query(const Vec& rho) const;

  /// k_j'a: what c_j would be if rho lay in the span.
  double estimate(const Query& q, Index j) const { return unit_ * q.norm * static_cast<double>(relative(q, j)); }
  /// Upper bound of |c_j|.
  double bound(const Query& q, Index j) const {
    const std::size_t i = static_cast<std::size_t>(j);
    const double sum = static_cast<double>(std::abs(relative(q, j))) +
                       static_cast<double>(q.rest[block_[i]] * left_[i]) + static_cast<double>(noise_[i]);
    return unit_ * q.norm * sum;
  }

 private:
  float relative(const Query& q, Index j) const {
    const float* k = k_.data() + j * kMaxBasis;
    const float* a = q.coordinates.data() + static_cast<std::size_t>(block_[static_cast<std::size_t>(j)]) * kMaxBasis;
    return k[0] * a[0] + k[1] * a[1] + (k[2] * a[2] + k[3] * a[3]);
  }

  using Square = Eigen::Matrix<double, kMaxBasis, kMaxBasis>;
  /// Q = P R^-1 with P the unit residuals numbered `members`: so a = R^-T <P, rho>, and no block keeps its basis.
  struct Block {
    Index size = 0;
    std::array<Index, kMaxBasis> members{};
    Square inverse = Square::Zero();  // R^-1
    double rounding = 0.0;            // bounds the error of |a|^2
  };
  Index number_of(const Vec& unit);
  void forget_old();

  Vec omega_;
  std::vector<Block> blocks_;  // block 0 is empty: never read
  std::deque<Vec> residuals_;  // omega * unit residuals, the oldest numbered first_
  Index first_ = 0;
  Mat weighted_;  // omega * basis of the open block
  std::vector<std::uint16_t> block_;
  double unit_ = 1.0;  // largest nu: what the floats below are relative to, so that none leaves their range
  std::vector<float> k_, left_, nu_, noise_;
};

}  // namespace riata
