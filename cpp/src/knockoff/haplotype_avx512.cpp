// Compiled with -mavx512f -mavx512bw -mavx512vl -mavx512dq (MSVC: /arch:AVX512).
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512DQ__)
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"  // GCC 12's own _mm512_undefined_pd
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#define RIATA_ISA avx512
#define RIATA_ISA_NAME "avx512"
#define RIATA_ISA_LEVEL 3
#include "haplotype_table.hpp"

namespace riata {
extern const HaplotypeKernels* const haplotype_avx512 = &avx512::haplotype_table;
}
#else
#include "haplotype_kernels.hpp"

namespace riata {
extern const HaplotypeKernels* const haplotype_avx512 = nullptr;
}
#endif
