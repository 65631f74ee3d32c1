// Compiled with -mavx512f -mavx512bw -mavx512vl -mavx512dq (MSVC: /arch:AVX512).

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512DQ__)
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"  // GCC 12's own _mm512_undefined_pd
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#define RIATA_ISA avx512
#define RIATA_ISA_LEVEL 3
#include "plink_tile.hpp"

namespace riata {
const PlinkKernels* const plink_avx512_table = &avx512::plink_table;
}
#else
#include "plink.hpp"

namespace riata {
const PlinkKernels* const plink_avx512_table = nullptr;
}
#endif
