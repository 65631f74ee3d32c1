#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "riata/types.hpp"

/// Reading some columns of text tables, and finding texts in them, without an object a cell.
namespace riata {

/// Many short texts, one after the other: text i is bytes[offsets[i], offsets[i + 1]).
struct Texts {
  std::span<const char> bytes;
  std::span<const std::uint32_t> offsets;  // one more than there are texts

  Index size() const { return static_cast<Index>(offsets.size()) - 1; }
  std::string_view operator[](Index i) const {
    const auto k = static_cast<std::size_t>(i);
    return {bytes.data() + offsets[k], offsets[k + 1] - offsets[k]};
  }
};

/// Texts that own their bytes, 4 GiB at most.
struct TextStore {
  std::vector<char> bytes;
  std::vector<std::uint32_t> offsets = {0};

  /// Throws std::length_error past 4 GiB.
  void push(std::string_view text);
  Texts view() const { return {bytes, offsets}; }
};

/// The texts at some positions, in their order.
TextStore take_texts(const Texts& texts, std::span<const std::int64_t> positions);

/// For each text the first of `wanted` that equals it, or -1. Memory grows with `wanted` and the result alone.
std::vector<std::int32_t> match_texts(const Texts& texts, const Texts& wanted);

/// One byte a text: whether an earlier one equals it.
std::vector<std::uint8_t> repeated_texts(const Texts& texts);

/// How a column of a text table is kept: as numbers of the distinct texts (few of them), as texts, or as numbers.
enum class TextKind { code, text, integer, real };

/// A column to read: its place in a line, counted from 0, and what messages call it.
struct TextField {
  Index field;
  TextKind kind;
  std::string name;
};

/// What was read of a field; the parts that its kind has no use for stay empty.
struct TextColumn {
  std::vector<std::int32_t> codes;  // places in `texts` (code)
  TextStore texts;                  // the distinct ones (code), or one a line (text)
  std::vector<std::int64_t> integers;
  std::vector<double> reals;
};

/// What the lines of a table look like.
struct TextLayout {
  std::string source;       // named in messages: a path
  Index fields = 0;         // exactly as many a line, or 0: at least those that are read
  std::string field_names;  // all of them, for messages
  Index skipped_lines = 0;  // at the start
};

/// Reads fields separated by blanks, one pass over the text; empty lines are skipped.
/// Throws std::invalid_argument naming source and line when a line has another number of fields or a number does not
/// read as one, and when there is no line.
std::vector<TextColumn> read_text_columns(std::string_view text, const TextLayout& layout,
                                          const std::vector<TextField>& fields);

}  // namespace riata
