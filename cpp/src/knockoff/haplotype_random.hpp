#pragma once

// Random numbers that are known by their place alone (Philox 4x32-10, Salmon, Moraes, Dror & Shaw 2011): the same for
// any number of threads and any order of work. In the namespace of an instruction set, as kernel/simd.hpp, where
// the function of philox.hpp, which other units share, may not be.

#include "kernel/simd.hpp"

namespace riata::RIATA_ISA {

/// Where a number stands: numbers of other places are independent of it.
struct RandomPlace {
  std::uint64_t key;
  std::uint32_t batch, purpose;
};

/// `count` numbers from number `first` on of a variant, both multiples of 4, uniform on multiples of 2^-24 in [0, 1).
RIATA_INLINE void uniforms(RandomPlace place, Index variant, int first, int count, float* out) {
  for (int k = 0; k < count; k += 4) {
    std::uint32_t c0 = static_cast<std::uint32_t>(variant), c1 = place.batch, c2 = place.purpose;
    std::uint32_t c3 = static_cast<std::uint32_t>((first + k) / 4);
    std::uint32_t k0 = static_cast<std::uint32_t>(place.key), k1 = static_cast<std::uint32_t>(place.key >> 32);
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t a = std::uint64_t{0xD2511F53u} * c0, b = std::uint64_t{0xCD9E8D57u} * c2;
      c0 = static_cast<std::uint32_t>(b >> 32) ^ c1 ^ k0;
      c1 = static_cast<std::uint32_t>(b);
      c2 = static_cast<std::uint32_t>(a >> 32) ^ c3 ^ k1;
      c3 = static_cast<std::uint32_t>(a);
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    const std::uint32_t numbers[4] = {c0, c1, c2, c3};
    for (int l = 0; l < 4; ++l) out[k + l] = static_cast<float>(numbers[l] >> 8) * 0x1p-24f;
  }
}

}  // namespace riata::RIATA_ISA
