#pragma once

#include <chrono>

namespace riata {

/// Seconds since `start`.
inline double since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace riata
