#pragma once

#include <string_view>

namespace riata {

/// The instruction set that the hot loops are compiled for and run with, "baseline", "avx2", "avx512" or "avx512vnni"
/// (AVX-512 with its extensions VNNI and VPOPCNTDQ): the widest that this machine has, unless the environment variable
/// RIATA_ISA or set_isa() names another one. Throws std::invalid_argument when that variable names none, or one this
/// machine does not have.
std::string_view isa();

/// Chooses it for the whole process; "auto" is as at the start. For tests and benches; not to be called while
/// anything is being fitted. Throws std::invalid_argument for any other name and for one this machine does not have.
void set_isa(std::string_view name);

/// Whether `set_isa` accepts the name.
bool has_isa(std::string_view name);

}  // namespace riata
