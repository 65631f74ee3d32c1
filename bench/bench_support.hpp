#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "riata/kernel/kernels.hpp"

#ifndef RIATA_COMMIT
#define RIATA_COMMIT "unknown"
#endif

#if defined(__clang__)
#define RIATA_COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define RIATA_COMPILER "gcc " __VERSION__
#elif defined(_MSC_VER)
#define RIATA_COMPILER "msvc"
#else
#define RIATA_COMPILER "unknown"
#endif

/// What every bench needs: whole-number options, a stopwatch and CSV rows.
namespace riata::bench {

/// Reads `--name value` pairs into the given variables; anything else prints the options and ends the program.
inline void parse_options(int argc, char** argv, const std::vector<std::pair<std::string_view, Index*>>& options) {
  const auto usage = [&] {
    std::fprintf(stderr, "usage: %s", argv[0]);
    for (const auto& [name, value] : options) std::fprintf(stderr, " [--%s %td]", std::string(name).c_str(), *value);
    std::fprintf(stderr, "\n");
    std::exit(2);
  };
  for (int k = 1; k < argc; k += 2) {
    const std::string_view flag = argv[k];
    const auto found = std::find_if(options.begin(), options.end(), [&](const auto& option) {
      return flag.starts_with("--") && flag.substr(2) == option.first;
    });
    if (found == options.end() || k + 1 == argc) usage();
    const char* end = argv[k + 1] + std::strlen(argv[k + 1]);
    const auto [stop, error] = std::from_chars(argv[k + 1], end, *found->second);
    if (error != std::errc() || stop != end || *found->second < 0) usage();
  }
}

struct Seconds {
  double median, minimum;
};

/// Wall-clock time of fn(): one warm-up, then at least `runs` runs.
template <class F>
Seconds measure(F&& fn, int runs = 7) {
  fn();
  std::vector<double> times;
  for (int k = 0; k < runs; ++k) {
    const auto start = std::chrono::steady_clock::now();
    fn();
    times.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  return {times[times.size() / 2], times.front()};
}

/// One CSV line a measurement: `amount` units of work of `unit` were done per run, of which 1e9 count one.
class Report {
 public:
  Report(Index n, Index p, Index threads) : n_(n), p_(p), threads_(threads) {
    std::printf("commit,compiler,isa,n,p,threads,what,m,median_s,min_s,unit,median_rate,best_rate\n");
  }
  void row(const char* what, Index m, Seconds s, const char* unit, double amount) const {
    std::printf("%s,%s,%s,%td,%td,%td,%s,%td,%.6f,%.6f,%s,%.3f,%.3f\n", RIATA_COMMIT, RIATA_COMPILER,
                std::string(kernels().name).c_str(), n_, p_, threads_, what, m, s.median, s.minimum, unit,
                amount / s.median * 1e-9, amount / s.minimum * 1e-9);
    std::fflush(stdout);
  }

 private:
  Index n_, p_, threads_;
};

/// Ends the program when a result is not what it must be: a wrong answer has no speed.
inline void require(bool right, const char* what) {
  if (right) return;
  std::fprintf(stderr, "wrong answer: %s\n", what);
  std::exit(1);
}

}  // namespace riata::bench
