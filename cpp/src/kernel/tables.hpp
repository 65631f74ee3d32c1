#pragma once

#include "kernel/kernels.hpp"

/// One table per instruction set; null where the compiler does not target it. Constants, so that reading them runs no
/// code of a unit whose instructions the machine may lack.
namespace riata {
extern const Kernels* const baseline_table;
extern const Kernels* const avx2_table;
extern const Kernels* const avx512_table;
}  // namespace riata
