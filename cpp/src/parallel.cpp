#include "riata/parallel.hpp"

#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

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

namespace {

/// A thread that waits for work, so that the threads OpenMP keeps ready for it serve more than one region.
class Leader {
 public:
  Leader() : thread_([this] { serve(); }) {}
  ~Leader() {
    give({});
    thread_.join();
  }
  Leader(const Leader&) = delete;
  Leader& operator=(const Leader&) = delete;

  /// Work without a function ends the thread.
  void give(std::packaged_task<void()> work) {
    {
      const std::lock_guard lock(mutex_);
      work_ = std::move(work);
      given_ = true;
    }
    wake_.notify_one();
  }

 private:
  void serve() {
    for (;;) {
      std::packaged_task<void()> work;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return given_; });
        given_ = false;
        work = std::move(work_);
      }
      if (!work.valid()) return;
      work();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::packaged_task<void()> work_;
  bool given_ = false;
  std::thread thread_;  // last: it uses all others
};

/// The leader of a thread, until that ends. A process forked since has no such thread, and nothing of it to clear away.
class OwnLeader {
 public:
  OwnLeader() = default;
  ~OwnLeader() {
    if (here()) delete leader_;
  }
  OwnLeader(const OwnLeader&) = delete;
  OwnLeader& operator=(const OwnLeader&) = delete;

  Leader& get() {
    if (!here()) {
      leader_ = new Leader;
      process_ = process();
    }
    return *leader_;
  }

 private:
  static long process() {
#ifdef _WIN32
    return 0;
#else
    return ::getpid();
#endif
  }
  bool here() const { return leader_ != nullptr && process_ == process(); }

  Leader* leader_ = nullptr;
  long process_ = 0;
};

}  // namespace

void on_std_threads(Index chunks, int threads, const std::function<void(Index)>& run) {
  // Dealt out beforehand: with whoever comes first, a busy machine would leave all to one thread, and hide a race.
  const auto work = [&](Index first) {
    for (Index chunk = first; chunk < chunks; chunk += threads) run(chunk);
  };
  std::vector<std::thread> others;
  for (int k = 1; k < threads; ++k) others.emplace_back(work, k);
  work(0);
  for (std::thread& other : others) other.join();
}

void on_fresh_thread(const std::function<void()>& work, const std::function<void()>& watch,
                     const std::function<void()>& stop) {
  constexpr auto kPause = std::chrono::milliseconds(20);  // between two calls of watch
  std::packaged_task<void()> task(work);
  std::future<void> done = task.get_future();
  static thread_local OwnLeader leader;
  leader.get().give(std::move(task));
  std::exception_ptr error;
  while (done.wait_for(kPause) != std::future_status::ready) {
    try {
      if (!error) watch();
    } catch (...) {
      error = std::current_exception();
      stop();
    }
  }
  if (error) std::rethrow_exception(error);
  done.get();
}

}  // namespace riata
