// Streaming products with dense columns of each type and order, and triangular solves, beside a plain read of the same
// bytes.
//   bench_kernels [--n 500] [--p 20000] [--threads 1] [--seed 1] [--runs 7]

#include <cmath>
#include <cstdint>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "bench_support.hpp"
#include "riata/design/dense.hpp"

namespace {

using riata::Index;
using riata::Mat;

struct Options {
  Index n = 500, p = 20000, threads = 1, seed = 1, runs = 7;
};

/// A few columns of the answer against sums in long double.
template <class T>
bool right(const T* X, Index row_stride, Index col_stride, const Mat& R, const Mat& out) {
  for (Index j = 0; j < out.rows(); j += std::max<Index>(out.rows() / 17, 1)) {
    for (Index q = 0; q < R.cols(); ++q) {
      long double sum = 0.0L, xx = 0.0L;
      for (Index i = 0; i < R.rows(); ++i) {
        const long double x = X[i * row_stride + j * col_stride];
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
void bench(const Options& o, const riata::bench::Report& report, const char* type, bool row_major) {
  const int threads = static_cast<int>(o.threads);
  const auto size = static_cast<std::size_t>(o.n * o.p);
  const std::unique_ptr<T[]> X(new T[size]);
  std::mt19937_64 random(static_cast<std::uint64_t>(o.seed));
  for (std::size_t i = 0; i < size; ++i) X[i] = static_cast<T>(static_cast<double>(random() >> 40) * 1.4e-5 - 117.0);
  const Index row_stride = row_major ? o.p : 1, col_stride = row_major ? 1 : o.n;
  const auto design = riata::dense_design(X.get(), o.n, o.p, row_stride, col_stride);
  std::vector<Index> all(static_cast<std::size_t>(o.p));
  std::iota(all.begin(), all.end(), Index{0});

  const auto read = [&] { riata::bench::sink = riata::bench::plain_read(X.get(), size * sizeof(T), threads); };
  const riata::bench::StreamReport rows(report, type, row_major ? "row" : "column", static_cast<double>(size),
                                        design->bytes(), riata::bench::measure(read, o.runs));
  for (const Index m : {1, 2, 4, 8, 16, 64}) {
    const Mat R = Mat::NullaryExpr(o.n, m, [&] { return static_cast<double>(random() >> 11) * 0x1p-52 - 1.0; });
    Mat out(o.p, m);
    const auto seconds = riata::bench::measure([&] { design->correlate(all, R, out, threads); }, o.runs);
    riata::bench::require(right(X.get(), row_stride, col_stride, R, out), "correlate");
    rows.row("correlate", m, seconds);
  }
  const Mat weights = Mat::Constant(o.n, 1, 1.0 / static_cast<double>(o.n));
  Mat mean(o.p, 1), variance(o.p, 1);
  rows.row("moments", 1,
           riata::bench::measure([&] { design->moments(all, weights, mean, variance, threads); }, o.runs));
}

/// Solves with a triangle of k rows, each read once.
void bench_triangle(const Options& o, const riata::bench::Report& report, Index k) {
  const auto size = static_cast<std::size_t>(k * (k + 1) / 2);
  std::vector<double> packed(size, 1e-3);
  std::vector<const double*> rows;
  for (Index i = 0; i < k; ++i) {
    double* const row = packed.data() + i * (i + 1) / 2;
    row[i] = 1.0;
    rows.push_back(row);
  }
  const auto read = [&] { riata::bench::sink = riata::bench::plain_read(packed.data(), size * sizeof(double), 1); };
  const std::string name = std::to_string(k);
  const riata::bench::StreamReport lines(report, "f64", "triangle", static_cast<double>(size),
                                         static_cast<double>(size * sizeof(double)),
                                         riata::bench::measure(read, o.runs));
  const auto& kernels = riata::kernels();
  const Mat start = Mat::Constant(k, 32, 1.0);
  for (const Index m : {1, 32}) {
    Mat x = start;
    const auto solve = [&] {
      x.leftCols(m) = start.leftCols(m);
      kernels.forward_solve(rows.data(), k, x.data(), k, m);
    };
    const auto seconds = riata::bench::measure(solve, o.runs);
    riata::bench::require(std::abs(x(1, m - 1) - (1.0 - 1e-3)) < 1e-15, "forward_solve");
    lines.row(("forward_solve " + name).c_str(), m, seconds);
  }
  Mat x = start;
  const auto solve = [&] {
    x = start;
    kernels.backward_solve(rows.data(), k, x.data());
  };
  const auto seconds = riata::bench::measure(solve, o.runs);
  riata::bench::require(std::abs(x(k - 2, 0) - (1.0 - 1e-3)) < 1e-15, "backward_solve");
  lines.row(("backward_solve " + name).c_str(), 1, seconds);
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  riata::bench::parse_options(
      argc, argv, {{"n", &o.n}, {"p", &o.p}, {"threads", &o.threads}, {"seed", &o.seed}, {"runs", &o.runs}});
  riata::bench::require_option(o.n > 0 && o.p > 0 && o.threads > 0, "--n, --p and --threads must be positive");
  const riata::bench::Report report(o.n, o.p, o.threads, riata::bench::StreamReport::columns);
  for (const Index k : {500, 2000}) bench_triangle(o, report, k);
  for (const bool row_major : {false, true}) {
    bench<double>(o, report, "f64", row_major);
    bench<float>(o, report, "f32", row_major);
    bench<std::int8_t>(o, report, "i8", row_major);
  }
}
