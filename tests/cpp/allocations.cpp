#include "allocations.hpp"

#include <cstdlib>
#include <new>

namespace riata::check {
namespace {

thread_local std::size_t count = 0;

}  // namespace

std::size_t allocations() {
  return count;
}

#ifndef RIATA_COUNT_ALLOCATIONS

bool counts_allocations() {
  return false;
}

#else

bool counts_allocations() {
  return true;
}

// The linker's --wrap=NAME turns every call of NAME in this binary into one of __wrap_NAME, and __real_NAME into NAME.
#define RIATA_COUNTED(NAME, PARAMETERS, ...)  \
  extern "C" void* __real_##NAME PARAMETERS;  \
  extern "C" void* __wrap_##NAME PARAMETERS { \
    ++count;                                  \
    return __real_##NAME(__VA_ARGS__);        \
  }

RIATA_COUNTED(malloc, (std::size_t size), size)
RIATA_COUNTED(calloc, (std::size_t number, std::size_t size), number, size)
RIATA_COUNTED(realloc, (void* old, std::size_t size), old, size)
RIATA_COUNTED(aligned_alloc, (std::size_t alignment, std::size_t size), alignment, size)
// new, new[], both for given alignments, and both without exceptions.
RIATA_COUNTED(_Znwm, (std::size_t size), size)
RIATA_COUNTED(_Znam, (std::size_t size), size)
RIATA_COUNTED(_ZnwmSt11align_val_t, (std::size_t size, std::align_val_t alignment), size, alignment)
RIATA_COUNTED(_ZnamSt11align_val_t, (std::size_t size, std::align_val_t alignment), size, alignment)
RIATA_COUNTED(_ZnwmRKSt9nothrow_t, (std::size_t size, const std::nothrow_t& tag), size, tag)
RIATA_COUNTED(_ZnamRKSt9nothrow_t, (std::size_t size, const std::nothrow_t& tag), size, tag)

#endif

}  // namespace riata::check
