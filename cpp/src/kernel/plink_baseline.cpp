// Compiled for the baseline processor of the target; with the choice among the tables.

#define RIATA_ISA baseline
#define RIATA_ISA_LEVEL 0
#include "plink_tile.hpp"
#include "tables.hpp"

namespace riata {

const PlinkKernels* const plink_baseline_table = &baseline::plink_table;

const PlinkKernels& plink_kernels() {
  const std::string_view name = kernels().name;
  if (name == "avx512vnni" && plink_vnni_table != nullptr) return *plink_vnni_table;
  if (name == "avx512" && plink_avx512_table != nullptr) return *plink_avx512_table;
  if (name == "avx2" && plink_avx2_table != nullptr) return *plink_avx2_table;
  return *plink_baseline_table;
}

}  // namespace riata
