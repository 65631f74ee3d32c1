#include "dense_pool.hpp"

#include <cassert>
#include <cmath>

#include "lines.hpp"

namespace riata {
namespace {

constexpr Index block_bytes = Index{1} << 20;

}  // namespace

Index DensePool::stride() const {
  const Index padded = (rows() + 7) / 8 * 8;
  // Columns a multiple of 4 KB apart would compete for the same few cache sets.
  return padded % 512 == 0 ? padded + 8 : padded;
}

Index DensePool::reserve(Index wanted) {
  if (room_ == 0) {
    const Index column = stride() * static_cast<Index>(sizeof(double));
    room_ = std::max({wanted, block_bytes / column, Index{1}});
    const auto size = static_cast<std::size_t>(room_ * column);
    blocks_.emplace_back(static_cast<double*>(::operator new(size, std::align_val_t{64})));
    next_ = blocks_.back().get();
    memory_ += size;
  }
  return std::min(wanted, room_);
}

void DensePool::append(Columns columns, std::span<const double> shift, int threads) {
  assert(shift.size() == columns.size());
  const Index count = static_cast<Index>(columns.size());
  line_.reserve(line_.size() + columns.size());
  shift_.reserve(shift_.size() + columns.size());
  const auto in_place = [&](Index k) { return std::isnan(shift[k]) ? source_.contiguous(columns[k]) : nullptr; };
  for (Index k = 0; k < count;) {
    if (const double* line = in_place(k)) {
      line_.push_back(line);
      shift_.push_back(0.0);
      ++k;
      continue;
    }
    Index wanted = 1;
    while (k + wanted < count && in_place(k + wanted) == nullptr) ++wanted;
    const Index batch = reserve(wanted);
    Eigen::Map<Mat, 0, Eigen::OuterStride<>> to(next_, rows(), batch, Eigen::OuterStride<>(stride()));
    source_.gather(columns.subspan(k, batch), to, threads);
    const auto shift_by = [&](Index b) { return std::isnan(shift[k + b]) ? 0.0 : shift[k + b]; };
    parallel_for(batch, threads, [&](Index b) {
      if (shift_by(b) != 0.0) to.col(b).array() -= shift_by(b);
    });
    for (Index b = 0; b < batch; ++b) {
      line_.push_back(next_ + b * stride());
      shift_.push_back(shift_by(b));
    }
    next_ += batch * stride();
    room_ -= batch;
    k += batch;
  }
  set_cols(static_cast<Index>(line_.size()));
}

double DensePool::dot(Index k, const double* u) const {
  return kernels().dot(contiguous(k), u, rows());
}

void DensePool::axpy(Index k, double a, double* v) const {
  kernels().axpy(a, contiguous(k), v, rows());
}

void DensePool::axpy_weighted(Index k, double a, const double* weight, double* v) const {
  kernels().axpy_weighted(a, weight, contiguous(k), v, rows());
}

std::vector<const double*> DensePool::lines_of(Columns columns) const {
  std::vector<const double*> lines;
  lines.reserve(columns.size());
  for (const Index k : columns) lines.push_back(contiguous(k));
  return lines;
}

void DensePool::moments(Columns columns, const MatIn& weights, MatOut mean, MatOut variance, int threads) const {
  moments_lines<double>(lines_of(columns), weights, mean, variance, threads);
}

void DensePool::correlate(Columns columns, const MatIn& R, MatOut out, int threads) const {
  correlate_lines<double>(lines_of(columns), R, out, threads);
}

void DensePool::multiply(Columns columns, const MatIn& B, MatOut out, int threads) const {
  multiply_lines<double>(lines_of(columns), B, out, threads);
}

void DensePool::gather(Columns columns, MatOut out, int threads) const {
  gather_lines<double>(lines_of(columns), out, threads);
}

}  // namespace riata
