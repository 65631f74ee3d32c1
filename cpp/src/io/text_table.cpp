#include "riata/io/text_table.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>
#include <stdexcept>
#include <version>

#include "io/first_of.hpp"

#ifndef __cpp_lib_to_chars
#include <locale>
#include <sstream>
#endif

namespace riata {
namespace {

constexpr std::size_t kShown = 40;  // characters of a cell that a message quotes

bool is_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

std::optional<std::int64_t> parse_integer(std::string_view cell) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || end != cell.data() + cell.size()) return std::nullopt;
  return value;
}

std::optional<double> parse_real(std::string_view cell) {
  if (cell == "0") return 0.0;
  double value = 0.0;
#ifdef __cpp_lib_to_chars
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || end != cell.data() + cell.size()) return std::nullopt;
#else
  std::istringstream in{std::string(cell)};
  in.imbue(std::locale::classic());
  if (!(in >> value) || !in.eof()) return std::nullopt;
#endif
  return value;
}

/// The numbers of distinct texts, in the order they appear.
class Codes {
 public:
  explicit Codes(TextStore& names) : names_(names) {}

  std::int32_t operator()(std::string_view text) {
    const Texts names = names_.view();
    if (last_ < names.size() && names[last_] == text) return static_cast<std::int32_t>(last_);
    if (2 * names.size() >= room_) grow();
    const Index next = names_.view().size();
    const Index known = add(text, next);
    if (known < 0) names_.push(text);
    last_ = known < 0 ? next : known;
    return static_cast<std::int32_t>(last_);
  }

 private:
  Index add(std::string_view text, Index item) {
    const Texts names = names_.view();
    return table_.find_or_add(hash_bytes(text), item, [&](Index k) { return names[k] == text; });
  }
  void grow() {
    room_ *= 2;
    table_ = FirstOf(room_);
    const Texts names = names_.view();
    for (Index k = 0; k < names.size(); ++k) add(names[k], k);
  }

  TextStore& names_;
  Index room_ = 64;
  FirstOf table_{room_};
  Index last_ = 0;
};

class Reader {
 public:
  Reader(const TextLayout& layout, const std::vector<TextField>& fields, Index lines)
      : layout_(layout), fields_(fields), columns_(fields.size()) {
    const auto rows = static_cast<std::size_t>(lines);
    for (std::size_t k = 0; k < fields.size(); ++k) {
      needed_ = std::max(needed_, fields[k].field + 1);
      codes_.emplace_back(columns_[k].texts);
      if (fields[k].kind == TextKind::code) columns_[k].codes.reserve(rows);
      if (fields[k].kind == TextKind::text) columns_[k].texts.offsets.reserve(rows + 1);
      if (fields[k].kind == TextKind::integer) columns_[k].integers.reserve(rows);
      if (fields[k].kind == TextKind::real) columns_[k].reals.reserve(rows);
    }
    cells_.resize(static_cast<std::size_t>(needed_));
  }

  void read(std::string_view line, Index number) {
    const Index found = split(line);
    if (found == 0) return;
    if (layout_.fields > 0 ? found != layout_.fields : found < needed_)
      fail(number, "expected " +
                       (layout_.fields > 0 ? std::to_string(layout_.fields) : "at least " + std::to_string(needed_)) +
                       " fields (" + layout_.field_names + "), got " + std::to_string(found));
    for (std::size_t k = 0; k < fields_.size(); ++k) keep(k, number);
    any_ = true;
  }

  std::vector<TextColumn> finish() {
    if (!any_) throw std::invalid_argument(layout_.source + ": the file is empty");
    return std::move(columns_);
  }

 private:
  [[noreturn]] void fail(Index number, const std::string& what) const {
    throw std::invalid_argument(layout_.source + ", line " + std::to_string(number) + ": " + what);
  }

  /// The cells that are needed, and how many there are; past the needed ones only when the number must be exact.
  Index split(std::string_view line) {
    Index found = 0;
    const char* at = line.data();
    const char* const end = at + line.size();
    for (;;) {
      while (at != end && is_blank(*at)) ++at;
      if (at == end || (found == needed_ && layout_.fields == 0)) return found;
      const char* const first = at;
      while (at != end && !is_blank(*at)) ++at;
      if (found < needed_) cells_[static_cast<std::size_t>(found)] = {first, static_cast<std::size_t>(at - first)};
      ++found;
    }
  }

  void keep(std::size_t k, Index number) {
    const std::string_view cell = cells_[static_cast<std::size_t>(fields_[k].field)];
    TextColumn& column = columns_[k];
    if (fields_[k].kind == TextKind::code) return column.codes.push_back(codes_[k](cell));
    if (fields_[k].kind == TextKind::text) return column.texts.push(cell);
    if (fields_[k].kind == TextKind::integer)
      column.integers.push_back(number_of(parse_integer(cell), k, number));
    else
      column.reals.push_back(number_of(parse_real(cell), k, number));
  }

  template <class T>
  T number_of(const std::optional<T>& value, std::size_t k, Index number) const {
    if (!value) {
      const std::string_view cell = cells_[static_cast<std::size_t>(fields_[k].field)];
      std::string shown(cell.substr(0, kShown));
      std::replace(shown.begin(), shown.end(), '\0', '?');  // which would end the message
      fail(number, fields_[k].name + " '" + shown + (cell.size() > kShown ? "..." : "") + "' is not a number");
    }
    return *value;
  }

  const TextLayout& layout_;
  const std::vector<TextField>& fields_;
  std::vector<TextColumn> columns_;
  std::vector<Codes> codes_;
  std::vector<std::string_view> cells_;
  Index needed_ = 0;
  bool any_ = false;
};

}  // namespace

void TextStore::push(std::string_view text) {
  if (bytes.size() + text.size() > std::numeric_limits<std::uint32_t>::max())
    throw std::length_error("a column of text must not take more than 4 GiB");
  bytes.insert(bytes.end(), text.begin(), text.end());
  offsets.push_back(static_cast<std::uint32_t>(bytes.size()));
}

TextStore take_texts(const Texts& texts, std::span<const std::int64_t> positions) {
  TextStore out;
  out.offsets.reserve(positions.size() + 1);
  std::size_t size = 0;
  for (const std::int64_t i : positions) size += texts[static_cast<Index>(i)].size();
  out.bytes.reserve(size);
  for (const std::int64_t i : positions) out.push(texts[static_cast<Index>(i)]);
  return out;
}

std::vector<std::int32_t> match_texts(const Texts& texts, const Texts& wanted) {
  FirstOf table(wanted.size());
  for (Index k = 0; k < wanted.size(); ++k)
    table.find_or_add(hash_bytes(wanted[k]), k, [&](Index other) { return wanted[other] == wanted[k]; });
  std::vector<std::int32_t> out(static_cast<std::size_t>(texts.size()));
  for (Index i = 0; i < texts.size(); ++i)
    out[static_cast<std::size_t>(i)] =
        static_cast<std::int32_t>(table.find(hash_bytes(texts[i]), [&](Index k) { return wanted[k] == texts[i]; }));
  return out;
}

std::vector<std::uint8_t> repeated_texts(const Texts& texts) {
  FirstOf table(texts.size());
  std::vector<std::uint8_t> out(static_cast<std::size_t>(texts.size()));
  for (Index i = 0; i < texts.size(); ++i)
    out[static_cast<std::size_t>(i)] =
        table.find_or_add(hash_bytes(texts[i]), i, [&](Index other) { return texts[other] == texts[i]; }) >= 0;
  return out;
}

std::vector<TextColumn> read_text_columns(std::string_view text, const TextLayout& layout,
                                          const std::vector<TextField>& fields) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  Reader reader(layout, fields, std::count(text.begin(), text.end(), '\n') + 1);
  Index number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (++number > layout.skipped_lines) reader.read(text.substr(0, end), number);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return reader.finish();
}

}  // namespace riata
