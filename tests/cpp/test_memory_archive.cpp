#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "check_design.hpp"
#include "design/narrow_matrix.hpp"
#include "io/memory_archive.hpp"

using namespace riata;
using namespace riata::check;

TEST_CASE("what a memory archive has written is read again, from bytes at any address") {
  std::vector<std::pair<double, Index>> pairs{{0.5, 3}, {-1.0, 4}};
  std::vector<std::vector<Index>> lists{{1, 2}, {}, {7}};
  std::string word = "columns";
  Mat matrix = random_matrix(5, 3, 1);
  double number = 0.1;
  const std::string bytes = "x" + to_bytes(pairs, lists, word, matrix, number);
  decltype(pairs) pairs_read;
  decltype(lists) lists_read{{9}};
  std::string word_read;
  Mat matrix_read;
  double number_read = 0.0;
  from_bytes(std::string_view(bytes).substr(1), pairs_read, lists_read, word_read, matrix_read, number_read);
  CHECK(pairs_read == pairs);
  CHECK(lists_read == lists);
  CHECK(word_read == word);
  CHECK(matrix_read == matrix);
  CHECK(number_read == number);
  const std::string_view half = std::string_view(bytes).substr(1, bytes.size() / 2);
  CHECK_THROWS_AS(from_bytes(half, pairs_read, lists_read, word_read, matrix_read, number_read), std::invalid_argument);
}

TEST_CASE("a narrow matrix gives back the same bits in the fewest bytes") {
  const Index n = 100;
  Mat values(n, 7);
  for (Index i = 0; i < n; ++i) {
    const double x = static_cast<double>(i);
    values(i, 0) = std::fmod(x, 3.0);                     // dosages
    values(i, 1) = std::ldexp(300.0 * x - 15000.0, -70);  // multiples of a power of two
    values(i, 2) = static_cast<double>(static_cast<float>(std::sqrt(x)));
    values(i, 3) = std::sqrt(x);
    values(i, 4) = 0.0;
    values(i, 5) = i == 3 ? -0.0 : 1.0;
    values(i, 6) = i == 3 ? std::numeric_limits<double>::quiet_NaN() : x;
  }
  NarrowMatrix narrow(values);
  std::string bytes = to_bytes(narrow);
  NarrowMatrix read;
  from_bytes(bytes, read);
  const Mat back = read.unpacked();
  REQUIRE(back.rows() == n);
  REQUIRE(back.cols() == 7);
  CHECK(same_bits(back, values));
  const std::vector<Index> sizes{1, 2, 4, 8, 1, 4, 8};
  for (Index q = 0; q < 7; ++q) {
    NarrowMatrix one(values.col(q)), none(values.topRows(0).col(q));
    const Index size = static_cast<Index>(to_bytes(one).size()) - static_cast<Index>(to_bytes(none).size());
    CHECK(size == n * sizes[static_cast<std::size_t>(q)]);
  }
  const NarrowMatrix some = narrow.some(std::vector<Index>{5, 1, 3});
  CHECK(some.sound());
  const Mat chosen = some.unpacked();
  REQUIRE(chosen.cols() == 3);
  CHECK(same_bits(chosen.col(0), values.col(5)));
  CHECK(same_bits(chosen.col(1), values.col(1)));
  CHECK(same_bits(chosen.col(2), values.col(3)));
}

TEST_CASE("numbers at the ends of their range go as they are") {
  Mat values(4, 2);
  values.col(0) << std::numeric_limits<double>::denorm_min(), 0.0, -3.0 * std::numeric_limits<double>::denorm_min(),
      0.0;
  values.col(1) << std::numeric_limits<double>::max(), std::numeric_limits<double>::min(), 1e300,
      -std::numeric_limits<double>::infinity();
  const Mat back = NarrowMatrix(values).unpacked();
  CHECK(same_bits(back, values));
}
