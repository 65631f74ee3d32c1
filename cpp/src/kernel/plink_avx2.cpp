// Compiled with -mavx2 -mfma (MSVC: /arch:AVX2).

#if defined(__AVX2__) && (defined(__FMA__) || defined(_MSC_VER))
#define RIATA_ISA avx2
#define RIATA_ISA_LEVEL 2
#include "plink_tile.hpp"

namespace riata {
const PlinkKernels* const plink_avx2_table = &avx2::plink_table;
}
#else
#include "plink.hpp"

namespace riata {
const PlinkKernels* const plink_avx2_table = nullptr;
}
#endif
