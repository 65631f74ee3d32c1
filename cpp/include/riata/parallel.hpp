#pragma once

#include <atomic>
#include <exception>

#include "riata/types.hpp"

namespace riata {

/// Calls fn(chunk) once for each chunk in [0, chunks), on up to `threads` OpenMP threads, in no fixed order. With one
/// thread (or one chunk, or a build without OpenMP) the calls are made in order on the caller and no parallel region
/// is entered. The first exception thrown stops the handing out of chunks and is thrown again here.
template <class Fn>
void parallel_for(Index chunks, int threads, const Fn& fn) {
#ifdef _OPENMP
  if (threads > 1 && chunks > 1) {
    const int used = chunks < threads ? static_cast<int>(chunks) : threads;
    std::exception_ptr error;
    std::atomic<bool> failed{false};
#pragma omp parallel for num_threads(used) schedule(dynamic)
    for (Index chunk = 0; chunk < chunks; ++chunk) {
      if (failed.load(std::memory_order_relaxed)) continue;
      try {
        fn(chunk);
      } catch (...) {
        if (!failed.exchange(true)) error = std::current_exception();
      }
    }
    if (error) std::rethrow_exception(error);
    return;
  }
#endif
  static_cast<void>(threads);
  for (Index chunk = 0; chunk < chunks; ++chunk) fn(chunk);
}

}  // namespace riata
