#pragma once

#include <atomic>
#include <exception>
#include <stdexcept>
#include <thread>

#include "riata/types.hpp"

namespace riata {

/// Signals are the business of the thread that called; the others stop when it has thrown.
class PollRelay {
 public:
  explicit PollRelay(const Poll& poll) : poll_(poll), owner_(std::this_thread::get_id()) {}

  void check() {
    if (stop_) throw std::runtime_error("stopped by the calling thread");
    if (!poll_ || std::this_thread::get_id() != owner_) return;
    try {
      poll_();
    } catch (...) {
      why_ = std::current_exception();
      stop_ = true;
      throw;
    }
  }
  /// Throws what the poll has thrown, if it has, in the place of the echo of it from another thread.
  void rethrow() const {
    if (why_) std::rethrow_exception(why_);
  }

 private:
  const Poll& poll_;
  std::thread::id owner_;
  std::atomic<bool> stop_{false};
  std::exception_ptr why_;
};

}  // namespace riata
