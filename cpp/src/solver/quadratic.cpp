#include "solver/quadratic.hpp"

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <numeric>
#include <utility>

#include "kernel/kernels.hpp"
#include "parallel.hpp"

namespace riata {

void Quadratic::set_working(std::vector<Index> positions, std::vector<double> inv_scale) {
  positions_ = std::move(positions);
  inv_scale_ = Eigen::Map<const Vec>(inv_scale.data(), static_cast<Index>(inv_scale.size()));
  pool_centre_.conservativeResize(pool_.cols());
  has_centre_.resize(static_cast<std::size_t>(pool_.cols()), 0);
  diagonal_.resize(0);
}

void Quadratic::expand(const Vec* new_h, const Vec& u0, const Vec& b0, const Vec& c0,
                       std::unique_ptr<const Curvature> coupling) {
  if (new_h != nullptr) {
    weights_.h = *new_h;
    coupling_ = std::move(coupling);
    weights_.sum = weights_.h.sum();
    weights_.uniform = weights_.h.size() > 0 && weights_.h.minCoeff() == weights_.h.maxCoeff();
    std::fill(has_centre_.begin(), has_centre_.end(), 0);
    diagonal_.resize(0);
    pool_diagonal_.resize(0);
    gram_size_ = 0;
  }
  origin_.u = u0;
  origin_.b = b0;
  origin_.c = c0;
  point_.t.setZero(u0.size());
  point_.u = u0;
  point_.lag.setZero(outputs_);
}

void Quadratic::ensure_centres(std::span<const Index> features) {
  std::vector<Index>& missing = scratch_.missing;
  missing.clear();
  for (Index w : features) {
    const Index k = positions_[static_cast<std::size_t>(w)];
    if (has_centre_[static_cast<std::size_t>(k)]) continue;
    has_centre_[static_cast<std::size_t>(k)] = 1;
    pool_centre_[k] = 0.0;
    if (intercept_) missing.push_back(k);
  }
  if (missing.empty()) return;
  auto sums = scratch_.sums.shape(static_cast<Index>(missing.size()), 1);
  pool_.correlate(missing, weights_.h, sums, threads_for(missing, 1));
  for (std::size_t i = 0; i < missing.size(); ++i)
    pool_centre_[missing[i]] = sums(static_cast<Index>(i), 0) / weights_.sum;
}

/// Their columns in the pool.
std::span<const Index> Quadratic::positions_of(std::span<const Index> features) {
  scratch_.columns.clear();
  for (const Index w : features) scratch_.columns.push_back(positions_[static_cast<std::size_t>(w)]);
  return scratch_.columns;
}

/// Xs(:, features).
MatMap Quadratic::centred_columns(std::span<const Index> features, Room& room) {
  const auto columns = positions_of(features);
  auto out = room.shape(pool_.rows(), static_cast<Index>(columns.size()));
  pool_.gather(columns, out, threads_for(columns, 1));
  for (Index r = 0; r < out.cols(); ++r) {
    const Index w = features[static_cast<std::size_t>(r)];
    out.col(r) = (out.col(r).array() - centre(w)) * inv_scale_[w];
  }
  return out;
}

/// columns <- diag(h) columns, or what takes its place; of all outputs.
void Quadratic::apply_weights(MatOut columns) const {
  if (coupling_) return coupling_->multiply(columns);
  for (Index r = 0; r < columns.cols(); ++r)
    columns.col(r).reshaped(weights_.h.size(), outputs_).array().colwise() *= weights_.h.array();
}

/// The columns as one matrix: where they lie, if they are evenly spaced in memory, else a copy.
Eigen::Map<const Mat, 0, Eigen::OuterStride<>> Quadratic::plain_columns(std::span<const Index> positions) {
  const double* const first = pool_.contiguous(positions.front());
  const auto copied = [&] {
    auto copy = scratch_.gathered.shape(pool_.rows(), static_cast<Index>(positions.size()));
    pool_.gather(positions, copy, threads_for(positions, 1));
    return Eigen::Map<const Mat, 0, Eigen::OuterStride<>>(copy.data(), copy.rows(), copy.cols(),
                                                          Eigen::OuterStride<>(copy.rows()));
  };
  const Index count = static_cast<Index>(positions.size());
  const auto place = [&](Index k) {
    const double* const line = pool_.contiguous(positions[static_cast<std::size_t>(k)]);
    return static_cast<Index>(reinterpret_cast<std::intptr_t>(line) - reinterpret_cast<std::intptr_t>(first));
  };
  const Index apart = count > 1 ? place(1) : pool_.rows() * static_cast<Index>(sizeof(double));
  if (apart <= 0 || apart % static_cast<Index>(sizeof(double)) != 0) return copied();
  for (Index k = 2; k < count; ++k) {
    if (place(k) != k * apart) return copied();
  }
  return Eigen::Map<const Mat, 0, Eigen::OuterStride<>>(
      first, pool_.rows(), count, Eigen::OuterStride<>(apart / static_cast<Index>(sizeof(double))));
}

/// Column r is Xs of entries[r], in its output, zero in the others. To be used before the next call.
MatMap Quadratic::embed(std::span<const Index> entries) {
  std::vector<Index>& features = scratch_.features;
  features.clear();
  for (const Index e : entries) features.push_back(e / outputs_);
  ensure_centres(features);
  auto columns = centred_columns(features, scratch_.gathered);
  if (outputs_ == 1) return columns;
  const Index n = pool_.rows();
  auto out = scratch_.weighted.shape(n * outputs_, columns.cols());
  out.setZero();
  for (Index r = 0; r < out.cols(); ++r) {
    out.col(r).segment(entries[static_cast<std::size_t>(r)] % outputs_ * n, n) = columns.col(r);
  }
  return out;
}

int Quadratic::threads_for(Columns columns, Index sides) const {
  return worth_threads(threads_, pool_.multiplications(static_cast<Index>(columns.size()), sides));
}

double Quadratic::column_cost() const {
  if (use_gram_) return 40.0 + 0.24 * static_cast<double>(size());
  const double bytes = pool_.bytes() / static_cast<double>(std::max<Index>(pool_.cols(), 1));
  return 40.0 + std::max(0.03 * bytes, 0.08 * pool_.multiplications(1, 1));
}

double Quadratic::update_cost() const {
  return column_cost() + (coupling_ ? 10.0 * static_cast<double>(pool_.rows() * outputs_) : 0.0);
}

/// out = Xs values (features x K), all outputs.
void Quadratic::multiply_features(std::span<const Index> features, const MatIn& values, Eigen::Ref<Vec> out) {
  out.setZero();
  if (features.empty()) return;
  ensure_centres(features);
  const auto columns = positions_of(features);
  auto scaled = scratch_.values.shape(values.rows(), values.cols());
  scaled = values;
  auto shift = scratch_.shift.shape(outputs_);
  shift.setZero();
  for (std::size_t k = 0; k < features.size(); ++k) {
    const Index w = features[k], row = static_cast<Index>(k);
    scaled.row(row) *= inv_scale_[w];
    shift += centre(w) * scaled.row(row).transpose();
  }
  Eigen::Map<Mat> sums(out.data(), pool_.rows(), outputs_);
  pool_.multiply(columns, scaled, sums, threads_for(columns, outputs_));
  sums.rowwise() -= shift.transpose();
}

void Quadratic::hessian_product(std::span<const Index> features, const MatIn& v, MatOut out) {
  auto image = scratch_.image.shape(pool_.rows() * outputs_);
  multiply_features(features, v, image);
  apply_weights(image);
  const auto columns = positions_of(features);
  const Eigen::Map<const Mat> sides(image.data(), pool_.rows(), outputs_);
  pool_.correlate(columns, sides, out, threads_for(columns, outputs_));
  for (Index i = 0; i < out.rows(); ++i) out.row(i) *= inv_scale_[features[static_cast<std::size_t>(i)]];
}

void Quadratic::correlate(std::span<const Index> features, const Vec& rows, Vec& c) {
  assert(outputs_ == 1);
  const auto columns = positions_of(features);
  auto products = scratch_.products.shape(static_cast<Index>(columns.size()), 1);
  if (!columns.empty()) pool_.correlate(columns, rows, products, threads_for(columns, 1));
  c.resize(products.rows());
  for (Index i = 0; i < c.size(); ++i) {
    c[i] = products(i, 0) * inv_scale_[features[static_cast<std::size_t>(i)]];
  }
}

void Quadratic::combine(std::span<const Index> features, const Vec& values, Vec& out) {
  assert(outputs_ == 1);
  out.resize(pool_.rows());
  multiply_features(features, values, out);
}

void Quadratic::columns_less(std::span<const Index> features, std::span<const double> centres, MatOut out) {
  const auto columns = positions_of(features);
  pool_.gather(columns, out, threads_for(columns, 1));
  for (Index r = 0; r < out.cols(); ++r) {
    const std::size_t i = static_cast<std::size_t>(r);
    out.col(r) = (out.col(r).array() - centres[i]) * inv_scale_[features[i]];
  }
}

double Quadratic::mean_of(Index feature) {
  ensure_centres(std::span(&feature, 1));
  return centre(feature);
}

void Quadratic::move_to(const Vec& b) {
  std::vector<Index>& moved = scratch_.features;
  moved.clear();
  for (Index w = 0; w < features(); ++w) {
    if (b.segment(w * outputs_, outputs_) != origin_.b.segment(w * outputs_, outputs_)) moved.push_back(w);
  }
  auto change = scratch_.change.shape(static_cast<Index>(moved.size()), outputs_);
  for (std::size_t k = 0; k < moved.size(); ++k) {
    const Index first = moved[k] * outputs_;
    change.row(static_cast<Index>(k)) = (b - origin_.b).segment(first, outputs_).transpose();
  }
  multiply_features(moved, change, point_.t);
  point_.u = point_.t;
  apply_weights(point_.u);
  point_.u = origin_.u - point_.u;
  point_.lag.setZero(outputs_);
}

const Vec& Quadratic::predictor_change(const Vec& b) {
  move_to(b);
  return point_.t;
}

void Quadratic::correlations(const Vec& b, std::span<const Index> where, Vec& c) {
  if (use_gram_) {
    gram();
    std::vector<Index>& moved = scratch_.features;
    moved.clear();
    for (Index w = 0; w < size(); ++w) {
      if (b[w] != origin_.b[w]) moved.push_back(w);
    }
    if (where.size() * 2 >= static_cast<std::size_t>(size())) {
      Vec& whole = scratch_.c;
      whole = origin_.c;
      for (Index w : moved) kernels().axpy(origin_.b[w] - b[w], gram_.col(w).data(), whole.data(), size());
      for (Index i : where) c[i] = whole[i];
    } else {
      for (Index i : where) {
        double sum = origin_.c[i];
        for (Index w : moved) sum -= gram_(w, i) * (b[w] - origin_.b[w]);
        c[i] = sum;
      }
    }
    return;
  }
  move_to(b);
  // Entries of one feature, one after the other, share its column.
  scratch_.columns.clear();
  Index last = -1;
  for (Index e : where) {
    if (std::exchange(last, e / outputs_) != e / outputs_) {
      scratch_.columns.push_back(positions_[static_cast<std::size_t>(e / outputs_)]);
    }
  }
  const Eigen::Map<const Mat> sides(point_.u.data(), pool_.rows(), outputs_);
  auto products = scratch_.products.shape(static_cast<Index>(scratch_.columns.size()), outputs_);
  pool_.correlate(scratch_.columns, sides, products, threads_for(scratch_.columns, outputs_));
  Index row = -1;
  last = -1;
  for (Index e : where) {
    const Index w = e / outputs_;
    if (std::exchange(last, w) != w) ++row;
    c[e] = products(row, e % outputs_) * inv_scale_[w];  // sum(u) = 0 or centre = 0
  }
}

}  // namespace riata
