// Compiled with -mavx2 -mfma (MSVC: /arch:AVX2).
#if defined(__AVX2__) && (defined(__FMA__) || defined(_MSC_VER))
#define RIATA_ISA avx2
#define RIATA_ISA_NAME "avx2"
#define RIATA_ISA_LEVEL 2
#include "kernels_impl.hpp"

namespace riata {
extern const Kernels* const avx2_table = &avx2::table;
}
#else
#include "tables.hpp"

namespace riata {
extern const Kernels* const avx2_table = nullptr;
}
#endif
