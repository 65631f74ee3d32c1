#include <doctest/doctest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "riata/error.hpp"
#include "riata/io/mmap.hpp"

namespace {

struct TempFile {
  std::filesystem::path path;
  explicit TempFile(const std::string& bytes)
      : path(std::filesystem::temp_directory_path() / "riata_test_mmap_\u00e9.bin") {
    std::ofstream(path, std::ios::binary) << bytes;
  }
  ~TempFile() { std::filesystem::remove(path); }
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;
};

std::string utf8(const std::filesystem::path& path) {
  const auto text = path.u8string();
  return {text.begin(), text.end()};
}

}  // namespace

TEST_CASE("a mapped file shows the bytes of the file") {
  const TempFile file("genotype");
  riata::MappedFile mapped(utf8(file.path));
  REQUIRE(mapped.size() == 8);
  CHECK(std::memcmp(mapped.data(), "genotype", 8) == 0);
  mapped.expect(riata::MappedFile::Access::sequential);
  mapped.will_need(0, 1000);
  mapped.will_need(1000, 1);

  riata::MappedFile moved(std::move(mapped));
  CHECK(moved.size() == 8);
  CHECK(mapped.data() == nullptr);  // NOLINT(bugprone-use-after-move): the promise under test
  mapped = std::move(moved);
  CHECK(mapped.data()[0] == 'g');
}

TEST_CASE("an empty file maps to nothing") {
  const TempFile file("");
  const riata::MappedFile mapped(utf8(file.path));
  CHECK(mapped.size() == 0);
  CHECK(mapped.data() == nullptr);
}

TEST_CASE("a file that cannot be mapped is named with the reason") {
  const auto folder = utf8(std::filesystem::temp_directory_path());
  CHECK_THROWS_AS(riata::MappedFile{folder}, riata::FileError);
  CHECK_THROWS_WITH_AS(riata::MappedFile(folder + "/riata no such file"), doctest::Contains("riata no such file"),
                       riata::FileError);
}
