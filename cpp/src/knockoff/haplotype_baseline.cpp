#define RIATA_ISA baseline
#define RIATA_ISA_NAME "baseline"
#define RIATA_ISA_LEVEL 0
#include "haplotype_table.hpp"

namespace riata {
extern const HaplotypeKernels* const haplotype_baseline = &baseline::haplotype_table;
}
