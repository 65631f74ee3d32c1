#pragma once

#include <cstdint>
#include <vector>

#include "design/plink_columns.hpp"

namespace riata {

/// Right-hand sides whose entries are integers times a power of two, one for each side, in the layout of
/// PlinkKernels::sum_rounded.
class RoundedSides {
 public:
  /// See Design::round_sides.
  static void round(MatOut R);

  /// Takes apart an R that round() made: the step is found again from its largest entry.
  explicit RoundedSides(const MatIn& R);

  /// out[c + q ldo] = sum_i x_ic R(i, q): exact sums of integers put together in double. The codes of a column stand
  /// for {2, v, 1, 0} or {0, v, 1, 2}, less a constant.
  void correlate(const PackedColumns& columns, double* out, Index ldo) const;

 private:
  Index rows_, sides_;
  std::vector<double> step_;
  std::vector<std::int64_t> sum_;                         // of the integers of a side
  Eigen::Matrix<std::int8_t, Eigen::Dynamic, 1> planes_;  // aligned to cache lines, unlike a std::vector
};

}  // namespace riata
