#if defined(__AVX2__) && (defined(__FMA__) || defined(_MSC_VER))
#define RIATA_ISA avx2
#define RIATA_ISA_LEVEL 2
#include "compact_tile.hpp"

namespace riata {
const CompactKernels* const compact_avx2_table = &avx2::compact_table;
}
#else
#include "compact.hpp"

namespace riata {
const CompactKernels* const compact_avx2_table = nullptr;
}
#endif
