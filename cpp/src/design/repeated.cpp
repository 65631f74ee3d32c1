#include "design/repeated.hpp"

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#include "design/pool.hpp"
#include "io/digest.hpp"

namespace riata {
namespace {

/// The different numbers of a list, in increasing order, and where each entry of the list is among them.
struct Distinct {
  explicit Distinct(const std::vector<Index>& numbers) : columns(numbers), place(numbers.size()) {
    if (!std::is_sorted(columns.begin(), columns.end())) std::sort(columns.begin(), columns.end());
    columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
    for (std::size_t k = 0; k < numbers.size(); ++k) {
      const auto at = std::lower_bound(columns.begin(), columns.end(), numbers[k]);
      place[k] = at - columns.begin();
    }
  }
  Index count() const { return static_cast<Index>(columns.size()); }

  /// What was found of each different one, a row each, for every entry of the list.
  void spread(const Mat& found, MatOut out) const {
    for (Index q = 0; q < out.cols(); ++q) {
      for (Index k = 0; k < out.rows(); ++k) out(k, q) = found(place[static_cast<std::size_t>(k)], q);
    }
  }

  std::vector<Index> columns, place;
};

/// A design or pool some of whose columns are the same column of a source.
template <class Base>
class Repeated : public Base {
 public:
  using Base::Base;

  std::string_view kind() const override { return "repeated"; }

  void moments(Columns columns, const MatIn& weights, MatOut mean, MatOut variance, int threads) const override {
    const Distinct distinct(numbers(columns));
    Mat means(distinct.count(), weights.cols()), variances(distinct.count(), weights.cols());
    source().moments(distinct.columns, weights, means, variances, threads);
    distinct.spread(means, mean);
    distinct.spread(variances, variance);
  }

  void correlate(Columns columns, const MatIn& R, MatOut out, int threads) const override {
    const Distinct distinct(numbers(columns));
    Mat found(distinct.count(), R.cols());
    source().correlate(distinct.columns, R, found, threads);
    distinct.spread(found, out);
  }

  void round_sides(MatOut R) const override { source().round_sides(R); }

  void correlate_rounded(Columns columns, const MatIn& R, MatOut out, int threads) const override {
    const Distinct distinct(numbers(columns));
    Mat found(distinct.count(), R.cols());
    source().correlate_rounded(distinct.columns, R, found, threads);
    distinct.spread(found, out);
  }

  void multiply(Columns columns, const MatIn& B, MatOut out, int threads) const override {
    const Distinct distinct(numbers(columns));
    Mat sums = Mat::Zero(distinct.count(), B.cols());
    for (Index q = 0; q < B.cols(); ++q) {
      for (Index k = 0; k < B.rows(); ++k) sums(distinct.place[static_cast<std::size_t>(k)], q) += B(k, q);
    }
    source().multiply(distinct.columns, sums, out, threads);
  }

  void gather(Columns columns, MatOut out, int threads) const override {
    const Distinct distinct(numbers(columns));
    Mat found(this->rows(), distinct.count());
    source().gather(distinct.columns, found, threads);
    for (Index k = 0; k < out.cols(); ++k) out.col(k) = found.col(distinct.place[static_cast<std::size_t>(k)]);
  }

  const double* contiguous(Index j) const override { return source().contiguous(number(j)); }

 protected:
  virtual const Base& source() const = 0;
  Index number(Index j) const { return columns_[static_cast<std::size_t>(j)]; }
  std::vector<Index> numbers(Columns columns) const {
    std::vector<Index> out;
    out.reserve(columns.size());
    for (const Index j : columns) out.push_back(number(j));
    return out;
  }

  std::vector<Index> columns_;  // of the source
};

/// A pool of the source, which holds each of its columns once.
class RepeatedPool final : public Repeated<Pool> {
 public:
  /// `columns` of the source that are to be had; they outlive the pool.
  RepeatedPool(std::unique_ptr<Pool> pool, const std::vector<Index>& columns, Index source_cols)
      : Repeated(pool->rows(), 0),
        pool_(std::move(pool)),
        of_(columns),
        place_(static_cast<std::size_t>(source_cols), -1) {}

  double bytes() const override { return pool_->bytes(); }
  double multiplications(Index columns, Index sides) const override { return pool_->multiplications(columns, sides); }

  void append(Columns columns, std::span<const double> shift, int threads) override {
    std::vector<Index> missing;
    std::vector<double> shifts;
    for (std::size_t k = 0; k < columns.size(); ++k) {
      const Index column = of_[static_cast<std::size_t>(columns[k])];
      std::int32_t& place = place_[static_cast<std::size_t>(column)];
      if (place < 0) {
        place = static_cast<std::int32_t>(pool_->cols() + static_cast<Index>(missing.size()));
        missing.push_back(column);
        shifts.push_back(shift[k]);
      }
      columns_.push_back(place);
    }
    pool_->append(missing, shifts, threads);
    set_cols(static_cast<Index>(columns_.size()));
  }

  double shift_of(Index k) const override { return pool_->shift_of(number(k)); }
  double dot(Index k, const double* u) const override { return pool_->dot(number(k), u); }
  void axpy(Index k, double a, double* v) const override { pool_->axpy(number(k), a, v); }
  void axpy_weighted(Index k, double a, const double* weight, double* v) const override {
    pool_->axpy_weighted(number(k), a, weight, v);
  }

  bool cross_products(Columns rows, Columns cols, const Vec& h, MatOut out, int threads) const override {
    const Distinct r(numbers(rows)), c(numbers(cols));
    Mat found(r.count(), c.count());
    if (!pool_->cross_products(r.columns, c.columns, h, found, threads)) return false;
    for (Index k = 0; k < out.cols(); ++k) {
      const Index from = c.place[static_cast<std::size_t>(k)];
      for (Index i = 0; i < out.rows(); ++i) out(i, k) = found(r.place[static_cast<std::size_t>(i)], from);
    }
    return true;
  }

  std::size_t memory() const override {
    return pool_->memory() + columns_.capacity() * sizeof(Index) + place_.capacity() * sizeof(std::int32_t);
  }

 private:
  const Pool& source() const override { return *pool_; }

  std::unique_ptr<Pool> pool_;
  const std::vector<Index>& of_;
  std::vector<std::int32_t> place_;  // column of the source -> number in pool_, or -1
};

class RepeatedDesign final : public Repeated<Design> {
 public:
  RepeatedDesign(std::shared_ptr<const Design> source, std::vector<Index> columns)
      : Repeated(source->rows(), static_cast<Index>(columns.size())), source_(std::move(source)) {
    columns_ = std::move(columns);
  }

  /// A pass over all columns, copies together, reads each of the source once.
  double bytes() const override {
    const double all = static_cast<double>(std::max<Index>(source_->cols(), 1));
    return source_->bytes() * std::min(1.0, static_cast<double>(cols()) / all);
  }
  double multiplications(Index columns, Index sides) const override {
    const double once = static_cast<double>(source_->cols()) / static_cast<double>(std::max<Index>(cols(), 1));
    return source_->multiplications(columns, sides) * std::min(1.0, once);
  }

  Traits traits() const override {
    Traits all = source_->traits();
    all.subset_pays = false;
    all.compact_pool = true;  // which holds a column once
    all.fingerprint = Digest::of("repeated", {all.fingerprint});
    return all;
  }

  std::unique_ptr<Pool> make_pool() const override {
    return std::make_unique<RepeatedPool>(source_->make_pool(), columns_, source_->cols());
  }

 private:
  const Design& source() const override { return *source_; }

  std::shared_ptr<const Design> source_;
};

}  // namespace

std::unique_ptr<Design> repeated_design(std::shared_ptr<const Design> source, std::vector<Index> columns) {
  if (source == nullptr) throw std::invalid_argument("source must be a design, got none");
  for (const Index j : columns) {
    if (j < 0 || j >= source->cols()) {
      throw std::invalid_argument("columns must lie in [0, " + std::to_string(source->cols()) + "), got " +
                                  std::to_string(j));
    }
  }
  return std::make_unique<RepeatedDesign>(std::move(source), std::move(columns));
}

}  // namespace riata
