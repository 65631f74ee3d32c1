#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "kernel/kernels.hpp"
#include "parallel.hpp"

#ifndef RIATA_COMMIT
#define RIATA_COMMIT "unknown"
#endif
#ifndef RIATA_FLAGS
#define RIATA_FLAGS "unknown"
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

/// What every bench needs: whole-number options, a stopwatch, CSV rows and the plain read they are measured against.
namespace riata::bench {

/// Reads `--name value` pairs into the given variables; `--help` and anything else print the options and end the
/// program.
inline void parse_options(int argc, char** argv, const std::vector<std::pair<std::string_view, Index*>>& options) {
  const auto usage = [&](std::FILE* to, int status) {
    std::fprintf(to, "usage: %s", argv[0]);
    for (const auto& [name, value] : options) std::fprintf(to, " [--%s %td]", std::string(name).c_str(), *value);
    std::fprintf(to, "\n");
    std::exit(status);
  };
  for (int k = 1; k < argc; k += 2) {
    const std::string_view flag = argv[k];
    if (flag == "--help") usage(stdout, 0);
    const auto found = std::find_if(options.begin(), options.end(), [&](const auto& option) {
      return flag.starts_with("--") && flag.substr(2) == option.first;
    });
    if (found == options.end() || k + 1 == argc) usage(stderr, 2);
    const char* end = argv[k + 1] + std::strlen(argv[k + 1]);
    const auto [stop, error] = std::from_chars(argv[k + 1], end, *found->second);
    if (error != std::errc() || stop != end || *found->second < 0) usage(stderr, 2);
  }
}

/// Ends the program when `allowed` does not hold of its options.
inline void require_option(bool allowed, const char* what) {
  if (allowed) return;
  std::fprintf(stderr, "%s\n", what);
  std::exit(2);
}

/// Ends the program when a result is not what it must be: a wrong answer has no speed.
inline void require(bool right, const char* what) {
  if (right) return;
  std::fprintf(stderr, "wrong answer: %s\n", what);
  std::exit(1);
}

struct Seconds {
  double median, minimum;
};

/// Wall-clock time of fn(): one warm-up, then `runs` runs, five at least.
template <class F>
Seconds measure(F&& fn, Index runs = 7) {
  fn();
  std::vector<double> times;
  for (Index k = 0; k < std::max<Index>(runs, 5); ++k) {
    const auto start = std::chrono::steady_clock::now();
    fn();
    times.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  return {times[times.size() / 2], times.front()};
}

/// Sum of the 64-bit words of `bytes` bytes by chunks of 1 MB (a tail under 64 bytes per chunk is left out): what
/// reading them costs at least. Eight sums keep the loads ahead of the additions.
inline std::uint64_t plain_read(const void* data, std::size_t bytes, int threads) {
  constexpr std::size_t chunk = std::size_t{1} << 20;
  std::vector<std::uint64_t> sums((bytes + chunk - 1) / chunk);
  parallel_for(static_cast<Index>(sums.size()), threads, [&](Index k) {
    const std::size_t first = static_cast<std::size_t>(k) * chunk, last = std::min(bytes, first + chunk);
    std::uint64_t sum[8] = {}, word[8], total = 0;
    for (std::size_t at = first; at + sizeof word <= last; at += sizeof word) {
      std::memcpy(word, static_cast<const unsigned char*>(data) + at, sizeof word);
      for (int l = 0; l < 8; ++l) sum[l] += word[l];
    }
    for (const std::uint64_t part : sum) total += part;
    sums[static_cast<std::size_t>(k)] = total;
  });
  std::uint64_t total = 0;
  for (const std::uint64_t sum : sums) total += sum;
  return total;
}

/// Where sums go that are taken for their reads alone.
inline volatile std::uint64_t sink = 0;

/// CSV on standard output: where and how it was measured, the two times, then a bench's own columns.
class Report {
 public:
  using Cell = std::variant<const char*, Index, double>;

  Report(Index n, Index p, Index threads, std::string_view own_columns) : n_(n), p_(p), threads_(threads) {
    std::printf("commit,compiler,flags,isa,n,p,threads,what,median_s,min_s,%s\n", std::string(own_columns).c_str());
  }

  void row(const char* what, Seconds s, std::initializer_list<Cell> own) const {
    std::printf("%s,%s,\"%s\",%s,%td,%td,%td,%s,%.6g,%.6g", RIATA_COMMIT, RIATA_COMPILER, RIATA_FLAGS,
                std::string(kernels().name).c_str(), n_, p_, threads_, what, s.median, s.minimum);
    for (const Cell& cell : own) {
      if (const auto* text = std::get_if<const char*>(&cell)) std::printf(",%s", *text);
      if (const auto* count = std::get_if<Index>(&cell)) std::printf(",%td", *count);
      if (const auto* number = std::get_if<double>(&cell)) std::printf(",%.4g", *number);
    }
    std::printf("\n");
    std::fflush(stdout);
  }

 private:
  Index n_, p_, threads_;
};

/// Rows for one storage of X: operations that each read all of it once, beside a plain read of the same bytes.
class StreamReport {
 public:
  static constexpr std::string_view columns = "type,order,m,gb_per_s,gelement_per_s,gflop_per_s,of_read";

  /// `elements` stored elements in `bytes` bytes; `read` are the seconds of the plain read, reported at once.
  StreamReport(const Report& report, const char* type, const char* order, double elements, double bytes, Seconds read)
      : report_(report), type_(type), order_(order), elements_(elements), bytes_(bytes), read_(read) {
    row("read", 0, read);
  }

  /// A product with m right-hand sides: two operations an element and side.
  void row(const char* what, Index m, Seconds s) const {
    const double giga = 1e-9 / s.median;
    report_.row(what, s,
                {type_, order_, m, bytes_ * giga, elements_ * giga, 2.0 * static_cast<double>(m) * elements_ * giga,
                 read_.median / s.median});
  }

 private:
  const Report& report_;
  const char *type_, *order_;
  double elements_, bytes_;
  Seconds read_;
};

}  // namespace riata::bench
