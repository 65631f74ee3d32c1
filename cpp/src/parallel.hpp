#pragma once

#include <atomic>
#include <exception>
#include <functional>

#include "riata/types.hpp"

/// Loops over chunks of work on several threads, with the same bits for any number of them, that Ctrl-C stops.
namespace riata {

/// `threads`, or 1 when there is too little to do for the start and end of a parallel region to pay: on a machine that
/// others use too, each region may wait for a processor.
inline int worth_threads(int threads, double multiplications) {
  return multiplications >= 8e6 ? threads : 1;
}

/// While one is alive, parallel_for calls `poll` between the chunks it runs on the thread that made it, so that every
/// pass over X can be stopped (Ctrl-C): what poll throws comes out of parallel_for.
class PollScope {
 public:
  explicit PollScope(const Poll& poll) : before_(current()) { current() = poll ? &poll : nullptr; }
  ~PollScope() { current() = before_; }
  PollScope(const PollScope&) = delete;
  PollScope& operator=(const PollScope&) = delete;
  static void check() {
    if (current() != nullptr) (*current())();
  }
  /// What check() calls on this thread, for one who makes a scope within the present one.
  static Poll present() { return current() != nullptr ? *current() : Poll(); }

 private:
  static const Poll*& current() {
    static thread_local const Poll* poll = nullptr;
    return poll;
  }
  const Poll* before_;
};

/// Whether this process was forked from the one that loaded the library.
bool forked();

/// Calls work() on a thread of its own, and meanwhile `watch` on this one until it has ended; when `watch` throws,
/// stop() is called, and the exception is thrown again once work() has returned.
void on_fresh_thread(const std::function<void()>& work, const std::function<void()>& watch,
                     const std::function<void()>& stop);

/// Calls run(chunk) for each chunk in [0, chunks) on this thread and on others, which end with the call.
void on_std_threads(Index chunks, int threads, const std::function<void(Index)>& run);

/// Calls fn(chunk) once for each chunk in [0, chunks), on up to `threads` OpenMP threads, in no fixed order. With one
/// thread (or one chunk, or a build without OpenMP) the calls are made in order on the caller and no parallel region
/// is entered. The first exception thrown stops the handing out of chunks and is thrown again here.
///
/// The threads that OpenMP keeps ready for a thread do not live on in a forked process, where GCC's runtime would wait
/// for them for ever. There a thread of its own, which has none yet, leads each region.
///
/// ThreadSanitizer cannot see how OpenMP's threads wait for one another, and would report every region. Builds under it
/// define RIATA_STD_THREADS, for threads whose start and end it knows.
template <class Fn>
void parallel_for(Index chunks, int threads, const Fn& fn) {
#if defined(_OPENMP) || defined(RIATA_STD_THREADS)
  if (threads > 1 && chunks > 1) {
    const int used = chunks < threads ? static_cast<int>(chunks) : threads;
    std::exception_ptr error;
    std::atomic<bool> failed{false};
    const auto run = [&](Index chunk) {
      if (failed.load(std::memory_order_relaxed)) return;
      try {
        PollScope::check();
        fn(chunk);
      } catch (...) {
        if (!failed.exchange(true)) error = std::current_exception();
      }
    };
#ifdef RIATA_STD_THREADS
    on_std_threads(chunks, used, run);
#else
    const auto region = [&] {
#pragma omp parallel for num_threads(used) schedule(dynamic)
      for (Index chunk = 0; chunk < chunks; ++chunk) run(chunk);
    };
    if (forked()) {
      on_fresh_thread(region, &PollScope::check, [&] { failed = true; });
    } else {
      region();
    }
#endif
    if (error) std::rethrow_exception(error);
    return;
  }
#endif
  static_cast<void>(threads);
  for (Index chunk = 0; chunk < chunks; ++chunk) {
    PollScope::check();
    fn(chunk);
  }
}

}  // namespace riata
