#include "solver/sample_products.hpp"

#include <algorithm>
#include <array>

#include "kernel/kernels.hpp"
#include "parallel.hpp"

namespace riata {
namespace {

constexpr Index kTile = 24;    // rows of K that a thread makes
constexpr Index kStrip = 240;  // columns of them at a time

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

}  // namespace riata
