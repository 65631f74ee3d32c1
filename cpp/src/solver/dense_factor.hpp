#pragma once

#include <vector>

#include "riata/types.hpp"

namespace riata {

/// Cholesky factor L L' of a dense symmetric matrix, made by blocks of columns, the rows below a block on several
/// threads. The same bits for any number of them.
class DenseFactor {
 public:
  Index size() const { return rows_.cols(); }
  void clear() { rows_.resize(0, 0); }

  /// Where the matrix is put before make(): its lower triangle, row i in column i.
  Mat& matrix() { return rows_; }
  /// Replaces the matrix by its factor, at n^3 / 6 multiplications. False, and empty, when it is not positive definite.
  bool make(int threads);
  /// Solves L L' x = rhs in place, at n^2.
  void solve(Vec& rhs) const;

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(rows_);
    if constexpr (Archive::reading) find_lines();
  }

 private:
  void find_lines();
  bool factor_corner(Index first, Index size);

  Mat rows_;                          // row i of the lower triangle in column i
  std::vector<const double*> lines_;  // the same
};

}  // namespace riata
