#pragma once

#include <cstddef>

namespace riata::check {

/// Whether allocations of this binary are counted: where the linker puts allocations.cpp between it and the allocator.
bool counts_allocations();
/// How often this thread has asked for memory, by new, malloc and their kin.
std::size_t allocations();

}  // namespace riata::check
