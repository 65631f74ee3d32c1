#define RIATA_ISA baseline
#define RIATA_ISA_LEVEL 0
#include "compact_tile.hpp"

namespace riata {

const CompactKernels* const compact_baseline_table = &baseline::compact_table;

const CompactKernels& compact_kernels() {
  const std::string_view name = kernels().name;
  if (name == "avx512" && compact_avx512_table != nullptr) return *compact_avx512_table;
  if (name == "avx2" && compact_avx2_table != nullptr) return *compact_avx2_table;
  return *compact_baseline_table;
}

}  // namespace riata
