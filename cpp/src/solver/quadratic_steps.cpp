// Quadratic: steps of one column, of a feature and of a block, without a Gram matrix.

#include "solver/quadratic.hpp"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <span>

#include "kernel/kernels.hpp"

namespace riata {

double Quadratic::column_correlation(Index entry) {
  const Index w = entry / outputs_, k = entry % outputs_;
  ensure_centres(std::span(&w, 1));
  const double raw = pool_.dot(positions_[static_cast<std::size_t>(w)], point_.u.data() + k * pool_.rows());
  return (raw + point_.lag[k] * weights_.sum * centre(w)) * inv_scale_[w];
}

void Quadratic::column_update(Index entry, double change) {
  if (coupling_) {
    auto column = embed(std::span(&entry, 1));
    apply_weights(column);
    point_.u -= change * column.col(0);
    return;
  }
  const Index w = entry / outputs_, k = entry % outputs_;
  ensure_centres(std::span(&w, 1));
  const double d = change * inv_scale_[w];
  const Index column = positions_[static_cast<std::size_t>(w)];
  double* const u = point_.u.data() + k * pool_.rows();
  if (weights_.uniform) {
    pool_.axpy(column, -d * weights_.h[0], u);
  } else {
    pool_.axpy_weighted(column, -d, weights_.h.data(), u);
  }
  point_.lag[k] += d * centre(w);
}

void Quadratic::row_correlation(Index feature, Eigen::Ref<Vec> c) {
  const double* const x = pool_.contiguous(positions_[static_cast<std::size_t>(feature)]);
  if (x == nullptr) {
    for (Index k = 0; k < outputs_; ++k) c[k] = column_correlation(feature * outputs_ + k);
    return;
  }
  ensure_centres(std::span(&feature, 1));
  const Index n = pool_.rows();
  scratch_.lines.resize(static_cast<std::size_t>(outputs_));
  for (Index k = 0; k < outputs_; ++k) scratch_.lines[static_cast<std::size_t>(k)] = point_.u.data() + k * n;
  kernels().correlate_f64(scratch_.lines.data(), outputs_, n, x, n, 1, c.data(), outputs_);
  c = (c + point_.lag * (weights_.sum * centre(feature))) * inv_scale_[feature];
}

void Quadratic::row_update(Index feature, const Eigen::Ref<const Vec>& change) {
  const double* const x = pool_.contiguous(positions_[static_cast<std::size_t>(feature)]);
  if (x == nullptr || !weights_.uniform) {
    for (Index k = 0; k < outputs_; ++k) column_update(feature * outputs_ + k, change[k]);
    return;
  }
  ensure_centres(std::span(&feature, 1));
  const Index n = pool_.rows();
  const double scale = inv_scale_[feature];
  for (Index k = 0; k < outputs_; ++k)
    kernels().axpy(-change[k] * scale * weights_.h[0], x, point_.u.data() + k * n, n);
  point_.lag += change * (scale * centre(feature));
}

bool Quadratic::moves_together(std::span<const Index> features) const {
  return coupling_ == nullptr && std::all_of(features.begin(), features.end(), [&](Index w) {
           return pool_.contiguous(positions_[static_cast<std::size_t>(w)]) != nullptr;
         });
}

/// Columns that lie in memory, with their centres known.
void Quadratic::find_lines(std::span<const Index> features) {
  ensure_centres(features);
  scratch_.lines.clear();
  for (const Index w : features) scratch_.lines.push_back(pool_.contiguous(positions_[static_cast<std::size_t>(w)]));
}

void Quadratic::rows_correlation(std::span<const Index> features, MatMap& c) {
  find_lines(features);
  const Index n = pool_.rows();
  kernels().correlate_f64(scratch_.lines.data(), c.rows(), n, point_.u.data(), n, outputs_, c.data(), c.rows());
  for (Index i = 0; i < c.rows(); ++i) {
    const Index w = features[static_cast<std::size_t>(i)];
    c.row(i) = (c.row(i) + (weights_.sum * centre(w)) * point_.lag.transpose()) * inv_scale_[w];
  }
}

void Quadratic::rows_update(std::span<const Index> features, const MatMap& change) {
  find_lines(features);
  const Index n = pool_.rows(), a = change.rows();
  auto values = scratch_.values.shape(a, outputs_);
  for (Index i = 0; i < a; ++i) {
    const Index w = features[static_cast<std::size_t>(i)];
    values.row(i) = change.row(i) * inv_scale_[w];
    point_.lag += centre(w) * values.row(i).transpose();
  }
  if (weights_.uniform) {
    values *= -weights_.h[0];
    kernels().multiply_f64(scratch_.lines.data(), a, n, values.data(), a, outputs_, point_.u.data(), n);
    return;
  }
  auto products = scratch_.products.shape(n, outputs_);
  products.setZero();
  kernels().multiply_f64(scratch_.lines.data(), a, n, values.data(), a, outputs_, products.data(), n);
  point_.u.reshaped(n, outputs_).array() -= products.array().colwise() * weights_.h.array();
}

/// Pool columns of features that follow each other, with their centres known; scratch_.lines are those that lie in
/// memory.
std::span<const Index> Quadratic::block_columns(Index first, Index size) {
  const auto columns =
      std::span<const Index>(positions_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(size));
  bool known = true;
  scratch_.lines.clear();
  for (const Index k : columns) {
    known = known && has_centre_[static_cast<std::size_t>(k)] != 0;
    if (const double* const line = pool_.contiguous(k)) scratch_.lines.push_back(line);
  }
  if (known) return columns;
  scratch_.features.resize(columns.size());
  std::iota(scratch_.features.begin(), scratch_.features.end(), first);
  ensure_centres(scratch_.features);
  return columns;
}

void Quadratic::block_correlation(Index first, Eigen::Ref<Vec> c) {
  assert(outputs_ == 1);
  const auto columns = block_columns(first, c.size());
  if (scratch_.lines.size() == columns.size()) {
    kernels().correlate_f64(scratch_.lines.data(), c.size(), pool_.rows(), point_.u.data(), pool_.rows(), 1, c.data(),
                            c.size());
  } else {
    auto products = scratch_.products.shape(c.size(), 1);
    pool_.correlate(columns, point_.u, products, 1);
    c = products.col(0);
  }
  for (Index i = 0; i < c.size(); ++i) {
    c[i] = (c[i] + point_.lag[0] * weights_.sum * centre(first + i)) * inv_scale_[first + i];
  }
}

void Quadratic::block_update(Index first, const Eigen::Ref<const Vec>& change) {
  assert(outputs_ == 1);
  const auto columns = block_columns(first, change.size());
  auto values = scratch_.values.shape(change.size(), 1);
  values = change.cwiseProduct(inv_scale_.segment(first, change.size()));
  double shift = 0.0;
  for (Index i = 0; i < change.size(); ++i) shift += values(i, 0) * centre(first + i);
  auto products = scratch_.products.shape(pool_.rows(), 1);
  products.setZero();
  if (scratch_.lines.size() == columns.size()) {
    kernels().multiply_f64(scratch_.lines.data(), change.size(), pool_.rows(), values.data(), change.size(), 1,
                           products.data(), pool_.rows());
  } else {
    pool_.multiply(columns, values, products, 1);
  }
  if (coupling_) {
    products.array() -= shift;
    coupling_->multiply(products);
    point_.u -= products.col(0);
    return;
  }
  point_.u.array() -= weights_.h.array() * (products.col(0).array() - shift);
}

double Quadratic::half_rss() const {
  double sum = 0.0;
  for (Index k = 0; k < outputs_; ++k) {
    const auto u = point_.u.segment(k * weights_.h.size(), weights_.h.size()).array();
    sum += (weights_.h.array() > 0.0)
               .select((u + point_.lag[k] * weights_.h.array()).square() / weights_.h.array(), 0.0)
               .sum();
  }
  return 0.5 * sum;
}

}  // namespace riata
