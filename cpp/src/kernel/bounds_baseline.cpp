#define RIATA_ISA baseline
#define RIATA_ISA_LEVEL 0
#include "bounds_tile.hpp"

namespace riata {
const DecideColumns decide_columns_baseline = baseline::decide;

DecideColumns decide_columns() {
  const std::string_view name = kernels().name;
  if (name == "avx512" && decide_columns_avx512 != nullptr) return decide_columns_avx512;
  if (name == "avx2" && decide_columns_avx2 != nullptr) return decide_columns_avx2;
  return decide_columns_baseline;
}

}  // namespace riata
