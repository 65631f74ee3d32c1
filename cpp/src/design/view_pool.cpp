#include "design/view_pool.hpp"

#include <vector>

namespace riata {
namespace {

class ViewPool final : public Pool {
 public:
  explicit ViewPool(const Design& source) : Pool(source.rows(), 0), source_(source) {}

  std::string_view kind() const override { return "view pool"; }
  double bytes() const override {
    return source_.bytes() * static_cast<double>(cols()) / static_cast<double>(source_.cols());
  }
  double multiplications(Index columns, Index sides) const override { return source_.multiplications(columns, sides); }

  void moments(Columns columns, const MatIn& weights, MatOut mean, MatOut variance, int threads) const override {
    source_.moments(numbers(columns), weights, mean, variance, threads);
  }
  void correlate(Columns columns, const MatIn& R, MatOut out, int threads) const override {
    source_.correlate(numbers(columns), R, out, threads);
  }
  void multiply(Columns columns, const MatIn& B, MatOut out, int threads) const override {
    source_.multiply(numbers(columns), B, out, threads);
  }
  void gather(Columns columns, MatOut out, int threads) const override {
    source_.gather(numbers(columns), out, threads);
  }
  const double* contiguous(Index k) const override { return source_.contiguous(column_[static_cast<std::size_t>(k)]); }

  void append(Columns columns, std::span<const double> /*shift*/, int /*threads*/) override {
    column_.insert(column_.end(), columns.begin(), columns.end());
    set_cols(static_cast<Index>(column_.size()));
  }
  double shift_of(Index /*k*/) const override { return 0.0; }
  double dot(Index k, const double* u) const override { return decode(k).dot(Eigen::Map<const Vec>(u, rows())); }
  void axpy(Index k, double a, double* v) const override { Eigen::Map<Vec>(v, rows()) += a * decode(k); }
  std::size_t memory() const override { return column_.capacity() * sizeof(Index); }

 private:
  std::vector<Index> numbers(Columns columns) const {
    std::vector<Index> out;
    out.reserve(columns.size());
    for (const Index k : columns) out.push_back(column_[static_cast<std::size_t>(k)]);
    return out;
  }
  Vec decode(Index k) const {
    Mat column(rows(), 1);
    gather(Columns(&k, 1), column, 1);
    return column.col(0);
  }

  const Design& source_;
  std::vector<Index> column_;
};

}  // namespace

std::unique_ptr<Pool> view_pool(const Design& source) {
  return std::make_unique<ViewPool>(source);
}

}  // namespace riata
