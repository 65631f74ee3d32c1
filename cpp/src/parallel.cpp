#include "riata/parallel.hpp"

#include <chrono>
#include <future>
#include <thread>

#ifndef _WIN32
#include <unistd.h>
#endif

namespace riata {

#ifdef _WIN32

bool forked() {
  return false;
}

#else

namespace {

const pid_t kLoadedBy = ::getpid();

}  // namespace

bool forked() {
  return ::getpid() != kLoadedBy;
}

#endif

void on_fresh_thread(const std::function<void()>& work, const std::function<void()>& watch,
                     const std::function<void()>& stop) {
  constexpr auto kPause = std::chrono::milliseconds(20);  // between two calls of watch
  std::packaged_task<void()> task(work);
  std::future<void> done = task.get_future();
  std::thread leader(std::move(task));
  std::exception_ptr error;
  while (done.wait_for(kPause) != std::future_status::ready) {
    try {
      if (!error) watch();
    } catch (...) {
      error = std::current_exception();
      stop();
    }
  }
  leader.join();
  if (error) std::rethrow_exception(error);
  done.get();
}

}  // namespace riata
