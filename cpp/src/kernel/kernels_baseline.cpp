// Compiled for the baseline processor of the target.

#define RIATA_ISA baseline
#define RIATA_ISA_NAME "baseline"
#define RIATA_ISA_LEVEL 0
#include "kernels_impl.hpp"

namespace riata {
extern const Kernels* const baseline_table = &baseline::table;
}
