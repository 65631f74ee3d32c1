#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>

#include "check_design.hpp"
#include "plink_files.hpp"
#include "riata/design/bfile.hpp"
#include "riata/error.hpp"

using namespace riata;

namespace {

/// PREFIX.bed, .bim and .fam in a folder of their own.
struct Files {
  explicit Files(const Mat& x) {
    std::filesystem::create_directory(folder);
    std::ofstream bed(prefix + ".bed", std::ios::binary), bim(prefix + ".bim"), fam(prefix + ".fam");
    for (const std::uint8_t byte : check::encode(x)) bed.put(static_cast<char>(byte));
    for (Index i = 0; i < x.rows(); ++i) fam << "f" << i / 2 << " i" << i << " 0 0 1 -9\n";
    for (Index j = 0; j < x.cols(); ++j) bim << "7\trs" << j << "\t0\t" << 100 * (j + 1) << "\tA\tG\n";
  }
  ~Files() { std::filesystem::remove_all(folder); }
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;

  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("riata_bfile_" + std::to_string(std::random_device{}()));
  std::string prefix = (folder / "study").string();
};

}  // namespace

TEST_CASE("three files of PLINK are opened by their prefix") {
  const Mat x = check::example(13, 6);
  const Files files(x);
  for (const auto counted : {CountedAllele::A1, CountedAllele::A2}) {
    const Bfile study = open_bfile(files.prefix, counted);
    check::operations(*study.genotypes, check::impute(x, counted, {}));
    CHECK(study.family.view()[3] == "f1");
    CHECK(study.sample.view().size() == 13);
    CHECK(study.sample.view()[12] == "i12");
    CHECK(study.variant.view()[5] == "rs5");
    CHECK(study.chromosome.view()[0] == "7");
    CHECK(study.a1.view()[1] == "A");
    CHECK(study.a2.view()[1] == "G");
    CHECK(study.position == std::vector<std::int64_t>{100, 200, 300, 400, 500, 600});
  }
}

TEST_CASE("files that are not there or do not fit one another are refused") {
  const Files files(check::example(13, 6));
  CHECK_THROWS_AS(open_bfile(files.prefix + "x"), FileError);
  std::ofstream(files.prefix + ".fam", std::ios::app) << "f i13 0 0\n";
  CHECK_THROWS_AS(open_bfile(files.prefix), std::invalid_argument);  // four fields
  std::ofstream(files.prefix + ".fam") << "f i 0 0 1 -9\n";
  CHECK_THROWS_AS(open_bfile(files.prefix), FileError);  // the .bed holds 13 samples
}
