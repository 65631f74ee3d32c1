// Compiled with -mavx2 -mfma (MSVC: /arch:AVX2).
#if defined(__AVX2__) && (defined(__FMA__) || defined(_MSC_VER))
#define RIATA_ISA avx2
#define RIATA_ISA_NAME "avx2"
#define RIATA_ISA_LEVEL 2
#include "haplotype_table.hpp"

namespace riata {
extern const HaplotypeKernels* const haplotype_avx2 = &avx2::haplotype_table;
}
#else
#include "haplotype_kernels.hpp"

namespace riata {
extern const HaplotypeKernels* const haplotype_avx2 = nullptr;
}
#endif
