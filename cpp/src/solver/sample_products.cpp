#include "solver/sample_products.hpp"

#include <algorithm>
#include <array>
#include <cassert>

#include "kernel/kernels.hpp"
#include "parallel.hpp"

namespace riata {
namespace {

constexpr Index kTile = 24;    // rows of K that a thread makes
constexpr Index kStrip = 240;  // columns of them at a time
constexpr Index kMirror = 24;  // the same, of what is turned over

}  // namespace

void add_sample_products(const MatIn& z, double sign, Triangle triangle, int threads, Mat& K) {
  const Index n = K.rows(), columns = z.rows(), tiles = (n + kTile - 1) / kTile;
  const double work = 0.5 * static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(columns);
  parallel_for(tiles, worth_threads(threads, work), [&](Index tile) {
    const Index first = tile * kTile, size = std::min(kTile, n - first), rest = n - first;
    std::array<const double*, kTile> lines;
    for (Index i = 0; i < size; ++i) lines[static_cast<std::size_t>(i)] = z.col(first + i).data();
    std::array<double, kTile * kStrip> out;
    for (Index at = first; at < n; at += kStrip) {
      const Index strip = std::min(kStrip, n - at);
      kernels().correlate_f64(lines.data(), size, columns, z.col(at).data(), z.outerStride(), strip, out.data(), size);
      K.block(first, at, size, strip) += sign * Eigen::Map<const Mat>(out.data(), size, strip);
    }
    if (triangle == Triangle::kUpper) return;
    K.block(first + size, first, rest - size, size) = K.block(first, first + size, size, rest - size).transpose();
  });
}

void add_column_products(const MatIn& z, const MatIn& weighted, int threads, Mat& K) {
  const Index n = K.rows(), columns = z.cols(), strips = (n + kTile - 1) / kTile;
  assert(columns <= kFewColumns);
  std::array<const double*, kFewColumns> lines;
  for (Index k = 0; k < columns; ++k) lines[static_cast<std::size_t>(k)] = z.col(k).data();
  const double work = 0.5 * static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(columns);
  parallel_for(strips, worth_threads(threads, work), [&](Index strip) {
    const Index first = (strips - 1 - strip) * kTile, size = std::min(kTile, n - first);
    kernels().multiply_f64(lines.data(), columns, first + size, weighted.col(first).data(), weighted.outerStride(),
                           size, K.col(first).data(), n);
    auto corner = K.block(first, first, size, size);
    corner.triangularView<Eigen::StrictlyLower>() = corner.transpose();
    for (Index at = 0; at < first; at += kMirror) {
      const Index held = std::min(kMirror, first - at);
      K.block(first, at, size, held) = K.block(at, first, held, size).transpose();
    }
  });
}

}  // namespace riata
