#include "solver/dense_factor.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "kernel/kernels.hpp"
#include "parallel.hpp"

namespace riata {
namespace {

constexpr Index kBlock = 48;  // columns of L made together
constexpr Index kRows = 48;   // rows of them that a thread makes together

}  // namespace

void DenseFactor::find_lines() {
  lines_.resize(static_cast<std::size_t>(size()));
  for (Index i = 0; i < size(); ++i) lines_[static_cast<std::size_t>(i)] = rows_.col(i).data();
}

/// Factors the square on the diagonal, from which what comes before has been taken.
bool DenseFactor::factor_corner(Index first, Index count) {
  for (Index i = first; i < first + count; ++i) {
    double* const row = rows_.col(i).data() + first;
    for (Index k = 0; k <= i - first; ++k) {
      const double* const other = rows_.col(first + k).data() + first;
      double sum = row[k];
      for (Index t = 0; t < k; ++t) sum -= row[t] * other[t];
      if (k < i - first) {
        row[k] = sum / other[k];
      } else {
        if (!(sum > 0.0)) return false;
        row[k] = std::sqrt(sum);
      }
    }
  }
  return true;
}

bool DenseFactor::make(int threads) {
  find_lines();
  const Index n = size();
  std::array<const double*, kBlock> corner;
  for (Index first = 0; first < n; first += kBlock) {
    const Index count = std::min(kBlock, n - first);
    const auto take_before = [&](Index begin, Index rows) {
      if (first == 0) return;
      std::array<double, kBlock * kRows> products;
      kernels().correlate_f64(lines_.data() + first, count, first, rows_.col(begin).data(), n, rows, products.data(),
                              kBlock);
      for (Index i = 0; i < rows; ++i) {
        double* const row = rows_.col(begin + i).data() + first;
        const double* const product = products.data() + i * kBlock;
        for (Index k = 0; k < count; ++k) row[k] -= product[k];
      }
    };
    take_before(first, count);
    if (!factor_corner(first, count)) {
      clear();
      return false;
    }
    for (Index k = 0; k < count; ++k) corner[static_cast<std::size_t>(k)] = rows_.col(first + k).data() + first;
    const Index below = first + count, chunks = (n - below + kRows - 1) / kRows;
    const double work = static_cast<double>((n - below) * count) * static_cast<double>(first + count);
    parallel_for(chunks, worth_threads(threads, work), [&](Index chunk) {
      const Index begin = below + chunk * kRows, rows = std::min(kRows, n - begin);
      take_before(begin, rows);
      kernels().forward_solve(corner.data(), count, rows_.col(begin).data() + first, n, rows);
    });
  }
  return true;
}

void DenseFactor::solve(Vec& rhs) const {
  if (size() == 0) return;
  kernels().forward_solve(lines_.data(), size(), rhs.data(), size(), 1);
  kernels().backward_solve(lines_.data(), size(), rhs.data());
}

}  // namespace riata
