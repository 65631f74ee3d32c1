#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "riata/types.hpp"

/// The operations of a Design on packed genotypes, shared by the storage and its pool.
namespace riata {

/// Some columns of packed genotypes, four samples a byte, and what their codes stand for.
struct PackedColumns {
  std::vector<const std::uint8_t*> bytes;
  std::vector<double> tables;         // four values a column: two copies of A1, missing, one copy, none
  std::vector<std::uint8_t> missing;  // whether there may be missing genotypes

  void push(const std::uint8_t* column, const std::array<double, 4>& values, bool any_missing) {
    bytes.push_back(column);
    tables.insert(tables.end(), values.begin(), values.end());
    missing.push_back(any_missing ? 1 : 0);
  }
  void reserve(std::size_t columns) {
    bytes.reserve(columns);
    tables.reserve(4 * columns);
    missing.reserve(columns);
  }
  Index size() const { return static_cast<Index>(bytes.size()); }
};

/// Bytes of a packed column.
inline Index packed_bytes(Index samples) {
  return (samples + 3) / 4;
}

/// The count mask of the rows for which keep(i) holds; see PlinkKernels::count.
template <class Keep>
std::vector<std::uint64_t> sample_mask(Index n, Keep keep) {
  std::vector<std::uint64_t> mask(static_cast<std::size_t>((n + 31) / 32), 0);
  for (Index i = 0; i < n; ++i)
    if (keep(i)) mask[static_cast<std::size_t>(i / 32)] |= std::uint64_t{1} << (2 * (i % 32));
  return mask;
}

/// The operations of a Design on `total` columns of `rows` samples that take(first, count) hands over, a chunk at a
/// time and from several threads.
namespace packed {

using Take = std::function<PackedColumns(Index first, Index count)>;

/// fn(first, count) on fixed ranges of [0, total), in parallel.
void over_columns(Index rows, Index total, int threads, const std::function<void(Index first, Index count)>& fn);

void moments(Index rows, Index total, const Take& take, const MatIn& weights, MatOut mean, MatOut variance,
             int threads);
void correlate(Index rows, Index total, const Take& take, const MatIn& R, MatOut out, int threads);
/// One number of correlate().
double dot(Index rows, const std::uint8_t* bytes, const double* table, const double* u);
void correlate_rounded(Index rows, Index total, const Take& take, const MatIn& R, MatOut out, int threads);
/// See Pool::cross_products. h is zero or one positive number everywhere.
void cross_products(const PackedColumns& rows, const PackedColumns& cols, const Vec& h, MatOut out, int threads);
void multiply(const PackedColumns& columns, const MatIn& B, MatOut out, int threads);
void gather(const PackedColumns& columns, MatOut out, int threads);

}  // namespace packed
}  // namespace riata
