#include "riata/design/csc.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "design/csc_pool.hpp"
#include "design/pool.hpp"
#include "design/sparse_columns.hpp"
#include "io/digest.hpp"

namespace riata {
namespace {

template <class I, class T>
class CscDesign final : public SparseDesign {
 public:
  CscDesign(Index rows, Index cols, Index nnz, const I* indptr, const I* indices, const T* values)
      : SparseDesign(rows, cols), indptr_(indptr), indices_(indices), values_(values) {
    check_indptr(nnz);
    check_indices();
  }

  std::string_view kind() const override { return "csc"; }
  Traits traits() const override {
    return {.compact_pool = has_compact_pool(),
            .subset_pays = true,
            .fingerprint = Digest::of("csc", {sizeof(I), sizeof(T)})};
  }
  double multiplications(Index columns, Index sides) const override {
    return sparse::multiplications(static_cast<Index>(indptr_[cols()]), cols(), columns, sides);
  }
  double bytes() const override {
    return static_cast<double>(indptr_[cols()]) * (sizeof(I) + sizeof(T)) + static_cast<double>(cols() + 1) * sizeof(I);
  }

  void moments(Columns columns, const MatIn& weights, MatOut mean, MatOut variance, int threads) const override {
    const sparse::Moments moments(weights);
    sparse::each(static_cast<Index>(columns.size()), threads, [&](Index k) {
      const Index j = columns[static_cast<std::size_t>(k)];
      if (!has_duplicates(j)) return moments.of(column(j), k, mean, variance);
      const auto [row, value] = clean_column(j);
      moments.of(SparseColumn<Index, double>{row.data(), value.data(), static_cast<Index>(row.size())}, k, mean,
                 variance);
    });
  }
  void correlate(Columns columns, const MatIn& R, MatOut out, int threads) const override {
    sparse::correlate([this](Index j) { return column(j); }, columns, R, out, threads);
  }
  void multiply(Columns columns, const MatIn& B, MatOut out, int threads) const override {
    sparse::multiply([this](Index j) { return column(j); }, columns, B, out, threads);
  }
  void gather(Columns columns, MatOut out, int threads) const override {
    sparse::gather([this](Index j) { return column(j); }, columns, out, threads);
  }

  std::shared_ptr<const Design> rows_subset(std::span<const Index> rows) const override;

  std::unique_ptr<Pool> make_pool() const override {
    return has_compact_pool() ? csc_pool(*this) : Design::make_pool();
  }

  Index column_size(Index j) const override {
    return has_duplicates(j) ? static_cast<Index>(clean_column(j).first.size()) : column(j).size;
  }
  void copy_column(Index j, std::int32_t* row, double* value) const override {
    const auto x = column(j);
    if (std::is_sorted(x.row, x.row + x.size) && !has_duplicates(j)) {
      for (Index k = 0; k < x.size; ++k) {
        row[k] = static_cast<std::int32_t>(x.row[k]);
        value[k] = static_cast<double>(x.value[k]);
      }
      return;
    }
    const auto [rows_of, values_of] = clean_column(j);
    for (std::size_t k = 0; k < rows_of.size(); ++k) {
      row[k] = static_cast<std::int32_t>(rows_of[k]);
      value[k] = values_of[k];
    }
  }

 private:
  SparseColumn<I, T> column(Index j) const {
    return {indices_ + indptr_[j], values_ + indptr_[j], static_cast<Index>(indptr_[j + 1] - indptr_[j])};
  }

  bool has_compact_pool() const { return rows() <= std::numeric_limits<std::int32_t>::max(); }

  bool has_duplicates(Index j) const { return !duplicates_.empty() && duplicates_[static_cast<std::size_t>(j)]; }

  /// Rows in increasing order, and values, with duplicates summed in storage order.
  std::pair<std::vector<Index>, std::vector<double>> clean_column(Index j) const {
    const auto x = column(j);
    std::vector<Index> order(static_cast<std::size_t>(x.size));
    for (Index k = 0; k < x.size; ++k) order[static_cast<std::size_t>(k)] = k;
    std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return x.row[a] < x.row[b]; });
    std::pair<std::vector<Index>, std::vector<double>> clean;
    for (const Index k : order) {
      const auto row = static_cast<Index>(x.row[k]);
      const auto value = static_cast<double>(x.value[k]);
      if (!clean.first.empty() && clean.first.back() == row) {
        clean.second.back() += value;
      } else {
        clean.first.push_back(row);
        clean.second.push_back(value);
      }
    }
    return clean;
  }

  void check_indptr(Index nnz) const {
    if (rows() < 0 || cols() < 0)
      throw std::invalid_argument("shape must not be negative, got " + std::to_string(rows()) + " x " +
                                  std::to_string(cols()));
    if (indptr_[0] != 0) throw std::invalid_argument("indptr must start at 0, got " + std::to_string(indptr_[0]));
    for (Index j = 0; j < cols(); ++j)
      if (indptr_[j + 1] < indptr_[j])
        throw std::invalid_argument("indptr must not decrease, got " + std::to_string(indptr_[j]) + " then " +
                                    std::to_string(indptr_[j + 1]) + " for column " + std::to_string(j));
    if (static_cast<Index>(indptr_[cols()]) != nnz)
      throw std::invalid_argument("indptr must end at the number of stored entries, " + std::to_string(nnz) + ", got " +
                                  std::to_string(indptr_[cols()]));
  }

  /// Every index in range; finds the columns with duplicates (most columns are increasing and cost one comparison).
  void check_indices() {
    std::vector<Index> seen;  // last column + 1 that had an entry in this row
    for (Index j = 0; j < cols(); ++j) {
      const auto x = column(j);
      bool increasing = true;
      for (Index k = 0; k < x.size; ++k) {
        if (x.row[k] < 0 || static_cast<Index>(x.row[k]) >= rows())
          throw std::invalid_argument("indices must lie in [0, " + std::to_string(rows()) + "), got " +
                                      std::to_string(x.row[k]) + " in column " + std::to_string(j));
        increasing = increasing && (k == 0 || x.row[k - 1] < x.row[k]);
      }
      if (increasing) continue;
      seen.resize(static_cast<std::size_t>(rows()), 0);
      for (Index k = 0; k < x.size; ++k) {
        Index& last = seen[static_cast<std::size_t>(x.row[k])];
        if (last == j + 1) {
          duplicates_.resize(static_cast<std::size_t>(cols()), false);
          duplicates_[static_cast<std::size_t>(j)] = true;
        }
        last = j + 1;
      }
    }
  }

  const I* indptr_;
  const I* indices_;
  const T* values_;
  std::vector<bool> duplicates_;  // per column; empty when no column has any
};

/// Sparse columns and the view of them. There is room for all entries of the matrix they are from: what is not used of
/// it is never touched.
template <class I, class T>
struct OwnedCsc {
  OwnedCsc(std::size_t cols, std::size_t room)
      : indptr(cols + 1, 0),
        indices(std::make_unique_for_overwrite<I[]>(room)),
        values(std::make_unique_for_overwrite<T[]>(room)) {}
  std::vector<I> indptr;
  std::unique_ptr<I[]> indices;
  std::unique_ptr<T[]> values;
  std::unique_ptr<Design> view;
};

template <class I, class T>
std::shared_ptr<const Design> CscDesign<I, T>::rows_subset(std::span<const Index> chosen) const {
  constexpr I kNowhere = -1;
  std::vector<I> place(static_cast<std::size_t>(rows()), kNowhere);
  for (std::size_t i = 0; i < chosen.size(); ++i) place[static_cast<std::size_t>(chosen[i])] = static_cast<I>(i);
  const auto owned =
      std::make_shared<OwnedCsc<I, T>>(static_cast<std::size_t>(cols()), static_cast<std::size_t>(indptr_[cols()]));
  I count = 0;
  for (Index j = 0; j < cols(); ++j) {
    const auto x = column(j);
    for (Index k = 0; k < x.size; ++k) {  // written in any case: whether to keep an entry is hard to foresee
      const I row = place[static_cast<std::size_t>(x.row[k])];
      owned->indices[static_cast<std::size_t>(count)] = row;
      owned->values[static_cast<std::size_t>(count)] = x.value[k];
      count = static_cast<I>(count + (row != kNowhere ? 1 : 0));
    }
    owned->indptr[static_cast<std::size_t>(j + 1)] = count;
  }
  owned->view = std::make_unique<CscDesign>(static_cast<Index>(chosen.size()), cols(), static_cast<Index>(count),
                                            owned->indptr.data(), owned->indices.get(), owned->values.get());
  return {owned, owned->view.get()};
}

}  // namespace

std::unique_ptr<Design> csc_design(Index rows, Index cols, Index nnz, const std::int32_t* indptr,
                                   const std::int32_t* indices, const double* values) {
  return std::make_unique<CscDesign<std::int32_t, double>>(rows, cols, nnz, indptr, indices, values);
}

std::unique_ptr<Design> csc_design(Index rows, Index cols, Index nnz, const std::int64_t* indptr,
                                   const std::int64_t* indices, const double* values) {
  return std::make_unique<CscDesign<std::int64_t, double>>(rows, cols, nnz, indptr, indices, values);
}

std::unique_ptr<Design> csc_design(Index rows, Index cols, Index nnz, const std::int32_t* indptr,
                                   const std::int32_t* indices, const float* values) {
  return std::make_unique<CscDesign<std::int32_t, float>>(rows, cols, nnz, indptr, indices, values);
}

std::unique_ptr<Design> csc_design(Index rows, Index cols, Index nnz, const std::int64_t* indptr,
                                   const std::int64_t* indices, const float* values) {
  return std::make_unique<CscDesign<std::int64_t, float>>(rows, cols, nnz, indptr, indices, values);
}

}  // namespace riata
