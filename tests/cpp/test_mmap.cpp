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

#ifndef _WIN32
TEST_CASE("what is cut off a mapped file becomes zeros, and is told") {
  constexpr std::size_t kSize = 100000;
  const TempFile file(std::string(kSize, 'g'));
  const riata::MappedFile mapped(utf8(file.path));
  mapped.check();
  const riata::FileIdentity before = mapped.identity();
  CHECK(before.bytes == kSize);
  std::filesystem::resize_file(file.path, 10);
  CHECK(mapped.data()[9] == 'g');
  CHECK(mapped.data()[kSize - 1] == 0);
  CHECK(mapped.data()[kSize / 2] == 0);
  CHECK_THROWS_WITH_AS(mapped.check(), doctest::Contains("must not change"), riata::FileError);
  std::filesystem::resize_file(file.path, kSize);  // the size is as it was, but something else was read
  CHECK_THROWS_AS(mapped.check(), riata::FileError);
  CHECK(!(mapped.identity() == before));
}

TEST_CASE("a mapped file stays what it was when another takes its name") {
  const TempFile file("genotype");
  const riata::MappedFile mapped(utf8(file.path));
  std::filesystem::remove(file.path);
  std::ofstream(file.path, std::ios::binary) << "other";
  CHECK(mapped.data()[0] == 'g');
  mapped.check();
  CHECK(mapped.identity().inode != riata::MappedFile(utf8(file.path)).identity().inode);
}
#endif
