#pragma once

#include <cstddef>
#include <cstdint>

/// Mapped ranges of memory in which a page that the system cannot provide (SIGBUS) becomes zeros, and is told of, where
/// it would end the process. POSIX only.
namespace riata::bus_errors {

/// Number of a range; -1: there were too many, and this one is not watched.
using Range = int;

/// Installs the handler of the signal unless it is in place. No lock is held that a fork could leave behind.
Range watch(const std::uint8_t* begin, std::size_t size);
bool happened(Range range);
/// Before the range is unmapped.
void forget(Range range);

}  // namespace riata::bus_errors
