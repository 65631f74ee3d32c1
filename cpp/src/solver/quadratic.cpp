#include "solver/quadratic.hpp"

#include <algorithm>
#include <cassert>
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
  lag_ = Vec::Zero(outputs_);
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

/// columns <- diag(h) columns, or what takes its place; of all outputs.
void Quadratic::weigh(MatOut columns) const {
  if (coupling_) return coupling_->multiply(columns);
  for (Index r = 0; r < columns.cols(); ++r)
    columns.col(r).reshaped(h_.size(), outputs_).array().colwise() *= h_.array();
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
  if (use_gram_) {
    gram();
    out.resize(static_cast<Index>(rows.size()), static_cast<Index>(cols.size()));
    for (Index r = 0; r < out.cols(); ++r) {
      for (Index i = 0; i < out.rows(); ++i) {
        out(i, r) = gram_(rows[static_cast<std::size_t>(i)], cols[static_cast<std::size_t>(r)]);
      }
    }
  } else if (coupling_) {
    coupled_gram(rows, cols, out);
  } else {
    assert(outputs_ == 1);
    feature_gram(rows, cols, out);
  }
}

/// out(:, r) = Xs of entries[r], in its output, zero in the others.
void Quadratic::embed(std::span<const Index> entries, Mat& out) {
  std::vector<Index> features;
  for (const Index e : entries) features.push_back(e / outputs_);
  ensure_centres(features);
  if (outputs_ == 1) return centred_columns(features, out);
  const Index n = pool_.rows();
  Mat columns;
  centred_columns(features, columns);
  out.setZero(n * outputs_, columns.cols());
  for (Index r = 0; r < out.cols(); ++r) {
    out.col(r).segment(entries[static_cast<std::size_t>(r)] % outputs_ * n, n) = columns.col(r);
  }
}

void Quadratic::coupled_gram(std::span<const Index> rows, std::span<const Index> cols, Mat& out) {
  const Index n = pool_.rows(), n_rows = static_cast<Index>(rows.size()), n_cols = static_cast<Index>(cols.size());
  out.resize(n_rows, n_cols);
  std::vector<Index> features, columns;  // of the rows, each once
  std::vector<Index> place(positions_.size(), -1);
  for (const Index e : rows) {
    Index& at = place[static_cast<std::size_t>(e / outputs_)];
    if (at >= 0) continue;
    at = static_cast<Index>(features.size());
    features.push_back(e / outputs_);
    columns.push_back(positions_[static_cast<std::size_t>(e / outputs_)]);
  }
  ensure_centres(features);
  const Index step = std::max<Index>(kBlock / outputs_, 1);
  Mat weighted, products;
  for (Index begin = 0; begin < n_cols; begin += step) {
    const Index count = std::min(step, n_cols - begin);
    embed(cols.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count)), weighted);
    weigh(weighted);
    products.resize(static_cast<Index>(columns.size()), count * outputs_);
    const Eigen::Map<const Mat> sides(weighted.data(), n, count * outputs_);
    pool_.correlate(columns, sides, products, threads_for(columns, sides.cols()));
    const Vec sums = sides.colwise().sum().transpose();
    for (Index r = 0; r < count; ++r) {
      for (Index i = 0; i < n_rows; ++i) {
        const Index e = rows[static_cast<std::size_t>(i)], w = e / outputs_, side = r * outputs_ + e % outputs_;
        const double raw = products(place[static_cast<std::size_t>(w)], side);
        out(i, begin + r) = (raw - centre(w) * sums[side]) * inv_scale_[w];
      }
    }
  }
}

void Quadratic::feature_gram(std::span<const Index> rows, std::span<const Index> cols, Mat& out) {
  const Index n_rows = static_cast<Index>(rows.size()), n_cols = static_cast<Index>(cols.size());
  out.resize(n_rows, n_cols);
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
  if (pool_.cross_products(columns, others, h_, out, threads_for(columns, n_cols))) {
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
    if (h_uniform_ && small_means_ && pool_.contiguous(positions.front()) != nullptr) {
      pool_.correlate(columns, plain_columns(positions, weighted), target, threads_for(columns, count));
      for (Index r = 0; r < count; ++r) {
        const Index w = block[static_cast<std::size_t>(r)];
        target.col(r) =
            (h_[0] * target.col(r) - row_centre * (h_sum_ * centre(w))).cwiseProduct(row_scale) * inv_scale_[w];
      }
      continue;
    }
    centred_columns(block, weighted);
    weighted.array().colwise() *= h_.array();
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
  return column_cost() + (coupling_ ? 10.0 * static_cast<double>(pool_.rows() * outputs_) : 0.0);
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
  Mat block;
  for (Index begin = old; begin < total; begin += kBlock) {
    const Index count = std::min(kBlock, total - begin);
    // Rows up to the end of this block; the rest follows by symmetry.
    feature_gram(std::span(all).first(static_cast<std::size_t>(begin + count)),
                 std::span(all).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count)), block);
    gram_.block(0, begin, begin + count, count) = block;
    gram_.block(begin, 0, count, begin) = block.topRows(begin).transpose();
  }
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
  for (Index w = 0; w < features(); ++w) {
    const double entry = pool_diagonal_[positions_[static_cast<std::size_t>(w)]] * inv_scale_[w] * inv_scale_[w];
    diagonal_.segment(w * outputs_, outputs_).setConstant(entry);
  }
  return diagonal_;
}

Vec Quadratic::coupled_diagonal() {
  std::vector<Index> all(static_cast<std::size_t>(size()));
  std::iota(all.begin(), all.end(), Index{0});
  Vec out(size());
  Mat columns, weighted;
  const Index step = std::max<Index>(kBlock / outputs_, 1);
  for (Index first = 0; first < size(); first += step) {
    const Index count = std::min(step, size() - first);
    embed(std::span(all).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)), columns);
    weighted = columns;
    weigh(weighted);
    out.segment(first, count) = columns.cwiseProduct(weighted).colwise().sum();
  }
  return out;
}

/// out = Xs values (features x K), all outputs.
void Quadratic::multiply_features(std::span<const Index> features, const Mat& values, Vec& out) {
  out.setZero(pool_.rows() * outputs_);
  if (features.empty()) return;
  ensure_centres(features);
  std::vector<Index> columns;
  Mat scaled = values;
  Vec shift = Vec::Zero(outputs_);
  for (std::size_t k = 0; k < features.size(); ++k) {
    const Index w = features[k], row = static_cast<Index>(k);
    columns.push_back(positions_[static_cast<std::size_t>(w)]);
    scaled.row(row) *= inv_scale_[w];
    shift += centre(w) * scaled.row(row).transpose();
  }
  Eigen::Map<Mat> sums(out.data(), pool_.rows(), outputs_);
  pool_.multiply(columns, scaled, sums, threads_for(columns, outputs_));
  sums.rowwise() -= shift.transpose();
}

void Quadratic::curve(std::span<const Index> features, const Mat& v, Mat& out) {
  Vec image;
  multiply_features(features, v.transpose(), image);
  weigh(image);
  std::vector<Index> columns;
  for (const Index w : features) columns.push_back(positions_[static_cast<std::size_t>(w)]);
  const Eigen::Map<const Mat> sides(image.data(), pool_.rows(), outputs_);
  Mat products(static_cast<Index>(columns.size()), outputs_);
  pool_.correlate(columns, sides, products, threads_for(columns, outputs_));
  out.resize(outputs_, products.rows());
  for (Index i = 0; i < products.rows(); ++i) {
    out.col(i) = products.row(i).transpose() * inv_scale_[features[static_cast<std::size_t>(i)]];
  }
}

void Quadratic::refresh(const Vec& b) {
  std::vector<Index> moved;
  for (Index w = 0; w < features(); ++w) {
    if (b.segment(w * outputs_, outputs_) != b0_.segment(w * outputs_, outputs_)) moved.push_back(w);
  }
  Mat change(static_cast<Index>(moved.size()), outputs_);
  for (std::size_t k = 0; k < moved.size(); ++k) {
    const Index first = moved[k] * outputs_;
    change.row(static_cast<Index>(k)) = (b - b0_).segment(first, outputs_).transpose();
  }
  multiply_features(moved, change, t_);
  u_ = t_;
  weigh(u_);
  u_ = u0_ - u_;
  lag_ = Vec::Zero(outputs_);
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
  // Entries of one feature, one after the other, share its column.
  scratch_columns_.clear();
  Index last = -1;
  for (Index e : where) {
    if (std::exchange(last, e / outputs_) != e / outputs_) {
      scratch_columns_.push_back(positions_[static_cast<std::size_t>(e / outputs_)]);
    }
  }
  const Eigen::Map<const Mat> sides(u_.data(), pool_.rows(), outputs_);
  scratch_.resize(static_cast<Index>(scratch_columns_.size()), outputs_);
  pool_.correlate(scratch_columns_, sides, scratch_, threads_for(scratch_columns_, outputs_));
  Index row = -1;
  last = -1;
  for (Index e : where) {
    const Index w = e / outputs_;
    if (std::exchange(last, w) != w) ++row;
    c[e] = scratch_(row, e % outputs_) * inv_scale_[w];  // sum(u) = 0 or centre = 0
  }
}

double Quadratic::column_correlation(Index entry) {
  const Index w = entry / outputs_, k = entry % outputs_;
  ensure_centres(std::span(&w, 1));
  const double raw = pool_.dot(positions_[static_cast<std::size_t>(w)], u_.data() + k * pool_.rows());
  return (raw + lag_[k] * h_sum_ * centre(w)) * inv_scale_[w];
}

void Quadratic::column_update(Index entry, double change) {
  if (coupling_) {
    embed(std::span(&entry, 1), scratch_);
    weigh(scratch_);
    u_ -= change * scratch_.col(0);
    return;
  }
  const Index w = entry / outputs_, k = entry % outputs_;
  ensure_centres(std::span(&w, 1));
  const double d = change * inv_scale_[w];
  const Index column = positions_[static_cast<std::size_t>(w)];
  double* const u = u_.data() + k * pool_.rows();
  if (h_uniform_) {
    pool_.axpy(column, -d * h_[0], u);
  } else {
    pool_.axpy_weighted(column, -d, h_.data(), u);
  }
  lag_[k] += d * centre(w);
}

void Quadratic::row_correlation(Index feature, Eigen::Ref<Vec> c) {
  const double* const x = pool_.contiguous(positions_[static_cast<std::size_t>(feature)]);
  if (x == nullptr) {
    for (Index k = 0; k < outputs_; ++k) c[k] = column_correlation(feature * outputs_ + k);
    return;
  }
  ensure_centres(std::span(&feature, 1));
  const Index n = pool_.rows();
  lines_.resize(static_cast<std::size_t>(outputs_));
  for (Index k = 0; k < outputs_; ++k) lines_[static_cast<std::size_t>(k)] = u_.data() + k * n;
  kernels().correlate_f64(lines_.data(), outputs_, n, x, n, 1, c.data(), outputs_);
  c = (c + lag_ * (h_sum_ * centre(feature))) * inv_scale_[feature];
}

void Quadratic::row_update(Index feature, const Eigen::Ref<const Vec>& change) {
  const double* const x = pool_.contiguous(positions_[static_cast<std::size_t>(feature)]);
  if (x == nullptr || !h_uniform_) {
    for (Index k = 0; k < outputs_; ++k) column_update(feature * outputs_ + k, change[k]);
    return;
  }
  ensure_centres(std::span(&feature, 1));
  const Index n = pool_.rows();
  const double scale = inv_scale_[feature];
  for (Index k = 0; k < outputs_; ++k) kernels().axpy(-change[k] * scale * h_[0], x, u_.data() + k * n, n);
  lag_ += change * (scale * centre(feature));
}

/// Pool columns of features that follow each other, with their centres known; lines_ are those that lie in memory.
std::span<const Index> Quadratic::block_columns(Index first, Index size) {
  const auto columns =
      std::span<const Index>(positions_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(size));
  bool known = true;
  lines_.clear();
  for (const Index k : columns) {
    known = known && has_centre_[static_cast<std::size_t>(k)] != 0;
    if (const double* const line = pool_.contiguous(k)) lines_.push_back(line);
  }
  if (known) return columns;
  scratch_features_.resize(columns.size());
  std::iota(scratch_features_.begin(), scratch_features_.end(), first);
  ensure_centres(scratch_features_);
  return columns;
}

void Quadratic::block_correlation(Index first, Eigen::Ref<Vec> c) {
  assert(outputs_ == 1);
  const auto columns = block_columns(first, c.size());
  if (lines_.size() == columns.size()) {
    kernels().correlate_f64(lines_.data(), c.size(), pool_.rows(), u_.data(), pool_.rows(), 1, c.data(), c.size());
  } else {
    scratch_.resize(c.size(), 1);
    pool_.correlate(columns, u_, scratch_, 1);
    c = scratch_.col(0);
  }
  for (Index i = 0; i < c.size(); ++i) {
    c[i] = (c[i] + lag_[0] * h_sum_ * centre(first + i)) * inv_scale_[first + i];
  }
}

void Quadratic::block_update(Index first, const Eigen::Ref<const Vec>& change) {
  assert(outputs_ == 1);
  const auto columns = block_columns(first, change.size());
  scratch_values_ = change.cwiseProduct(inv_scale_.segment(first, change.size()));
  double shift = 0.0;
  for (Index i = 0; i < change.size(); ++i) shift += scratch_values_(i, 0) * centre(first + i);
  scratch_.setZero(pool_.rows(), 1);
  if (lines_.size() == columns.size()) {
    kernels().multiply_f64(lines_.data(), change.size(), pool_.rows(), scratch_values_.data(), change.size(), 1,
                           scratch_.data(), pool_.rows());
  } else {
    pool_.multiply(columns, scratch_values_, scratch_, 1);
  }
  if (coupling_) {
    scratch_.array() -= shift;
    coupling_->multiply(scratch_);
    u_ -= scratch_;
    return;
  }
  u_.array() -= h_.array() * (scratch_.col(0).array() - shift);
}

double Quadratic::squares() const {
  double sum = 0.0;
  for (Index k = 0; k < outputs_; ++k) {
    const auto u = u_.segment(k * h_.size(), h_.size()).array();
    sum += (h_.array() > 0.0).select((u + lag_[k] * h_.array()).square() / h_.array(), 0.0).sum();
  }
  return 0.5 * sum;
}

}  // namespace riata
