#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "riata/types.hpp"

namespace riata {

/// A matrix on its way to another process: each column in the fewest bytes that give back the same bits.
class NarrowMatrix {
 public:
  NarrowMatrix() = default;
  explicit NarrowMatrix(const MatIn& values);

  Index rows() const { return rows_; }
  Index cols() const { return static_cast<Index>(forms_.size()); }
  /// Whether it is what was written of finite numbers somewhere, not other bytes.
  bool sound() const;
  /// The numbers again; `out` is rows() x cols().
  void unpack(MatOut out) const;
  Mat unpacked() const;
  /// Some of its columns, as they are.
  NarrowMatrix some(std::span<const Index> columns) const;

  /// See io/transfer.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(rows_, forms_, steps_, bytes_);
  }

 private:
  /// Small integers; 16-bit multiples of a power of two, as Design::round_sides makes them; floats; doubles.
  enum class Form : std::uint8_t { kInt8, kMultiples, kFloat, kDouble };
  static std::size_t bytes_of(Form form);
  template <class T>
  bool add(const double* values, double step, Form form);

  Index rows_ = 0;
  std::vector<Form> forms_;    // of each column
  std::vector<double> steps_;  // of each column, where there is one
  std::vector<std::uint8_t> bytes_;
};

}  // namespace riata
