#if defined(__AVX2__) && (defined(__FMA__) || defined(_MSC_VER))
#define RIATA_ISA avx2
#define RIATA_ISA_LEVEL 2
#include "bounds_tile.hpp"

namespace riata {
const DecideColumns decide_columns_avx2 = avx2::decide;
}
#else
#include "bounds.hpp"

namespace riata {
const DecideColumns decide_columns_avx2 = nullptr;
}
#endif
