#pragma once

#include <cstdint>
#include <vector>

#include "riata/types.hpp"

namespace riata {

/// Weights of the rows for several problems, on their way to another process: where few rows differ from each other,
/// as those of folds, a byte a row and each kind of row once.
class PackedWeights {
 public:
  PackedWeights() = default;
  explicit PackedWeights(const Mat& weights);

  Index rows() const { return kind_.empty() ? kinds_.rows() : static_cast<Index>(kind_.size()); }
  Index cols() const { return kinds_.cols(); }
  /// The same bits again. Throws std::invalid_argument for rows of kinds that there are not.
  Mat unpacked() const;

  /// See io/transfer.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(kind_, kinds_);
  }

 private:
  std::vector<std::uint8_t> kind_;  // of each row; empty: row i is of kind i
  Mat kinds_;
};

}  // namespace riata
