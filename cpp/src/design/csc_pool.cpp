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

  void append(Columns columns, std::span<const double> shift, int threads) override {
    source_.expect(columns);
    const std::size_t before = start_.size() - 1;
    for (std::size_t k = 0; k < columns.size(); ++k) {
      const bool whole = far_from_zero(columns[k], shift[k]);
      shift_.push_back(whole ? shift[k] : 0.0);
      start_.push_back(start_.back() + (whole ? rows() : source_.column_size(columns[k])));
    }
    row_.resize(static_cast<std::size_t>(start_.back()));
    value_.resize(static_cast<std::size_t>(start_.back()));
    sparse::each(static_cast<Index>(columns.size()), threads, [&](Index k) {
      const std::size_t at = before + static_cast<std::size_t>(k);
      const Index j = columns[static_cast<std::size_t>(k)];
      std::int32_t* const row = row_.data() + start_[at];
      double* const value = value_.data() + start_[at];
      if (shift_[at] == 0.0) return source_.copy_column(j, row, value);
      Mat column(rows(), 1);
      source_.gather(Columns(&j, 1), column, 1);
      for (Index i = 0; i < rows(); ++i) {
        row[i] = static_cast<std::int32_t>(i);
        value[i] = column(i, 0) - shift_[at];
      }
    });
    set_cols(static_cast<Index>(start_.size()) - 1);
  }
  double shift_of(Index k) const override { return shift_[static_cast<std::size_t>(k)]; }
  double dot(Index k, const double* u) const override { return sparse::dot(column(k), u); }
  void axpy(Index k, double a, double* v) const override { sparse::axpy(column(k), a, v); }
  void axpy_weighted(Index k, double a, const double* weight, double* v) const override {
    sparse::axpy_weighted(column(k), a, weight, v);
  }
  std::size_t memory() const override {
    return row_.capacity() * sizeof(std::int32_t) + value_.capacity() * sizeof(double) +
           start_.capacity() * sizeof(Index) + shift_.capacity() * sizeof(double);
  }

 private:
  static constexpr double kEntryBytes = sizeof(std::int32_t) + sizeof(double);
  static constexpr double kFar = 30.0;  // |shift| / spread from which centring products afterwards loses digits

  /// Whether a column is so far from zero, next to its spread, that it is held less its shift. Hardly any entry of such
  /// a column is zero: with every row it takes no more room.
  bool far_from_zero(Index j, double shift) const {
    const double n = static_cast<double>(rows()), zeros = n - static_cast<double>(source_.column_size(j));
    if (shift == 0.0 || zeros * kFar * kFar > n) return false;
    Mat column(rows(), 1);
    source_.gather(Columns(&j, 1), column, 1);
    const double square = (column.array() / shift - 1.0).square().sum();
    return square * kFar * kFar < n;
  }

  SparseColumn<std::int32_t, double> column(Index k) const {
    const Index first = start_[static_cast<std::size_t>(k)];
    return {row_.data() + first, value_.data() + first, start_[static_cast<std::size_t>(k) + 1] - first};
  }

  const SparseDesign& source_;
  std::vector<Index> start_ = {0};  // of each column in row_ and value_, then the end
  std::vector<std::int32_t> row_;
  std::vector<double> value_, shift_;
};

}  // namespace

std::unique_ptr<Pool> csc_pool(const SparseDesign& source) {
  return std::make_unique<CscPool>(source);
}

}  // namespace riata
