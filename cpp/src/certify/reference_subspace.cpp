#include "certify/reference_subspace.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "certify/float_bounds.hpp"
#include "kernel/kernels.hpp"

namespace riata {
namespace {

constexpr std::size_t kRecent = 8;  // residuals among which a repeated one is looked for
// Share of a residual outside the basis so far below which it is left out, so that the rounding of a (some 1e-16 times
// the square root of n over that share) stays within what the bounds allow for.
double dependent(Index n) {
  return std::max(1e-7, 4e-9 * std::sqrt(static_cast<double>(n)));
}

/// v of unit length in the omega inner product, with its length; false for zero.
bool normalise(const Vec& omega, Vec& v, double& length) {
  const double largest = v.cwiseAbs().maxCoeff();  // taken out before squaring
  if (!(largest > 0.0)) return false;
  v /= largest;
  const double norm = std::sqrt((omega.array() * v.array().square()).sum());
  v /= norm;
  length = largest * norm;
  return true;
}

}  // namespace

void ReferenceSubspace::setup(Vec omega, bool copies) {
  omega_ = std::move(omega);
  blocks_.assign(1, Block{});
  residuals_.clear();
  first_ = 0;
  copies_ = copies;
}

/// Forgets the older half of the blocks.
void ReferenceSubspace::forget_old() {
  const std::size_t drop = blocks_.size() - kMaxBlocks / 2;
  blocks_.erase(blocks_.begin() + 1, blocks_.begin() + 1 + static_cast<std::ptrdiff_t>(drop));
  forgotten_ = static_cast<Index>(drop);
  Index oldest = first_ + static_cast<Index>(residuals_.size());
  for (const Block& block : blocks_) {
    for (Index t = 0; t < block.size; ++t) oldest = std::min(oldest, block.members[static_cast<std::size_t>(t)]);
  }
  for (; first_ < oldest; ++first_) residuals_.pop_front();
}

/// The number of a unit residual, kept (times omega) from now on if it is new.
Index ReferenceSubspace::number_of(const Vec& unit) {
  const Vec weighted = omega_.cwiseProduct(unit);
  for (std::size_t back = 1; back <= std::min(kRecent, residuals_.size()); ++back) {
    const std::size_t at = residuals_.size() - back;
    if (residuals_[at] == weighted) return first_ + static_cast<Index>(at);
  }
  residuals_.push_back(weighted);
  return first_ + static_cast<Index>(residuals_.size()) - 1;
}

const Mat& ReferenceSubspace::open_block(std::span<const Vec* const> residuals) {
  forgotten_ = 0;
  if (full()) forget_old();
  before_ = residuals_.size();
  Block block;
  Mat basis(omega_.size(), kMaxBasis);
  Square r = Square::Zero();
  Index& q = block.size;
  for (const Vec* rho : residuals) {
    if (q == kMaxBasis) break;
    Vec v = (omega_.array() > 0.0).select(*rho, 0.0);
    double length = 0.0;
    if (!normalise(omega_, v, length)) continue;
    const Vec unit = v;
    for (int twice = 0; twice < 2; ++twice) {
      for (Index t = 0; t < q; ++t) {
        const double part = (omega_.array() * basis.col(t).array() * v.array()).sum();
        v -= part * basis.col(t);
        r(t, q) += part;
      }
    }
    const double left = std::sqrt((omega_.array() * v.array().square()).sum());
    if (q > 0 && left < dependent(omega_.size())) {
      r.col(q).setZero();
      continue;
    }
    r(q, q) = left;
    basis.col(q) = v / left;
    block.members[static_cast<std::size_t>(q)] = number_of(unit);
    ++q;
  }
  if (q > 0) {
    block.inverse.topLeftCorner(q, q) = r.topLeftCorner(q, q).triangularView<Eigen::Upper>().solve(Mat::Identity(q, q));
  }
  block.rounding = 5e-16 * (16.0 + std::sqrt(static_cast<double>(omega_.size()))) * block.inverse.norm();
  weighted_ = omega_.asDiagonal() * basis.leftCols(q);
  blocks_.push_back(block);
  return weighted_;
}

void ReferenceSubspace::withdraw_block() {
  assert(forgotten_ == 0 && blocks_.size() > 1);
  blocks_.pop_back();
  residuals_.resize(before_);
}

void ReferenceSubspace::replace_sides(const Mat& used) {
  blocks_.back().replaced = replacement(weighted_, used);
}

double ReferenceSubspace::replacement(const MatIn& sides, const MatIn& used) const {
  double square = 0.0;
  for (Index q = 0; q < used.cols(); ++q) {
    for (Index i = 0; i < used.rows(); ++i) {
      const double change = used(i, q) - sides(i, q);
      if (omega_[i] > 0.0) square += change * change / omega_[i];
    }
  }
  const double moved = std::sqrt(square);
  return moved + (copies_ ? (1.01 + moved) * kCopyError : 0.0);
}

ReferenceSubspace::Beside ReferenceSubspace::beside(const Vec& rho) const {
  Beside out;
  Vec unit = (omega_.array() > 0.0).select(rho, 0.0);
  if (normalise(omega_, unit, out.length)) out.side = omega_.cwiseProduct(unit);
  return out;
}

ReferenceSubspace::Query ReferenceSubspace::query(const Vec& rho) const {
  Query query;
  Vec unit = (omega_.array() > 0.0).select(rho, 0.0);
  normalise(omega_, unit, query.norm);
  std::vector<const double*> lines;
  for (const Vec& residual : residuals_) lines.push_back(residual.data());
  const Index count = static_cast<Index>(lines.size());
  Vec products(count);
  kernels().correlate_f64(lines.data(), count, unit.size(), unit.data(), unit.size(), 1, products.data(), count);
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    const Block& block = blocks_[b];
    Eigen::Matrix<double, kMaxBasis, 1> with = Eigen::Matrix<double, kMaxBasis, 1>::Zero();
    for (Index t = 0; t < block.size; ++t) with[t] = products[block.members[static_cast<std::size_t>(t)] - first_];
    const Eigen::Matrix<double, kMaxBasis, 1> a = block.inverse.transpose() * with;
    for (Index t = 0; t < kMaxBasis; ++t) query.unit.a[t][b] = static_cast<float>(a[t]);
    // |e|^2 = |rho|^2 - |a|^2, up to the rounding of a.
    const double rest = std::sqrt(std::max(1.0 - a.squaredNorm(), 0.0) + block.rounding);
    query.unit.rest[b] = rounded_up(block.size == 0 ? 1.0 : rest);
    query.unit.loose[b] = rounded_up(kFloatNoise + block.rounding + a.norm() * block.replaced);
  }
  return query;
}

}  // namespace riata
