#pragma once

// The table of one instruction set.

#include "knockoff/haplotype_draw.hpp"
#include "knockoff/haplotype_expectation.hpp"

namespace riata::RIATA_ISA {

constexpr HaplotypeKernels haplotype_table{
    {&expect<Pair>, &knock_off<Pair>}, {&expect<Single>, &knock_off<Single>}, &law};

}  // namespace riata::RIATA_ISA
