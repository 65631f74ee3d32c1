// Quadratic: Gram matrices, whole and in blocks.

#include "solver/quadratic.hpp"

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "kernel/kernels.hpp"
#include "parallel.hpp"

namespace riata {
namespace {

constexpr Index kTogether = 64;  // columns weighted and multiplied together, as many as enter a factor together
constexpr Index kBlock = 48;     // of the whole Gram matrix

}  // namespace

void Quadratic::gram_block(std::span<const Index> rows, std::span<const Index> cols, MatOut out) {
  if (use_gram_) {
    gram();
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

void Quadratic::coupled_gram(std::span<const Index> rows, std::span<const Index> cols, MatOut out) {
  const Index n = pool_.rows(), n_rows = static_cast<Index>(rows.size()), n_cols = static_cast<Index>(cols.size());
  std::vector<Index>&features = scratch_.gram.features, &columns = scratch_.gram.rows;  // of the rows, each once
  std::vector<Index>& place = scratch_.gram.place;
  features.clear();
  columns.clear();
  place.assign(positions_.size(), -1);
  for (const Index e : rows) {
    Index& at = place[static_cast<std::size_t>(e / outputs_)];
    if (at >= 0) continue;
    at = static_cast<Index>(features.size());
    features.push_back(e / outputs_);
    columns.push_back(positions_[static_cast<std::size_t>(e / outputs_)]);
  }
  ensure_centres(features);
  const Index step = std::max<Index>(kTogether / outputs_, 1);
  for (Index begin = 0; begin < n_cols; begin += step) {
    const Index count = std::min(step, n_cols - begin);
    auto weighted = embed(cols.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count)));
    apply_weights(weighted);
    auto products = scratch_.products.shape(static_cast<Index>(columns.size()), count * outputs_);
    const Eigen::Map<const Mat> sides(weighted.data(), n, count * outputs_);
    pool_.correlate(columns, sides, products, threads_for(columns, sides.cols()));
    auto sums = scratch_.sums.shape(sides.cols());
    sums = sides.colwise().sum().transpose();
    for (Index r = 0; r < count; ++r) {
      for (Index i = 0; i < n_rows; ++i) {
        const Index e = rows[static_cast<std::size_t>(i)], w = e / outputs_, side = r * outputs_ + e % outputs_;
        const double raw = products(place[static_cast<std::size_t>(w)], side);
        out(i, begin + r) = (raw - centre(w) * sums[side]) * inv_scale_[w];
      }
    }
  }
}

void Quadratic::feature_gram(std::span<const Index> rows, std::span<const Index> cols, MatOut out) {
  const Index n_rows = static_cast<Index>(rows.size()), n_cols = static_cast<Index>(cols.size());
  ensure_centres(rows);
  ensure_centres(cols);
  std::vector<Index>&columns = scratch_.gram.rows, &others = scratch_.gram.cols;
  columns.clear();
  others.clear();
  auto row_scale = scratch_.gram.scale.shape(n_rows), row_centre = scratch_.gram.centre.shape(n_rows);
  for (Index i = 0; i < n_rows; ++i) {
    const Index w = rows[static_cast<std::size_t>(i)];
    columns.push_back(positions_[static_cast<std::size_t>(w)]);
    row_scale[i] = inv_scale_[w];
    row_centre[i] = centre(w);
  }
  for (Index w : cols) others.push_back(positions_[static_cast<std::size_t>(w)]);
  if (pool_.cross_products(columns, others, weights_.h, out, threads_for(columns, n_cols))) {
    for (Index r = 0; r < n_cols; ++r) {
      const Index w = cols[static_cast<std::size_t>(r)];
      out.col(r) = (out.col(r) - row_centre * (weights_.sum * centre(w))).cwiseProduct(row_scale) * inv_scale_[w];
    }
    return;
  }
  for (Index begin = 0; begin < n_cols; begin += kTogether) {
    const Index count = std::min(kTogether, n_cols - begin);
    MatOut target = out.middleCols(begin, count);
    const auto block = cols.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count));
    const auto positions = std::span(others).subspan(static_cast<std::size_t>(begin), block.size());
    // Equal weights are taken out of the sums, and means that are small.
    if (weights_.uniform && small_means_ && pool_.contiguous(positions.front()) != nullptr) {
      pool_.correlate(columns, plain_columns(positions), target, threads_for(columns, count));
      for (Index r = 0; r < count; ++r) {
        const Index w = block[static_cast<std::size_t>(r)];
        target.col(r) =
            (weights_.h[0] * target.col(r) - row_centre * (weights_.sum * centre(w))).cwiseProduct(row_scale) *
            inv_scale_[w];
      }
      continue;
    }
    auto weighted = centred_columns(block, scratch_.gathered);
    weighted.array().colwise() *= weights_.h.array();
    pool_.correlate(columns, weighted, target, threads_for(columns, count));
    for (Index r = 0; r < count; ++r) {
      const double sum = weighted.col(r).sum();
      target.col(r) = (target.col(r) - row_centre * sum).cwiseProduct(row_scale);
    }
  }
}

const Mat& Quadratic::gram() {
  const Index total = size();
  if (gram_size_ == total) return gram_;
  const Index old = gram_size_;
  gram_.conservativeResize(total, total);
  gram_size_ = total;
  std::vector<Index> all(static_cast<std::size_t>(total));
  std::iota(all.begin(), all.end(), Index{0});
  Mat block;
  for (Index begin = old; begin < total; begin += kBlock) {
    const Index count = std::min(kBlock, total - begin);
    // Rows up to the end of this block; the rest follows by symmetry.
    block.resize(begin + count, count);
    feature_gram(std::span(all).first(static_cast<std::size_t>(begin + count)),
                 std::span(all).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count)), block);
    gram_.block(0, begin, begin + count, count) = block;
    gram_.block(begin, 0, count, begin) = block.topRows(begin).transpose();
  }
  return gram_;
}

void Quadratic::gram_product(const MatIn& vectors, MatOut out) {
  const Mat& all = gram();
  std::vector<const double*>& lines = scratch_.lines;
  lines.clear();
  for (Index w = 0; w < size(); ++w) lines.push_back(all.col(w).data());
  kernels().correlate_f64(lines.data(), size(), size(), vectors.data(), vectors.outerStride(), vectors.cols(),
                          out.data(), out.outerStride());
}

const Vec& Quadratic::diagonal() {
  if (diagonal_.size() == size()) return diagonal_;
  if (use_gram_) return diagonal_ = gram().diagonal();
  if (coupling_) return diagonal_ = coupled_diagonal();
  if (pool_diagonal_.size() != pool_.cols()) {
    std::vector<Index> all(static_cast<std::size_t>(pool_.cols()));
    std::iota(all.begin(), all.end(), Index{0});
    Mat mean(pool_.cols(), 1), variance(pool_.cols(), 1);
    pool_.moments(all, weights_.h / weights_.sum, mean, variance,
                  worth_threads(threads_, pool_.multiplications(pool_.cols(), 2)));
    pool_diagonal_ = weights_.sum * variance.col(0);
    if (!intercept_) pool_diagonal_ += weights_.sum * mean.col(0).cwiseAbs2();
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
  Mat weighted;
  const Index step = std::max<Index>(kTogether / outputs_, 1);
  for (Index first = 0; first < size(); first += step) {
    const Index count = std::min(step, size() - first);
    const auto columns =
        embed(std::span(all).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)));
    weighted = columns;
    apply_weights(weighted);
    out.segment(first, count) = columns.cwiseProduct(weighted).colwise().sum();
  }
  return out;
}

}  // namespace riata
