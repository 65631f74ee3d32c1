// Compiled as plink_avx512.cpp, with -mavx512vnni -mavx512vpopcntdq.

#if defined(__AVX512VNNI__) && defined(__AVX512VPOPCNTDQ__)
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"  // GCC 12's own _mm512_undefined_pd
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#define RIATA_ISA avx512vnni
#define RIATA_ISA_LEVEL 3
#include "plink_tile.hpp"

namespace riata {
const PlinkKernels* const plink_vnni_table = &avx512vnni::plink_table;
}
#else
#include "plink.hpp"

namespace riata {
const PlinkKernels* const plink_vnni_table = nullptr;
}
#endif
