#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512DQ__)
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"  // GCC 12's own _mm512_undefined_pd
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#define RIATA_ISA avx512
#define RIATA_ISA_LEVEL 3
#include "compact_tile.hpp"

namespace riata {
const CompactKernels* const compact_avx512_table = &avx512::compact_table;
}
#else
#include "compact.hpp"

namespace riata {
const CompactKernels* const compact_avx512_table = nullptr;
}
#endif
