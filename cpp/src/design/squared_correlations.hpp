#pragma once

#include <vector>

#include "riata/design/design.hpp"
#include "riata/types.hpp"

namespace riata {

/// Squared correlations of columns over some rows, all of them multiples of 2^-30.
class SquaredCorrelations {
 public:
  /// `rows` are 1 where a row counts, else 0.
  SquaredCorrelations(const Design& X, Columns columns, const Vec& rows, int threads);

  /// Whether columns[k] varies over the rows.
  bool varies(Index k) const { return deviation_[k] > 0.0; }

  /// out(i, j) = r2 of columns[first[i]] and columns[second[j]]; 0 where one does not vary.
  void fill(std::span<const Index> first, std::span<const Index> second, Mat& out, int threads) const;

 private:
  std::vector<Index> numbers(std::span<const Index> places) const;
  bool from_pool(std::span<const Index> first, std::span<const Index> second, Mat& out, int threads) const;

  const Design& X_;
  std::vector<Index> columns_;
  Vec rows_;
  double count_;
  Vec mean_, deviation_;
};

}  // namespace riata
