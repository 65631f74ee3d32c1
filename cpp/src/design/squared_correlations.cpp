#include "design/squared_correlations.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>

#include "design/pool.hpp"
#include "riata/error.hpp"

namespace riata {
namespace {

constexpr double kConstant = 1e-10;        // spread of a column, relative to its mean, below which it is constant
constexpr double kUnit = 1.0 / (1 << 30);  // of r2

}  // namespace

SquaredCorrelations::SquaredCorrelations(const Design& X, Columns columns, const Vec& rows, int threads)
    : X_(X), columns_(columns.begin(), columns.end()), rows_(rows), count_(rows.sum()) {
  const Index p = static_cast<Index>(columns.size());
  Mat mean(p, 1), variance(p, 1);
  X.moments(columns, rows / count_, mean, variance, threads);
  for (Index k = 0; k < p; ++k) {
    if (std::isnan(variance(k, 0))) throw NonFiniteError(columns_[static_cast<std::size_t>(k)]);
    if (std::isinf(variance(k, 0))) {
      throw std::invalid_argument("X must hold numbers whose squares are finite, got larger ones in column " +
                                  std::to_string(columns_[static_cast<std::size_t>(k)]));
    }
  }
  mean_ = mean.col(0);
  deviation_ = variance.col(0).cwiseMax(0.0).cwiseSqrt();
  deviation_ = (deviation_.array() > kConstant * mean_.array().abs()).select(deviation_, 0.0).eval();
}

std::vector<Index> SquaredCorrelations::numbers(std::span<const Index> places) const {
  std::vector<Index> out;
  for (const Index k : places) out.push_back(columns_[static_cast<std::size_t>(k)]);
  return out;
}

/// Sums of products of raw columns, from the pool where that has whole numbers to count.
bool SquaredCorrelations::from_pool(std::span<const Index> first, std::span<const Index> second, Mat& out,
                                    int threads) const {
  if (!X_.traits().compact_pool) return false;
  const auto pool = X_.make_pool();
  std::vector<Index> both = numbers(first);
  const std::vector<Index> right = numbers(second);
  both.insert(both.end(), right.begin(), right.end());
  pool->append(both, std::vector<double>(both.size(), 0.0), threads);
  std::vector<Index> places(both.size());
  std::iota(places.begin(), places.end(), Index{0});
  const Columns all(places);
  return pool->cross_products(all.first(first.size()), all.subspan(first.size()), rows_, out, threads);
}

void SquaredCorrelations::fill(std::span<const Index> first, std::span<const Index> second, Mat& out,
                               int threads) const {
  const Index m = static_cast<Index>(first.size()), q = static_cast<Index>(second.size());
  out.resize(m, q);
  const bool raw = from_pool(first, second, out, threads);
  if (!raw) {
    Mat sides(X_.rows(), m), products(q, m);
    X_.gather(numbers(first), sides, threads);
    for (Index i = 0; i < m; ++i) {
      sides.col(i) = (sides.col(i).array() - mean_[first[static_cast<std::size_t>(i)]]) * rows_.array();
    }
    X_.correlate(numbers(second), sides, products, threads);
    out = products.transpose();
  }
  for (Index j = 0; j < q; ++j) {
    const Index b = second[static_cast<std::size_t>(j)];
    for (Index i = 0; i < m; ++i) {
      const Index a = first[static_cast<std::size_t>(i)];
      const double scale = deviation_[a] * deviation_[b];
      if (!(scale > 0.0)) {
        out(i, j) = 0.0;
        continue;
      }
      const double r = (out(i, j) / count_ - (raw ? mean_[a] * mean_[b] : 0.0)) / scale;
      out(i, j) = std::nearbyint(std::min(r * r, 1.0) / kUnit) * kUnit;
    }
  }
}

}  // namespace riata
