#include "riata/solver/quadratic.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>

#include "riata/kernel/kernels.hpp"
#include "riata/parallel.hpp"

namespace riata {
namespace {

constexpr Index kBlock = 48;  // columns weighted and multiplied together

}  // namespace

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
    h_ = *new_h;
    coupling_ = std::move(coupling);
    h_sum_ = h_.sum();
    h_uniform_ = h_.size() > 0 && h_.minCoeff() == h_.maxCoeff();
    std::fill(has_centre_.begin(), has_centre_.end(), 0);
    diagonal_.resize(0);
    pool_diagonal_.resize(0);
    gram_size_ = 0;
  }
  u0_ = u0;
  b0_ = b0;
  c0_ = c0;
  t_.setZero(u0.size());
  u_ = u0;
  lag_ = 0.0;
}

void Quadratic::ensure_centres(std::span<const Index> features) {
  std::vector<Index> missing;
  for (Index w : features) {
    const Index k = positions_[static_cast<std::size_t>(w)];
    if (has_centre_[static_cast<std::size_t>(k)]) continue;
    has_centre_[static_cast<std::size_t>(k)] = 1;
    pool_centre_[k] = 0.0;
    if (intercept_) missing.push_back(k);
  }
  if (missing.empty()) return;
  Mat sums(static_cast<Index>(missing.size()), 1);
  pool_.correlate(missing, h_, sums, threads_for(missing, 1));
  for (std::size_t i = 0; i < missing.size(); ++i) pool_centre_[missing[i]] = sums(static_cast<Index>(i), 0) / h_sum_;
}

/// out(:, r) = Xs(:, features[r]).
void Quadratic::centred_columns(std::span<const Index> features, Mat& out) const {
  std::vector<Index> columns;
  for (Index w : features) columns.push_back(positions_[static_cast<std::size_t>(w)]);
  out.resize(pool_.rows(), static_cast<Index>(columns.size()));
  pool_.gather(columns, out, threads_for(columns, 1));
  for (Index r = 0; r < out.cols(); ++r) {
    const Index w = features[static_cast<std::size_t>(r)];
    out.col(r) = (out.col(r).array() - centre(w)) * inv_scale_[w];
  }
}

/// columns <- diag(h) columns, or what takes its place.
void Quadratic::weigh(MatOut columns) const {
  if (coupling_) return coupling_->multiply(columns);
  for (Index r = 0; r < columns.cols(); ++r) columns.col(r).array() *= h_.array();
}

/// The columns as one matrix: where they lie, if they are evenly spaced in memory, else in `copy`.
Eigen::Map<const Mat, 0, Eigen::OuterStride<>> Quadratic::plain_columns(std::span<const Index> positions,
                                                                        Mat& copy) const {
  const double* const first = pool_.contiguous(positions.front());
  const auto copied = [&] {
    copy.resize(pool_.rows(), static_cast<Index>(positions.size()));
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

void Quadratic::gram_block(std::span<const Index> rows, std::span<const Index> cols, Mat& out) {
  const Index n_rows = static_cast<Index>(rows.size()), n_cols = static_cast<Index>(cols.size());
  out.resize(n_rows, n_cols);
  if (use_gram_) {
    gram();
    for (Index r = 0; r < n_cols; ++r) {
      for (Index i = 0; i < n_rows; ++i) {
        out(i, r) = gram_(rows[static_cast<std::size_t>(i)], cols[static_cast<std::size_t>(r)]);
      }
    }
    return;
  }
  ensure_centres(rows);
  ensure_centres(cols);
  std::vector<Index> columns;
  Vec row_scale(n_rows), row_centre(n_rows);
  for (Index i = 0; i < n_rows; ++i) {
    const Index w = rows[static_cast<std::size_t>(i)];
    columns.push_back(positions_[static_cast<std::size_t>(w)]);
    row_scale[i] = inv_scale_[w];
    row_centre[i] = centre(w);
  }
  std::vector<Index> others;
  for (Index w : cols) others.push_back(positions_[static_cast<std::size_t>(w)]);
  if (!coupling_ && pool_.cross_products(columns, others, h_, out, threads_for(columns, n_cols))) {
    for (Index r = 0; r < n_cols; ++r) {
      const Index w = cols[static_cast<std::size_t>(r)];
      out.col(r) = (out.col(r) - row_centre * (h_sum_ * centre(w))).cwiseProduct(row_scale) * inv_scale_[w];
    }
    return;
  }
  Mat weighted;
  for (Index begin = 0; begin < n_cols; begin += kBlock) {
    const Index count = std::min(kBlock, n_cols - begin);
    MatOut target = out.middleCols(begin, count);
    const auto block = cols.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count));
    const auto positions = std::span(others).subspan(static_cast<std::size_t>(begin), block.size());
    // Equal weights are taken out of the sums, and means that are small.
    if (h_uniform_ && !coupling_ && small_means_ && pool_.contiguous(positions.front()) != nullptr) {
      pool_.correlate(columns, plain_columns(positions, weighted), target, threads_for(columns, count));
      for (Index r = 0; r < count; ++r) {
        const Index w = block[static_cast<std::size_t>(r)];
        target.col(r) =
            (h_[0] * target.col(r) - row_centre * (h_sum_ * centre(w))).cwiseProduct(row_scale) * inv_scale_[w];
      }
      continue;
    }
    centred_columns(block, weighted);
    weigh(weighted);
    pool_.correlate(columns, weighted, target, threads_for(columns, count));
    for (Index r = 0; r < count; ++r) {
      const double sum = weighted.col(r).sum();
      target.col(r) = (target.col(r) - row_centre * sum).cwiseProduct(row_scale);
    }
  }
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
  return column_cost() + (coupling_ ? 10.0 * static_cast<double>(pool_.rows()) : 0.0);
}

const Mat& Quadratic::gram() {
  const Index total = size();
  if (gram_size_ == total) return gram_;
  const Index old = gram_size_;
  gram_.conservativeResize(total, total);
  gram_size_ = total;
  std::vector<Index> all(static_cast<std::size_t>(total)), fresh;
  std::iota(all.begin(), all.end(), Index{0});
  for (Index w = old; w < total; ++w) fresh.push_back(w);
  const bool mode = std::exchange(use_gram_, false);  // the block below must come from the columns
  Mat block;
  for (Index begin = old; begin < total; begin += kBlock) {
    const Index count = std::min(kBlock, total - begin);
    // Rows up to the end of this block; the rest follows by symmetry.
    gram_block(std::span(all).first(static_cast<std::size_t>(begin + count)),
               std::span(all).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count)), block);
    gram_.block(0, begin, begin + count, count) = block;
    gram_.block(begin, 0, count, begin) = block.topRows(begin).transpose();
  }
  use_gram_ = mode;
  return gram_;
}

Mat Quadratic::gram_product(const Mat& vectors) {
  const Mat& all = gram();
  std::vector<const double*> lines;
  for (Index w = 0; w < size(); ++w) lines.push_back(all.col(w).data());
  Mat out(size(), vectors.cols());
  kernels().correlate_f64(lines.data(), size(), size(), vectors.data(), vectors.outerStride(), vectors.cols(),
                          out.data(), out.outerStride());
  return out;
}

const Vec& Quadratic::diagonal() {
  if (diagonal_.size() == size()) return diagonal_;
  if (use_gram_) return diagonal_ = gram().diagonal();
  if (coupling_) return diagonal_ = coupled_diagonal();
  if (pool_diagonal_.size() != pool_.cols()) {
    std::vector<Index> all(static_cast<std::size_t>(pool_.cols()));
    std::iota(all.begin(), all.end(), Index{0});
    Mat mean(pool_.cols(), 1), variance(pool_.cols(), 1);
    pool_.moments(all, h_ / h_sum_, mean, variance, worth_threads(threads_, pool_.multiplications(pool_.cols(), 2)));
    pool_diagonal_ = h_sum_ * variance.col(0);
    if (!intercept_) pool_diagonal_ += h_sum_ * mean.col(0).cwiseAbs2();
  }
  diagonal_.resize(size());
  for (Index w = 0; w < size(); ++w) {
    diagonal_[w] = pool_diagonal_[positions_[static_cast<std::size_t>(w)]] * inv_scale_[w] * inv_scale_[w];
  }
  return diagonal_;
}

Vec Quadratic::coupled_diagonal() {
  std::vector<Index> all(static_cast<std::size_t>(size()));
  std::iota(all.begin(), all.end(), Index{0});
  ensure_centres(all);
  Vec out(size());
  Mat columns, weighted;
  for (Index first = 0; first < size(); first += kBlock) {
    const Index count = std::min(kBlock, size() - first);
    centred_columns(std::span(all).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)), columns);
    weighted = columns;
    weigh(weighted);
    out.segment(first, count) = columns.cwiseProduct(weighted).colwise().sum();
  }
  return out;
}

void Quadratic::refresh(const Vec& b) {
  std::vector<Index> moved, columns;
  for (Index w = 0; w < size(); ++w) {
    if (b[w] != b0_[w]) {
      moved.push_back(w);
      columns.push_back(positions_[static_cast<std::size_t>(w)]);
    }
  }
  if (moved.empty()) {
    t_.setZero();
  } else {
    ensure_centres(moved);
    Mat change(static_cast<Index>(moved.size()), 1);
    double shift = 0.0;
    for (std::size_t k = 0; k < moved.size(); ++k) {
      const Index w = moved[k];
      const double d = (b[w] - b0_[w]) * inv_scale_[w];
      change(static_cast<Index>(k), 0) = d;
      shift += centre(w) * d;
    }
    Eigen::Map<Mat> out(t_.data(), t_.size(), 1);
    pool_.multiply(columns, change, out, threads_for(columns, 1));
    t_.array() -= shift;
  }
  u_ = t_;
  weigh(u_);
  u_ = u0_ - u_;
  lag_ = 0.0;
}

const Vec& Quadratic::predictor_change(const Vec& b) {
  refresh(b);
  return t_;
}

void Quadratic::correlations(const Vec& b, std::span<const Index> where, Vec& c) {
  if (use_gram_) {
    gram();
    std::vector<Index> moved;
    for (Index w = 0; w < size(); ++w) {
      if (b[w] != b0_[w]) moved.push_back(w);
    }
    if (where.size() * 2 >= static_cast<std::size_t>(size())) {
      Vec whole = c0_;
      for (Index w : moved) kernels().axpy(b0_[w] - b[w], gram_.col(w).data(), whole.data(), size());
      for (Index i : where) c[i] = whole[i];
    } else {
      for (Index i : where) {
        double sum = c0_[i];
        for (Index w : moved) sum -= gram_(w, i) * (b[w] - b0_[w]);
        c[i] = sum;
      }
    }
    return;
  }
  refresh(b);
  scratch_columns_.clear();
  for (Index w : where) scratch_columns_.push_back(positions_[static_cast<std::size_t>(w)]);
  scratch_.resize(static_cast<Index>(where.size()), 1);
  pool_.correlate(scratch_columns_, u_, scratch_, threads_for(scratch_columns_, 1));
  Index k = 0;
  for (Index w : where) c[w] = scratch_(k++, 0) * inv_scale_[w];  // sum(u) = 0 or centre = 0
}

double Quadratic::column_correlation(Index w) {
  ensure_centres(std::span(&w, 1));
  const double raw = pool_.dot(positions_[static_cast<std::size_t>(w)], u_.data());
  return (raw + lag_ * h_sum_ * centre(w)) * inv_scale_[w];
}

void Quadratic::column_update(Index w, double change) {
  ensure_centres(std::span(&w, 1));
  if (coupling_) {
    centred_columns(std::span(&w, 1), scratch_);
    weigh(scratch_);
    u_ -= change * scratch_.col(0);
    return;
  }
  const double d = change * inv_scale_[w];
  const Index k = positions_[static_cast<std::size_t>(w)];
  if (h_uniform_) {
    pool_.axpy(k, -d * h_[0], u_.data());
  } else {
    pool_.axpy_weighted(k, -d, h_.data(), u_.data());
  }
  lag_ += d * centre(w);
}

}  // namespace riata
