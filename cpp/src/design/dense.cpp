#include "riata/design/dense.hpp"

#include <type_traits>

#include "io/digest.hpp"
#include "lines.hpp"
#include "strided.hpp"

namespace riata {
namespace {

/// A dense matrix whose columns are contiguous, col_stride elements apart.
template <class T>
class ColumnMajorDesign final : public Design {
 public:
  ColumnMajorDesign(const T* data, Index rows, Index cols, Index col_stride)
      : Design(rows, cols), data_(data), col_stride_(col_stride) {}

  std::string_view kind() const override { return "dense"; }
  Traits traits() const override {
    constexpr bool in_place = std::is_same_v<T, double>;
    return {.in_place = in_place, .fingerprint = Digest::of("dense", {sizeof(T), in_place})};
  }
  double bytes() const override { return static_cast<double>(rows()) * static_cast<double>(cols()) * sizeof(T); }

  void moments(Columns columns, const MatIn& weights, MatOut mean, MatOut variance, int threads) const override {
    moments_lines<T>(lines_of(columns), weights, mean, variance, threads);
  }
  void correlate(Columns columns, const MatIn& R, MatOut out, int threads) const override {
    correlate_lines<T>(lines_of(columns), R, out, threads);
  }
  void multiply(Columns columns, const MatIn& B, MatOut out, int threads) const override {
    multiply_lines<T>(lines_of(columns), B, out, threads);
  }
  void gather(Columns columns, MatOut out, int threads) const override {
    gather_lines<T>(lines_of(columns), out, threads);
  }
  const double* contiguous(Index j) const override {
    if constexpr (std::is_same_v<T, double>) {
      return line(j);
    } else {
      return nullptr;
    }
  }

 private:
  const T* line(Index j) const { return data_ + j * col_stride_; }
  std::vector<const T*> lines_of(Columns columns) const {
    std::vector<const T*> lines;
    lines.reserve(columns.size());
    for (const Index j : columns) lines.push_back(line(j));
    return lines;
  }

  const T* data_;
  Index col_stride_;
};

template <class T>
std::unique_ptr<Design> make_dense(const T* data, Index rows, Index cols, Index row_stride, Index col_stride) {
  if (row_stride == 1 || rows <= 1) return std::make_unique<ColumnMajorDesign<T>>(data, rows, cols, col_stride);
  return std::make_unique<StridedDesign<T>>(data, rows, cols, row_stride, col_stride);
}

}  // namespace

std::unique_ptr<Design> dense_design(const double* data, Index rows, Index cols, Index row_stride, Index col_stride) {
  return make_dense(data, rows, cols, row_stride, col_stride);
}

std::unique_ptr<Design> dense_design(const float* data, Index rows, Index cols, Index row_stride, Index col_stride) {
  return make_dense(data, rows, cols, row_stride, col_stride);
}

std::unique_ptr<Design> dense_design(const std::int8_t* data, Index rows, Index cols, Index row_stride,
                                     Index col_stride) {
  return make_dense(data, rows, cols, row_stride, col_stride);
}

}  // namespace riata
