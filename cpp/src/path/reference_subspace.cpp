#include "riata/path/reference_subspace.hpp"

#include <algorithm>
#include <cmath>

namespace riata {
namespace {

constexpr std::size_t kMaxBlocks = 64;
constexpr float kSmallest = 1e-30f;    // covers what underflows
constexpr float kUp = 1.0f + 4.0e-7f;  // rounds a float bound upwards

}  // namespace

void ReferenceSubspace::setup(Vec omega, const Vec& nu, const Vec& noise) {
  const std::size_t p = static_cast<std::size_t>(nu.size());
  omega_ = std::move(omega);
  blocks_.assign(1, Block{Mat(omega_.size(), 0)});
  block_.assign(p, 0);
  k_.assign(p * kMaxBasis, 0.0f);
  nu_.resize(p);
  noise_.resize(p);
  const double largest = p > 0 ? nu.maxCoeff() : 0.0;
  unit_ = largest > 0.0 ? largest : 1.0;
  for (std::size_t j = 0; j < p; ++j) {
    nu_[j] = static_cast<float>(nu[static_cast<Index>(j)] / unit_) * kUp;
    // Inner products are kept as floats: half an ulp of each of kMaxBasis terms, and the products of the estimate.
    noise_[j] = (8.0f * 1.2e-7f) * nu_[j] + static_cast<float>(noise[static_cast<Index>(j)] / unit_) * kUp + kSmallest;
  }
  left_ = nu_;
}

const Mat& ReferenceSubspace::open_block(std::span<const Vec* const> residuals) {
  if (blocks_.size() == kMaxBlocks) {
    // Forget the oldest half: their columns count as never read (bound nu_j |rho|), which is always valid.
    const std::size_t keep = kMaxBlocks / 2, drop = blocks_.size() - keep;
    blocks_.erase(blocks_.begin() + 1, blocks_.begin() + 1 + static_cast<std::ptrdiff_t>(drop));
    for (std::size_t j = 0; j < block_.size(); ++j) {
      if (block_[j] > drop) {
        block_[j] = static_cast<std::uint16_t>(block_[j] - drop);
      } else {
        block_[j] = 0;
        left_[j] = nu_[j];
        std::fill_n(k_.begin() + static_cast<std::ptrdiff_t>(j * kMaxBasis), kMaxBasis, 0.0f);
      }
    }
  }
  Block block{Mat(omega_.size(), kMaxBasis)};
  Index q = 0;
  for (const Vec* rho : residuals) {
    if (q == kMaxBasis) break;
    Vec v = (omega_.array() > 0.0).select(*rho, 0.0);
    const double largest = v.cwiseAbs().maxCoeff();
    if (!(largest > 0.0)) continue;
    v /= largest;
    v /= std::sqrt((omega_.array() * v.array().square()).sum());
    for (int twice = 0; twice < 2; ++twice) {
      for (Index t = 0; t < q; ++t) v -= block.basis.col(t) * (omega_.array() * block.basis.col(t).array() * v.array()).sum();
    }
    const double left = std::sqrt((omega_.array() * v.array().square()).sum());
    if (q > 0 && left < 1e-8) continue;
    block.basis.col(q++) = v / left;
  }
  block.basis.conservativeResize(Eigen::NoChange, q);
  weighted_ = omega_.asDiagonal() * block.basis;
  blocks_.push_back(std::move(block));
  return weighted_;
}

void ReferenceSubspace::store(Index j, const double* k) {
  const std::size_t i = static_cast<std::size_t>(j);
  const Index q = weighted_.cols();
  double square = 0.0;
  for (Index t = 0; t < kMaxBasis; ++t) {
    const double value = t < q ? k[t] / unit_ : 0.0;
    k_[i * kMaxBasis + static_cast<std::size_t>(t)] = static_cast<float>(value);
    square += value * value;
  }
  const double nu = static_cast<double>(nu_[i]);
  // Rounding of nu^2 - |k|^2 is part of the bound: relative 1e-6 of nu^2 would be too much when the column lies in the
  // span, so the square root is taken of a difference that is itself rounded up.
  left_[i] = static_cast<float>(std::sqrt(std::max(nu * nu - square, 0.0) + 1e-13 * nu * nu)) * kUp;
  block_[i] = static_cast<std::uint16_t>(blocks_.size() - 1);
}

ReferenceSubspace::Query ReferenceSubspace::query(const Vec& rho) const {
  Query query;
  Vec masked = (omega_.array() > 0.0).select(rho, 0.0);
  const double largest = masked.cwiseAbs().maxCoeff();  // taken out before squaring
  if (largest > 0.0) {
    masked /= largest;
    const double norm = std::sqrt((omega_.array() * masked.array().square()).sum());
    masked /= norm;
    query.norm = largest * norm;
  }
  for (const Block& block : blocks_) {
    const Vec a = block.basis.transpose() * omega_.cwiseProduct(masked);
    const Vec rest = masked - block.basis * a;
    query.rest.push_back(static_cast<float>(std::sqrt((omega_.array() * rest.array().square()).sum())) * kUp);
    for (Index t = 0; t < kMaxBasis; ++t) query.coordinates.push_back(t < a.size() ? static_cast<float>(a[t]) : 0.0f);
  }
  return query;
}

}  // namespace riata
