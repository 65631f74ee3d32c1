// Which instruction set runs: what the machine has, or what was asked for.

#include <array>
#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <string>

#if defined(_MSC_VER) && (defined(_M_X64) || defined(_M_IX86))
#include <immintrin.h>
#include <intrin.h>
#endif

#include "kernel/kernels.hpp"
#include "kernel/plink.hpp"
#include "kernel/tables.hpp"
#include "riata/kernel/isa.hpp"

namespace riata {
namespace {

struct Support {
  bool avx2 = false;
  bool avx512 = false;
  bool vnni = false;
};

#if (defined(__GNUC__) || defined(__clang__)) && (defined(__x86_64__) || defined(__i386__))
// These built-ins ask the operating system (XGETBV) as well as the processor.
Support detect() {
  __builtin_cpu_init();
  Support s;
  s.avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  s.avx512 = s.avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  s.vnni = s.avx512 && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vpopcntdq");
  return s;
}
#elif defined(_MSC_VER) && (defined(_M_X64) || defined(_M_IX86))
Support detect() {
  Support s;
  int r[4];  // eax, ebx, ecx, edx
  __cpuid(r, 0);
  if (r[0] < 7) return s;
  __cpuid(r, 1);
  const bool fma = (r[2] >> 12 & 1) != 0;
  if ((r[2] >> 27 & 1) == 0) return s;  // OSXSAVE: XGETBV may be used
  const unsigned long long saved = _xgetbv(0);
  __cpuidex(r, 7, 0);
  s.avx2 = fma && (saved & 0x6) == 0x6 && (r[1] >> 5 & 1) != 0;
  const auto all512 = (1u << 16) | (1u << 17) | (1u << 30) | (1u << 31);  // F, DQ, BW, VL
  s.avx512 = s.avx2 && (saved & 0xe6) == 0xe6 && (static_cast<unsigned>(r[1]) & all512) == all512;
  s.vnni = s.avx512 && (r[2] >> 11 & 1) != 0 && (r[2] >> 14 & 1) != 0;
  return s;
}
#else
Support detect() {
  return {};
}
#endif

const Support& support() {
  static const Support found = detect();
  return found;
}

constexpr std::array<std::string_view, 4> names{"baseline", "avx2", "avx512", "avx512vnni"};

/// The extensions serve genotypes alone, see plink_kernels().
const Kernels& with_vnni() {
  static const Kernels table = [] {
    Kernels out = *avx512_table;
    out.name = names[3];
    return out;
  }();
  return table;
}

/// The table of that name, or null when this build or this machine lacks it.
const Kernels* find(std::string_view name) {
  if (name == names[3]) {
    return support().vnni && avx512_table != nullptr && plink_vnni_table != nullptr ? &with_vnni() : nullptr;
  }
  if (name == names[2]) return support().avx512 ? avx512_table : nullptr;
  if (name == names[1]) return support().avx2 ? avx2_table : nullptr;
  if (name == names[0]) return baseline_table;
  return nullptr;
}

const Kernels* choose(std::string_view name, const std::string& what) {
  if (name == "auto") {
    for (auto it = names.rbegin(); it != names.rend(); ++it) {
      if (const Kernels* table = find(*it)) return table;
    }
  }
  if (const Kernels* table = find(name)) return table;
  std::string allowed = "auto";
  for (const std::string_view n : names) {
    if (find(n) != nullptr) allowed += ", " + std::string(n);
  }
  throw std::invalid_argument(what + " must be one of " + allowed + " on this machine, got '" + std::string(name) +
                              "'");
}

const Kernels* from_environment() {
  const char* value = std::getenv("RIATA_ISA");
  return choose(value == nullptr || *value == '\0' ? "auto" : value, "environment variable RIATA_ISA");
}

std::atomic<const Kernels*> chosen{nullptr};

}  // namespace

const Kernels& kernels() {
  const Kernels* table = chosen.load(std::memory_order_acquire);
  if (table == nullptr) {
    table = from_environment();
    chosen.store(table, std::memory_order_release);
  }
  return *table;
}

std::string_view isa() {
  return kernels().name;
}

void set_isa(std::string_view name) {
  chosen.store(name == "auto" ? from_environment() : choose(name, "isa"), std::memory_order_release);
}

bool has_isa(std::string_view name) {
  return name == "auto" || find(name) != nullptr;
}

}  // namespace riata
