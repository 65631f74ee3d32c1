// Streaming products X'R in GB/s of X, beside a plain read of the same bytes.
//   bench_kernels [--n 500] [--p 20000] [--threads 1] [--seed 1]
#include <Eigen/Core>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "riata/design/dense.hpp"
#include "riata/kernel/kernels.hpp"
#include "riata/parallel.hpp"

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
#else
#define RIATA_COMPILER "unknown"
#endif

using namespace riata;

namespace {

struct Options {
  Index n = 500;
  Index p = 20000;
  int threads = 1;
  unsigned seed = 1;
  int runs = 7;
};

Options parse(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--help" || i + 1 == argc) {
      std::printf("bench_kernels [--n rows] [--p columns] [--threads count] [--seed number] [--runs at least 5]\n");
      std::exit(name == "--help" ? 0 : 2);
    }
    const long value = std::strtol(argv[++i], nullptr, 10);
    if (name == "--n") {
      o.n = value;
    } else if (name == "--p") {
      o.p = value;
    } else if (name == "--threads") {
      o.threads = static_cast<int>(value);
    } else if (name == "--seed") {
      o.seed = static_cast<unsigned>(value);
    } else if (name == "--runs") {
      o.runs = std::max(5, static_cast<int>(value));
    } else {
      std::fprintf(stderr, "unknown option %s\n", name.c_str());
      std::exit(2);
    }
  }
  return o;
}

struct Time {
  double median, least;
};

/// Seconds of fn(): median and least of `runs` after a warm-up.
template <class Fn>
Time measure(int runs, const Fn& fn) {
  std::vector<double> seconds;
  for (int run = -1; run < runs; ++run) {
    const auto start = std::chrono::steady_clock::now();
    fn();
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
    if (run >= 0) seconds.push_back(passed.count());
  }
  std::sort(seconds.begin(), seconds.end());
  return {seconds[seconds.size() / 2], seconds.front()};
}

/// Reads `bytes` bytes by chunks of 1 MB: the yardstick. Eight sums keep the loads ahead of the additions.
std::uint64_t read_all(const void* data, std::size_t bytes, int threads) {
  constexpr std::size_t chunk = std::size_t{1} << 20;
  const Index chunks = static_cast<Index>((bytes + chunk - 1) / chunk);
  std::vector<std::uint64_t> part(static_cast<std::size_t>(chunks));
  parallel_for(chunks, threads, [&](Index c) {
    const auto* from = static_cast<const unsigned char*>(data) + static_cast<std::size_t>(c) * chunk;
    const std::size_t words = std::min(chunk, bytes - static_cast<std::size_t>(c) * chunk) / 8;
    std::uint64_t sum[8] = {};
    std::size_t i = 0;
    for (; i + 8 <= words; i += 8) {
      std::uint64_t w[8];
      std::memcpy(w, from + 8 * i, sizeof(w));
      for (int k = 0; k < 8; ++k) sum[k] += w[k];
    }
    part[static_cast<std::size_t>(c)] = std::accumulate(sum, sum + 8, std::uint64_t{0});
  });
  return std::accumulate(part.begin(), part.end(), std::uint64_t{0});
}

volatile std::uint64_t sink;

void report(const Options& o, const char* what, const char* type, const char* order, Index m, double bytes, Time t,
            double read_seconds) {
  std::printf("%s,%s,\"%s\",%s,%s,%s,%s,%td,%td,%td,%d,%.6g,%.6g,%.2f,%.2f,%.2f\n", RIATA_COMMIT, RIATA_COMPILER,
              RIATA_FLAGS, std::string(kernels().name).c_str(), what, type, order, o.n, o.p, m, o.threads, t.median,
              t.least, bytes / t.median * 1e-9, 2.0 * static_cast<double>(o.n * o.p * m) / t.median * 1e-9,
              read_seconds / t.median);
  std::fflush(stdout);
}

/// A few columns of the answer against sums in long double.
template <class T>
bool right(const T* X, Index rs, Index cs, const Options& o, const Mat& R, const Mat& out) {
  for (Index j = 0; j < o.p; j += std::max<Index>(o.p / 17, 1)) {
    for (Index q = 0; q < R.cols(); ++q) {
      long double sum = 0.0L, xx = 0.0L;
      for (Index i = 0; i < o.n; ++i) {
        const long double x = X[i * rs + j * cs];
        sum += x * R(i, q);
        xx += x * x;
      }
      const double bound = 1e-14 * static_cast<double>(std::sqrt(xx)) * R.col(q).norm();
      if (!(std::abs(out(j, q) - static_cast<double>(sum)) <= bound)) return false;
    }
  }
  return true;
}

template <class T>
void bench(const Options& o, const char* type, bool row_major) {
  const auto size = static_cast<std::size_t>(o.n * o.p);
  const std::unique_ptr<T[]> X(new T[size]);
  std::mt19937_64 random(o.seed);
  for (std::size_t i = 0; i < size; ++i) X[i] = static_cast<T>(static_cast<double>(random() >> 40) * 1.4e-5 - 117.0);
  const double bytes = static_cast<double>(size) * sizeof(T);
  const Index rs = row_major ? o.p : 1, cs = row_major ? 1 : o.n;
  const auto design = dense_design(X.get(), o.n, o.p, rs, cs);
  std::vector<Index> all(static_cast<std::size_t>(o.p));
  std::iota(all.begin(), all.end(), Index{0});
  const char* order = row_major ? "row" : "column";

  const Time read = measure(o.runs, [&] { sink = read_all(X.get(), size * sizeof(T), o.threads); });
  report(o, "read", type, order, 0, bytes, read, read.median);
  for (const Index m : {1, 2, 4, 8, 16, 64}) {
    const Mat R = Mat::Random(o.n, m);
    Mat out(o.p, m);
    const Time t = measure(o.runs, [&] { design->correlate(all, R, out, o.threads); });
    if (!right(X.get(), rs, cs, o, R, out)) {
      std::fprintf(stderr, "wrong answer: correlate %s %s m = %td\n", type, order, m);
      std::exit(1);
    }
    report(o, "correlate", type, order, m, bytes, t, read.median);
  }
  const Mat weights = Mat::Constant(o.n, 1, 1.0 / static_cast<double>(o.n));
  Mat mean(o.p, 1), variance(o.p, 1);
  const Time t = measure(o.runs, [&] { design->moments(weights, mean, variance, o.threads); });
  report(o, "moments", type, order, 1, bytes, t, read.median);
}

}  // namespace

int main(int argc, char** argv) {
  const Options o = parse(argc, argv);
  std::printf("commit,compiler,flags,isa,what,type,order,n,p,m,threads,median_s,min_s,gb_per_s,gflop_per_s,of_read\n");
  for (const bool row_major : {false, true}) {
    bench<double>(o, "f64", row_major);
    bench<float>(o, "f32", row_major);
    bench<std::int8_t>(o, "i8", row_major);
  }
}
