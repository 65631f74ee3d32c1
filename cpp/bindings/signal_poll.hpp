#pragma once

#include <pybind11/pybind11.h>

#include <chrono>

/// Given to the solver, which calls it between steps on the thread that entered it. Taking the GIL costs, so it looks
/// at most twenty times a second.
class SignalPoll {
 public:
  void operator()() {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::milliseconds(50)) return;
    last_ = now;
    const pybind11::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() != 0) throw pybind11::error_already_set();
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};
