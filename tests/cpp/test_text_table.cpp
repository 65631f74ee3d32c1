#include <doctest/doctest.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "riata/io/text_table.hpp"

using riata::Index;
using riata::TextKind;
using riata::TextStore;

namespace {

TextStore store(const std::vector<std::string>& texts) {
  TextStore out;
  for (const auto& text : texts) out.push(text);
  return out;
}

std::vector<std::string> strings(const TextStore& texts) {
  std::vector<std::string> out;
  for (Index i = 0; i < texts.view().size(); ++i) out.emplace_back(texts.view()[i]);
  return out;
}

const std::vector<riata::TextField> kFields = {{0, TextKind::code, "chromosome"},
                                               {2, TextKind::text, "id"},
                                               {1, TextKind::integer, "position"},
                                               {3, TextKind::real, "distance"}};

std::vector<riata::TextColumn> read(std::string_view text, Index fields = 4, Index skipped = 0) {
  return riata::read_text_columns(text, {"x.bim", fields, "a, b, c, d", skipped}, kFields);
}

}  // namespace

TEST_CASE("columns are read from lines of any shape") {
  const auto columns = read("#head\n1\t10 rs1 0\n\n 1  -20\trs2\t1.5e-3 \r\nX 30 a 2\n1 7 rs1 -4", 4, 1);
  CHECK(columns[0].codes == std::vector<std::int32_t>{0, 0, 1, 0});
  CHECK(strings(columns[0].texts) == std::vector<std::string>{"1", "X"});
  CHECK(strings(columns[1].texts) == std::vector<std::string>{"rs1", "rs2", "a", "rs1"});
  CHECK(columns[2].integers == std::vector<std::int64_t>{10, -20, 30, 7});
  CHECK(columns[3].reals == std::vector<double>{0.0, 0.0015, 2.0, -4.0});
  CHECK(strings(read("\xEF\xBB\xBF"
                     "7 1 a 2\n")[0]
                    .texts) == std::vector<std::string>{"7"});
  CHECK(read("1 2 3 4 5 6\n", 0)[3].reals == std::vector<double>{4.0});
}

TEST_CASE("many distinct texts have codes in the order they appear") {
  const auto name = [](std::size_t k) { return std::string("t").append(std::to_string(k * 7 % 1201)); };
  std::string text;
  for (std::size_t k = 0; k < 5000; ++k) text.append(name(k)).append(" 1 a 2\n");
  const auto column = read(text)[0];
  REQUIRE(column.texts.view().size() == 1201);
  std::int32_t seen = 0;
  for (std::size_t k = 0; k < 5000; ++k) {
    CHECK(column.codes[k] <= seen);
    if (column.codes[k] == seen) ++seen;
    CHECK(column.texts.view()[column.codes[k]] == name(k));
  }
}

TEST_CASE("bad lines are refused with their number") {
  const auto refused = [](std::string_view text, Index fields, const char* message) {
    CHECK_THROWS_WITH_AS(read(text, fields), message, std::invalid_argument);
  };
  refused("1 1 a 1\n\n1 1 a\n", 4, "x.bim, line 3: expected 4 fields (a, b, c, d), got 3");
  refused("1 1 a 1 9\n", 4, "x.bim, line 1: expected 4 fields (a, b, c, d), got 5");
  refused("1 1 a\n", 0, "x.bim, line 1: expected at least 4 fields (a, b, c, d), got 3");
  refused("1 here a 1\n", 4, "x.bim, line 1: position 'here' is not a number");
  refused("1 1.5 a 1\n", 4, "x.bim, line 1: position '1.5' is not a number");
  refused("1 1 a 1,5\n", 4, "x.bim, line 1: distance '1,5' is not a number");
  refused(" \n\n", 4, "x.bim: the file is empty");
  refused("", 4, "x.bim: the file is empty");
}

TEST_CASE("texts are taken, matched and told apart") {
  const TextStore texts = store({"rs1", "", "rs123456789", "rs1", "rs12345678", "", "b"});
  const std::vector<std::int64_t> positions = {6, 0, 1, 6};
  CHECK(strings(riata::take_texts(texts.view(), positions)) == std::vector<std::string>{"b", "rs1", "", "b"});
  const TextStore wanted = store({"b", "rs1", "none", "rs1", "rs123456789"});
  CHECK(riata::match_texts(texts.view(), wanted.view()) == std::vector<std::int32_t>{1, -1, 4, 1, -1, -1, 0});
  CHECK(riata::repeated_texts(texts.view()) == std::vector<std::uint8_t>{0, 0, 0, 1, 0, 1, 0});
  CHECK(riata::match_texts(store({}).view(), wanted.view()).empty());
  CHECK(riata::match_texts(wanted.view(), store({}).view()) == std::vector<std::int32_t>(5, -1));
}
