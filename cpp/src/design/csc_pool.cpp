#include "design/csc_pool.hpp"

#include <cstdint>
#include <vector>

namespace riata {
namespace {

class CscPool final : public Pool {
 public:
  explicit CscPool(const SparseDesign& source) : Pool(source.rows(), 0), source_(source) {}

  std::string_view kind() const override { return "csc pool"; }
  double bytes() const override { return static_cast<double>(start_.back()) * kEntryBytes; }

  double multiplications(Index columns, Index sides) const override {
    return sparse::multiplications(start_.back(), cols(), columns, sides);
  }

  void moments(Columns columns, const MatIn& weights, MatOut mean, MatOut variance, int threads) const override {
    const sparse::Moments moments(weights);
    sparse::each(static_cast<Index>(columns.size()), threads,
                 [&](Index k) { moments.of(column(columns[static_cast<std::size_t>(k)]), k, mean, variance); });
  }
  void correlate(Columns columns, const MatIn& R, MatOut out, int threads) const override {
    sparse::correlate([this](Index k) { return column(k); }, columns, R, out, threads);
  }
  void multiply(Columns columns, const MatIn& B, MatOut out, int threads) const override {
    sparse::multiply([this](Index k) { return column(k); }, columns, B, out, threads);
  }
  void gather(Columns columns, MatOut out, int threads) const override {
    sparse::gather([this](Index k) { return column(k); }, columns, out, threads);
  }

  void append(Columns columns, std::span<const double> /*shift*/, int threads) override {
    const std::size_t before = start_.size() - 1;
    for (const Index j : columns) start_.push_back(start_.back() + source_.column_size(j));
    row_.resize(static_cast<std::size_t>(start_.back()));
    value_.resize(static_cast<std::size_t>(start_.back()));
    sparse::each(static_cast<Index>(columns.size()), threads, [&](Index k) {
      const Index to = start_[before + static_cast<std::size_t>(k)];
      source_.copy_column(columns[static_cast<std::size_t>(k)], row_.data() + to, value_.data() + to);
    });
    set_cols(static_cast<Index>(start_.size()) - 1);
  }
  double shift_of(Index) const override { return 0.0; }
  double dot(Index k, const double* u) const override { return sparse::dot(column(k), u); }
  void axpy(Index k, double a, double* v) const override { sparse::axpy(column(k), a, v); }
  void axpy_weighted(Index k, double a, const double* weight, double* v) const override {
    sparse::axpy_weighted(column(k), a, weight, v);
  }
  std::size_t memory() const override {
    return row_.capacity() * sizeof(std::int32_t) + value_.capacity() * sizeof(double) +
           start_.capacity() * sizeof(Index);
  }

 private:
  static constexpr double kEntryBytes = sizeof(std::int32_t) + sizeof(double);

  SparseColumn<std::int32_t, double> column(Index k) const {
    const Index first = start_[static_cast<std::size_t>(k)];
    return {row_.data() + first, value_.data() + first, start_[static_cast<std::size_t>(k) + 1] - first};
  }

  const SparseDesign& source_;
  std::vector<Index> start_ = {0};  // of each column in row_ and value_, then the end
  std::vector<std::int32_t> row_;
  std::vector<double> value_;
};

}  // namespace

std::unique_ptr<Pool> csc_pool(const SparseDesign& source) {
  return std::make_unique<CscPool>(source);
}

}  // namespace riata
