#include "certify/reference_columns.hpp"

#include <algorithm>
#include <cmath>

#include "certify/float_bounds.hpp"
#include "kernel/kernels.hpp"

namespace riata {
namespace {

constexpr float kSmallest = 1e-30f;  // covers what underflows

}  // namespace

void ReferenceColumns::setup(const Vec& nu, const Vec& noise, const Vec& copy_error, double largest_norm) {
  const std::size_t p = static_cast<std::size_t>(nu.size());
  block_.assign(p, 0);
  for (auto& k : k_) k.assign(p, 0.0f);
  limit_.assign(p, -1.0f);
  nu_.resize(p);
  size_.resize(p);
  unit_ = largest_norm > 0.0 ? largest_norm : 1.0;
  for (std::size_t j = 0; j < p; ++j) {
    nu_[j] = rounded_up(nu[static_cast<Index>(j)] / unit_);
    // Every bound adds at least kFloatNoise times this: inner products are kept as floats, half an ulp of each of
    // kMaxBasis terms and of the products of the estimate.
    size_[j] = nu_[j] + rounded_up(noise[static_cast<Index>(j)] / unit_ / kFloatNoise) +
               static_cast<float>(kSmallest / kFloatNoise);
    if (copy_error.size() == 0) continue;
    const float error = rounded_up(copy_error[static_cast<Index>(j)] / unit_ / kCopyError);
    size_[j] = std::max(size_[j], error);
  }
  left_ = nu_;
}

void ReferenceColumns::set_limit(Index j, double limit) {
  limit_[static_cast<std::size_t>(j)] = rounded_down(limit);
}

void ReferenceColumns::clear_limit(Index j) {
  limit_[static_cast<std::size_t>(j)] = -1.0f;
}

void ReferenceColumns::forget(Index blocks) {
  if (blocks == 0) return;
  for (std::size_t j = 0; j < block_.size(); ++j) {
    if (block_[j] > blocks) {
      block_[j] = static_cast<std::uint8_t>(block_[j] - blocks);
    } else {
      block_[j] = 0;
      left_[j] = nu_[j];
      for (auto& k : k_) k[j] = 0.0f;
    }
  }
}

void ReferenceColumns::copy_numbers(Index j, float* to) const {
  for (const auto& k : k_) *to++ = k[static_cast<std::size_t>(j)];
  *to = left_[static_cast<std::size_t>(j)];
}

void ReferenceColumns::Numbers::copy(std::size_t j, float* to) const {
  for (const auto& each : k) *to++ = each[j];
  *to = left[j];
}

void ReferenceColumns::restore(Index j, std::uint8_t block, const float* numbers) {
  for (auto& k : k_) k[static_cast<std::size_t>(j)] = *numbers++;
  left_[static_cast<std::size_t>(j)] = *numbers;
  block_[static_cast<std::size_t>(j)] = block;
}

void ReferenceColumns::store(Index j, const double* k, const ReferenceSubspace::OpenBlock& open) {
  const std::size_t i = static_cast<std::size_t>(j);
  double square = 0.0;
  for (Index t = 0; t < kMaxBasis; ++t) {
    const double value = t < open.size ? k[t] / unit_ : 0.0;
    k_[static_cast<std::size_t>(t)][i] = static_cast<float>(value);
    square += value * value;
  }
  // The rounding of nu^2 - |k|^2 is part of the bound: relative 1e-6 of nu^2 would be too much when the column lies in
  // the span, so the square root is taken of a difference that is itself rounded up.
  const double nu = static_cast<double>(nu_[i]);
  const double noise =
      kFloatNoise * static_cast<double>(size_[i] - nu_[i]) + open.replaced * static_cast<double>(size_[i]);
  const double slack = 1e-13 * nu * nu + 2.0 * nu * noise + noise * noise;
  left_[i] = rounded_up(std::sqrt(std::max(nu * nu - square, 0.0) + slack));
  block_[i] = open.number;
}

double ReferenceColumns::error(Index j, double replaced) const {
  return unit_ * static_cast<double>(size_[static_cast<std::size_t>(j)]) * replaced;
}

double ReferenceColumns::estimate(const Query& q, Index j) const {
  const std::size_t i = static_cast<std::size_t>(j), b = block_[i];
  double sum = 0.0;
  for (std::size_t t = 0; t < static_cast<std::size_t>(kMaxBasis); ++t) {
    sum += static_cast<double>(k_[t][i]) * static_cast<double>(q.unit.a[t][b]);
  }
  return unit_ * q.norm * sum;
}

double ReferenceColumns::bound(const Query& q, Index j) const {
  const std::size_t i = static_cast<std::size_t>(j), b = block_[i];
  return std::abs(estimate(q, j)) +
         unit_ * q.norm * static_cast<double>(q.unit.rest[b] * left_[i] + q.unit.loose[b] * size_[i]);
}

void ReferenceColumns::add_squares(const Query& q, Index first, double scale, Vec& bounds, Vec& estimates) const {
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

void ReferenceColumns::decide(const Query& q, double threshold, double promising, Index first,
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
