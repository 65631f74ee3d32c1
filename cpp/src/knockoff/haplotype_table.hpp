#pragma once

// The table of one instruction set.

#include "knockoff/haplotype_draw.hpp"
#include "knockoff/haplotype_expectation.hpp"

namespace riata::RIATA_ISA {

constexpr HaplotypeKernels haplotype_table{&expect, &knock_off, &law};

}  // namespace riata::RIATA_ISA
