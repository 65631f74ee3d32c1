#include "path/reference_subspace.hpp"

#include <algorithm>
#include <cmath>

#include "riata/kernel/kernels.hpp"

namespace riata {
namespace {

constexpr std::size_t kRecent = 8;  // residuals among which a repeated one is looked for
// Share of a residual outside the basis so far below which it is left out, so that the rounding of a (some 1e-16 times
// the square root of n over that share) stays within what the bounds allow for.
double dependent(Index n) {
  return std::max(1e-7, 4e-9 * std::sqrt(static_cast<double>(n)));
}
constexpr double kCopyError = 2e-4;  // usual error of a column's copy, relative to its norm
constexpr double kFloatNoise = 16.0 * 1.2e-7;
constexpr float kSmallest = 1e-30f;    // covers what underflows
constexpr float kUp = 1.0f + 4.0e-7f;  // rounds a float bound upwards

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

constexpr double kFloatMost = 3e38;    // what is larger stands for "unbounded"
constexpr double kFloatLeast = 1e-30;  // thresholds below this, whose rounding would not be small, count as zero

/// An upper bound in float; NaN becomes the largest.
float rounded_up(double value) {
  return value < kFloatMost ? static_cast<float>(value) * kUp : static_cast<float>(kFloatMost);
}

/// A lower bound of a threshold in float.
float rounded_down(double value) {
  if (std::abs(value) < kFloatLeast) return 0.0f;
  return static_cast<float>(std::clamp(value, -kFloatMost, kFloatMost)) * (value > 0.0 ? 1.0f - 4.0e-7f : kUp);
}

}  // namespace

void ReferenceSubspace::setup(Vec omega, const Vec& nu, const Vec& noise, const Vec& copy_error) {
  const std::size_t p = static_cast<std::size_t>(nu.size());
  omega_ = std::move(omega);
  blocks_.assign(1, Block{});
  residuals_.clear();
  first_ = 0;
  copies_ = copy_error.size() > 0;
  block_.assign(p, 0);
  for (auto& k : k_) k.assign(p, 0.0f);
  limit_.assign(p, -1.0f);
  nu_.resize(p);
  size_.resize(p);
  const double largest = p > 0 ? nu.maxCoeff() : 0.0;
  unit_ = largest > 0.0 ? largest : 1.0;
  for (std::size_t j = 0; j < p; ++j) {
    nu_[j] = rounded_up(nu[static_cast<Index>(j)] / unit_);
    // Every bound adds at least kFloatNoise times this: inner products are kept as floats, half an ulp of each of
    // kMaxBasis terms and of the products of the estimate.
    size_[j] = nu_[j] + rounded_up(noise[static_cast<Index>(j)] / unit_ / kFloatNoise) +
               static_cast<float>(kSmallest / kFloatNoise);
    if (!copies_) continue;
    const float error = rounded_up(copy_error[static_cast<Index>(j)] / unit_ / kCopyError);
    size_[j] = std::max(size_[j], error);
  }
  left_ = nu_;
}

void ReferenceSubspace::set_limit(Index j, double limit) {
  limit_[static_cast<std::size_t>(j)] = rounded_down(limit);
}

void ReferenceSubspace::clear_limit(Index j) {
  limit_[static_cast<std::size_t>(j)] = -1.0f;
}

/// Forgets the older half of the blocks: their columns count as never read (bound nu_j |rho|), which is always valid.
void ReferenceSubspace::forget_old() {
  const std::size_t drop = blocks_.size() - kMaxBlocks / 2;
  blocks_.erase(blocks_.begin() + 1, blocks_.begin() + 1 + static_cast<std::ptrdiff_t>(drop));
  for (std::size_t j = 0; j < block_.size(); ++j) {
    if (block_[j] > drop) {
      block_[j] = static_cast<std::uint8_t>(block_[j] - drop);
    } else {
      block_[j] = 0;
      left_[j] = nu_[j];
      for (auto& k : k_) k[j] = 0.0f;
    }
  }
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
  if (blocks_.size() == static_cast<std::size_t>(kMaxBlocks)) forget_old();
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

void ReferenceSubspace::replace_sides(const Mat& used) {
  double square = 0.0;
  for (Index q = 0; q < used.cols(); ++q) {
    for (Index i = 0; i < used.rows(); ++i) {
      const double change = used(i, q) - weighted_(i, q);
      if (omega_[i] > 0.0) square += change * change / omega_[i];
    }
  }
  const double moved = std::sqrt(square);
  blocks_.back().replaced = moved + (copies_ ? (1.01 + moved) * kCopyError : 0.0);
}

void ReferenceSubspace::store(Index j, const double* k) {
  const std::size_t i = static_cast<std::size_t>(j);
  const Index q = weighted_.cols();
  double square = 0.0;
  for (Index t = 0; t < kMaxBasis; ++t) {
    const double value = t < q ? k[t] / unit_ : 0.0;
    k_[static_cast<std::size_t>(t)][i] = static_cast<float>(value);
    square += value * value;
  }
  // The rounding of nu^2 - |k|^2 is part of the bound: relative 1e-6 of nu^2 would be too much when the column lies in
  // the span, so the square root is taken of a difference that is itself rounded up.
  const double nu = static_cast<double>(nu_[i]);
  const double noise =
      kFloatNoise * static_cast<double>(size_[i] - nu_[i]) + blocks_.back().replaced * static_cast<double>(size_[i]);
  const double slack = 1e-13 * nu * nu + 2.0 * nu * noise + noise * noise;
  left_[i] = rounded_up(std::sqrt(std::max(nu * nu - square, 0.0) + slack));
  block_[i] = static_cast<std::uint8_t>(blocks_.size() - 1);
}

double ReferenceSubspace::error(Index j) const {
  const std::size_t i = static_cast<std::size_t>(j);
  return unit_ * static_cast<double>(size_[i]) * blocks_[block_[i]].replaced;
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

double ReferenceSubspace::estimate(const Query& q, Index j) const {
  const std::size_t i = static_cast<std::size_t>(j), b = block_[i];
  double sum = 0.0;
  for (std::size_t t = 0; t < static_cast<std::size_t>(kMaxBasis); ++t) {
    sum += static_cast<double>(k_[t][i]) * static_cast<double>(q.unit.a[t][b]);
  }
  return unit_ * q.norm * sum;
}

double ReferenceSubspace::bound(const Query& q, Index j) const {
  const std::size_t i = static_cast<std::size_t>(j), b = block_[i];
  return std::abs(estimate(q, j)) +
         unit_ * q.norm * static_cast<double>(q.unit.rest[b] * left_[i] + q.unit.loose[b] * size_[i]);
}

void ReferenceSubspace::add_squares(const Query& q, Index first, double scale, Vec& bounds, Vec& estimates) const {
  const double norm = unit_ * q.norm / scale;
  for (Index k = 0; k < bounds.size(); ++k) {
    const std::size_t j = static_cast<std::size_t>(first + k), b = block_[j];
    float product = 0.0f;
    for (std::size_t t = 0; t < static_cast<std::size_t>(kMaxBasis); ++t) product += k_[t][j] * q.unit.a[t][b];
    const float bound = std::abs(product) + q.unit.rest[b] * left_[j] + q.unit.loose[b] * size_[j];
    const double high = norm * static_cast<double>(bound), guess = norm * static_cast<double>(product);
    bounds[k] += high * high;
    estimates[k] += guess * guess;
  }
}

void ReferenceSubspace::decide(const Query& q, double threshold, double promising, Index first,
                               std::span<std::uint8_t> flags) const {
  KnownColumns columns{};
  for (std::size_t t = 0; t < k_.size(); ++t) columns.k[t] = k_[t].data();
  columns.left = left_.data();
  columns.size = size_.data();
  columns.limit = limit_.data();
  columns.block = block_.data();
  const double norm = unit_ * q.norm;
  kernels().decide_columns(columns, first, static_cast<Index>(flags.size()), q.unit, rounded_down(threshold / norm),
                           rounded_down(promising / norm), flags.data());
}

}  // namespace riata
