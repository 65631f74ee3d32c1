#include "riata/design/design.hpp"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "dense_pool.hpp"
#include "riata/design/dense.hpp"

namespace riata {

namespace {

constexpr Index kSubsetNumbers = Index{1} << 20;  // gathered at a time

/// Columns of doubles and the view of them.
struct OwnedDense {
  explicit OwnedDense(Mat values)
      : numbers(std::move(values)),
        view(dense_design(numbers.data(), numbers.rows(), numbers.cols(), 1, numbers.rows())) {}
  Mat numbers;
  std::unique_ptr<Design> view;
};

}  // namespace

std::shared_ptr<const Design> Design::rows_subset(std::span<const Index> rows) const {
  const Index some = std::min(std::max(kSubsetNumbers / rows_, Index{1}), cols_);
  Mat numbers(static_cast<Index>(rows.size()), cols_), block(rows_, some);
  std::vector<Index> columns(static_cast<std::size_t>(cols_));
  std::iota(columns.begin(), columns.end(), Index{0});
  for (Index first = 0; first < cols_; first += some) {
    const Index count = std::min(some, cols_ - first);
    gather(Columns(columns).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)),
           block.leftCols(count), 1);
    numbers.middleCols(first, count) = block.leftCols(count)(rows, Eigen::all);
  }
  const auto owned = std::make_shared<const OwnedDense>(std::move(numbers));
  return {owned, owned->view.get()};
}

std::unique_ptr<Pool> Design::make_pool() const {
  return std::make_unique<DensePool>(*this);
}

void Pool::axpy_weighted(Index k, double a, const double* weight, double* v) const {
  Mat column(rows(), 1);
  gather(Columns(&k, 1), column, 1);
  for (Index i = 0; i < rows(); ++i) v[i] += a * weight[i] * column(i, 0);
}

}  // namespace riata
