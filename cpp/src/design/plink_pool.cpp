#include "design/plink_pool.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <utility>

#include "kernel/kernels.hpp"
#include "kernel/plink.hpp"
#include "parallel.hpp"

namespace riata {
namespace {

constexpr Index kSpread = 512;                  // samples decoded at a time where there is no product with the codes
constexpr Index kMostSamples = Index{1} << 30;  // that PairCounts can count

class PlinkPool final : public Pool {
 public:
  PlinkPool(Index rows, std::function<PackedColumns(Columns)> pack, std::function<void()> check)
      : Pool(rows, 0), pack_(std::move(pack)), check_(std::move(check)), stride_(packed_bytes(rows)) {}

  std::string_view kind() const override { return "plink"; }
  double bytes() const override { return static_cast<double>(stride_) * static_cast<double>(cols()); }
  void moments(Columns columns, const MatIn& weights, MatOut mean, MatOut variance, int threads) const override {
    packed::moments(rows(), static_cast<Index>(columns.size()), take(columns), weights, mean, variance, threads);
  }
  void correlate(Columns columns, const MatIn& R, MatOut out, int threads) const override {
    packed::correlate(rows(), static_cast<Index>(columns.size()), take(columns), R, out, threads);
  }
  void multiply(Columns columns, const MatIn& B, MatOut out, int threads) const override {
    packed::multiply(columns_of(columns), B, out, threads);
  }
  void gather(Columns columns, MatOut out, int threads) const override {
    packed::gather(columns_of(columns), out, threads);
  }

  void append(Columns columns, std::span<const double> shift, int threads) override {
    assert(shift.size() == columns.size());
    const PackedColumns source = pack_(columns);
    const auto count = static_cast<std::size_t>(source.size());
    const std::size_t before = columns_.size();
    const auto size = static_cast<std::size_t>(stride_);
    blocks_.emplace_back(new std::uint8_t[count * size]);
    memory_ += count * (size + sizeof(Column));
    for (std::size_t k = 0; k < count; ++k) {
      Column& column = columns_.emplace_back();
      column.bytes = blocks_.back().get() + k * size;
      column.missing = source.missing[k] != 0;
      column.shift = std::isnan(shift[k]) ? 0.0 : shift[k];
      for (std::size_t code = 0; code < 4; ++code) column.values[code] = source.tables[4 * k + code] - column.shift;
    }
    parallel_for(source.size(), worth_threads(threads, multiplications(source.size(), 1)), [&](Index k) {
      const auto at = static_cast<std::size_t>(k);
      std::copy_n(source.bytes[at], size, columns_[before + at].bytes);
    });
    check_();
    set_cols(static_cast<Index>(columns_.size()));
  }
  double shift_of(Index k) const override { return column(k).shift; }

  double dot(Index k, const double* u) const override {
    return packed::dot(rows(), column(k).bytes, column(k).values.data(), u);
  }
  void axpy(Index k, double a, double* v) const override {
    const Column& x = column(k);
    const std::uint8_t* bytes = x.bytes;
    plink_kernels().multiply(&bytes, x.values.data(), 1, rows(), &a, 1, 1, v, rows());
  }
  void axpy_weighted(Index k, double a, const double* weight, double* v) const override {
    const Column& x = column(k);
    std::array<double, kSpread> values;
    for (Index i = 0; i < rows(); i += kSpread) {
      const Index n = std::min(kSpread, rows() - i);
      plink_kernels().decode(x.bytes + i / 4, x.values.data(), n, values.data());
      kernels().axpy_weighted(a, weight + i, values.data(), v + i, n);
    }
  }
  bool cross_products(Columns rows, Columns cols, const Vec& h, MatOut out, int threads) const override {
    if (!plink_kernels().fast_pairs || this->rows() >= kMostSamples) return false;
    const double top = h.maxCoeff();
    if (!(top > 0.0) || !(h.array() == 0.0 || h.array() == top).all()) return false;
    packed::cross_products(columns_of(rows), columns_of(cols), h, out, threads);
    return true;
  }
  std::size_t memory() const override { return memory_; }

 private:
  struct Column {
    std::uint8_t* bytes;
    std::array<double, 4> values;
    double shift;
    bool missing;
  };

  const Column& column(Index k) const { return columns_[static_cast<std::size_t>(k)]; }

  PackedColumns columns_of(Columns columns) const {
    PackedColumns out;
    for (const Index k : columns) out.push(column(k).bytes, column(k).values, column(k).missing);
    return out;
  }
  packed::Take take(Columns columns) const {
    return [this, columns](Index first, Index count) {
      return columns_of(columns.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)));
    };
  }

  std::function<PackedColumns(Columns)> pack_;
  std::function<void()> check_;
  Index stride_;
  std::vector<Column> columns_;
  std::vector<std::unique_ptr<std::uint8_t[]>> blocks_;
  std::size_t memory_ = 0;
};

}  // namespace

std::unique_ptr<Pool> plink_pool(Index rows, std::function<PackedColumns(Columns)> pack, std::function<void()> check) {
  return std::make_unique<PlinkPool>(rows, std::move(pack), std::move(check));
}

}  // namespace riata
