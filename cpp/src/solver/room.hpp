#pragma once

#include <cstddef>

#include "riata/types.hpp"

namespace riata {

using VecMap = Eigen::Map<Vec, Eigen::AlignedMax>;
using MatMap = Eigen::Map<Mat, Eigen::AlignedMax>;

/// Room for a vector or a matrix whose size changes: it is allocated only where more is asked for than ever before.
class Room {
 public:
  /// A new shape, with anything in it.
  VecMap shape(Index size) {
    shape(size, 1);
    return vec();
  }
  MatMap shape(Index rows, Index cols) {
    if (rows * cols > room_.size()) room_.resize(rows * cols);
    rows_ = rows;
    cols_ = cols;
    return mat();
  }
  /// The first numbers of a vector, which stay.
  void shrink(Index size) { rows_ = size; }
  /// What has been put there.
  VecMap vec() { return VecMap(room_.data(), rows_ * cols_); }
  MatMap mat() { return MatMap(room_.data(), rows_, cols_); }

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(rows_, cols_);
    archive.rooms(room_);
    if constexpr (!Archive::counting)
      archive.bytes(room_.data(), static_cast<std::size_t>(rows_ * cols_) * sizeof(double));
  }
  template <class Archive>
  void rooms(Archive& archive) {
    archive.rooms(room_);
  }

 private:
  Vec room_;
  Index rows_ = 0, cols_ = 0;
};

}  // namespace riata
