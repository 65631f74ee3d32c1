#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "riata/design/plink.hpp"
#include "riata/io/text_table.hpp"

namespace riata {

/// Genotypes in PLINK's three files, with what names their rows and columns.
struct Bfile {
  std::shared_ptr<PlinkDesign> genotypes;  // samples x variants
  TextStore family, sample;                // columns 1 and 2 of the .fam
  TextStore chromosome, variant, a1, a2;   // columns 1, 2, 5 and 6 of the .bim
  std::vector<std::int64_t> position;      // column 4 of the .bim
};

/// Opens PREFIX.bed, PREFIX.bim and PREFIX.fam; `counted` is the allele whose copies are counted. The path is UTF-8.
/// Throws FileError for files that cannot be read, std::invalid_argument naming file and line for one that does not
/// read as such a table.
Bfile open_bfile(const std::string& prefix, CountedAllele counted = CountedAllele::A1, int threads = 1);

}  // namespace riata
