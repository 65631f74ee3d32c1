#include "knockoff/haplotype_kernels.hpp"
#include "riata/kernel/isa.hpp"

namespace riata {

const HaplotypeKernels& haplotype_kernels() {
  const auto name = isa();
  if (name.starts_with("avx512") && haplotype_avx512 != nullptr) return *haplotype_avx512;
  if (name != "baseline" && haplotype_avx2 != nullptr) return *haplotype_avx2;
  return *haplotype_baseline;
}

}  // namespace riata
