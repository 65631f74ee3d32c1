#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "design/narrow_matrix.hpp"
#include "riata/design/design.hpp"

/// What goes to a ColumnServer and comes back, beside what fits say (path/part_messages.hpp).
namespace riata {

/// What a message to a part begins with.
struct MessageHead {
  std::uint64_t fit = 0;    // 0: of none, a question about the columns themselves
  std::uint64_t epoch = 0;  // number of the message in its fit
};

/// What an answer begins with.
enum class AnswerKind : std::uint8_t {
  kAnswer,
  kStale,  // the part does not know this fit up to the message before
  kInvalid,
  kNonFinite,
  kFile,
  kFailed
};

/// An error, after its kind.
struct PartError {
  std::string text;
  Index column = 0;

  template <class Archive>
  void state(Archive& archive) {
    archive(text, column);
  }
};

enum class HeldAs : std::uint8_t { kNumbers, kSparse, kPacked };

/// What there is to know of a part before anything is fitted.
struct PartAbout {
  Index first = 0, rows = 0, cols = 0;
  HeldAs held_as = HeldAs::kNumbers;
  std::string kind, version, isa;
  Traits traits;
  double bytes = 0.0, multiplications = 0.0;  // of all columns with one vector

  template <class Archive>
  void state(Archive& archive) {
    archive(first, rows, cols, held_as, kind, version, isa, traits, bytes, multiplications);
  }
};

/// Columns as PLINK files have them.
struct FetchedPacked {
  std::vector<std::uint8_t> bytes;
  std::vector<double> tables;         // see PackedColumns
  std::vector<std::uint8_t> missing;  // see PackedColumns

  template <class Archive>
  void state(Archive& archive) {
    archive(bytes, tables, missing);
  }
};

/// Sparse columns, one after the other.
struct FetchedSparse {
  std::vector<Index> sizes;
  std::vector<std::int32_t> rows;
  std::vector<double> values;

  template <class Archive>
  void state(Archive& archive) {
    archive(sizes, rows, values);
  }
};

}  // namespace riata
