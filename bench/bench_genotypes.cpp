// Streaming products with packed genotypes and with sparse columns, beside a plain read of the same bytes.
//   bench_genotypes [--n 20000] [--p 8000] [--threads 1] [--seed 1]

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "bench_support.hpp"
#include "riata/design/csc.hpp"
#include "riata/design/plink.hpp"
#include "riata/io/mmap.hpp"

namespace {

using riata::Index;
using riata::Mat;
using riata::bench::sink;

struct TempBed {
  std::string path = (std::filesystem::temp_directory_path() / "riata_bench_genotypes.bed").string();

  /// Random codes, one in 64 of them missing.
  TempBed(Index n, Index p, Index seed) {
    std::mt19937_64 rng(static_cast<std::uint64_t>(seed));
    std::vector<char> column(static_cast<std::size_t>((n + 3) / 4));
    std::ofstream out(path, std::ios::binary);
    out.write("\x6c\x1b\x01", 3);
    for (Index j = 0; j < p; ++j) {
      for (char& byte : column) {
        const std::uint64_t bits = rng();
        unsigned packed = 0;
        for (unsigned k = 0; k < 4; ++k) {
          const unsigned draw = (bits >> (8 * k)) & 63;
          packed |= (draw == 0 ? 1u : draw < 6 ? 0u : draw < 26 ? 2u : 3u) << (2 * k);
        }
        byte = static_cast<char>(packed);
      }
      out.write(column.data(), static_cast<std::streamsize>(column.size()));
    }
  }
  ~TempBed() { std::filesystem::remove(path); }
  TempBed(const TempBed&) = delete;
  TempBed& operator=(const TempBed&) = delete;
};

struct Csc {
  std::vector<std::int32_t> indptr = {0}, indices;
  std::vector<double> values;
  std::unique_ptr<riata::Design> design;

  Csc(Index n, Index p, double density, Index seed) {
    std::mt19937_64 rng(static_cast<std::uint64_t>(seed));
    std::geometric_distribution<std::int32_t> gap(density);
    std::normal_distribution<double> normal;
    for (Index j = 0; j < p; ++j) {
      for (Index i = gap(rng); i < n; i += 1 + gap(rng)) {
        indices.push_back(static_cast<std::int32_t>(i));
        values.push_back(normal(rng));
      }
      indptr.push_back(static_cast<std::int32_t>(indices.size()));
    }
    design = riata::csc_design(n, p, static_cast<Index>(indices.size()), indptr.data(), indices.data(), values.data());
  }
};

void check(const riata::Design& X, const std::vector<Index>& all, const Mat& R, const Mat& got) {
  const std::vector<Index> some = {all.front(), all[all.size() / 2], all.back()};
  Mat columns(X.rows(), 3);
  X.gather(some, columns, 1);
  for (Index k = 0; k < 3; ++k)
    for (Index q = 0; q < R.cols(); ++q) {
      const double want = columns.col(k).dot(R.col(q));
      const double size = columns.col(k).norm() * R.col(q).norm();
      riata::bench::require(std::abs(got(some[static_cast<std::size_t>(k)], q) - want) <= 1e-12 * size, "correlate");
    }
}

}  // namespace

int main(int argc, char** argv) {
  Index n = 20000, p = 8000, threads = 1, seed = 1;
  riata::bench::parse_options(argc, argv, {{"n", &n}, {"p", &p}, {"threads", &threads}, {"seed", &seed}});
  riata::bench::require_option(n > 0 && p > 0 && threads > 0, "--n, --p and --threads must be positive");
  const int workers = static_cast<int>(threads);
  const riata::bench::Report report(n, p, threads, riata::bench::StreamReport::columns);
  std::mt19937_64 rng(static_cast<std::uint64_t>(seed));
  std::normal_distribution<double> normal;
  const Mat R = Mat::NullaryExpr(n, 8, [&] { return normal(rng); });
  std::vector<Index> all(static_cast<std::size_t>(p));
  std::iota(all.begin(), all.end(), Index{0});
  Mat out(p, 8);

  {
    const TempBed bed(n, p, seed);
    const riata::MappedFile bytes(bed.path);
    const riata::PlinkDesign X(bed.path, n, p, riata::CountedAllele::A1, {}, workers);
    const auto read = [&] { sink = riata::bench::plain_read(bytes.data(), bytes.size(), workers); };
    const riata::bench::StreamReport rows(report, "plink", "column", static_cast<double>(n) * static_cast<double>(p),
                                          X.bytes(), riata::bench::measure(read));
    const auto open = [&] { riata::PlinkDesign(bed.path, n, p, riata::CountedAllele::A1, {}, workers); };
    rows.row("open and count", 0, riata::bench::measure(open));
    for (const Index m : {1, 2, 4, 8}) {
      const auto run = [&] { X.correlate(all, R.leftCols(m), out.leftCols(m), workers); };
      const auto seconds = riata::bench::measure(run);
      check(X, all, R.leftCols(m), out.leftCols(m));
      rows.row("correlate", m, seconds);
    }
    for (const Index m : {1, 2, 4, 8}) {
      Mat rounded = R.leftCols(m);
      X.round_sides(rounded);
      const auto run = [&] { X.correlate_rounded(all, rounded, out.leftCols(m), workers); };
      const auto seconds = riata::bench::measure(run);
      check(X, all, rounded, out.leftCols(m));
      rows.row("correlate rounded", m, seconds);
    }
    const Mat weights = R.cwiseAbs() * R.cwiseAbs().colwise().sum().cwiseInverse().asDiagonal();
    Mat mean(p, 1), variance(p, 1);
    rows.row("moments", 1,
             riata::bench::measure([&] { X.moments(all, weights.leftCols(1), mean, variance, workers); }));
  }

  const Csc sparse(n, p, 0.02, seed);
  const auto read = [&] {
    sink = riata::bench::plain_read(sparse.values.data(), sparse.values.size() * 8, workers) +
           riata::bench::plain_read(sparse.indices.data(), sparse.indices.size() * 4, workers);
  };
  const riata::bench::StreamReport rows(report, "csc f64", "column", static_cast<double>(sparse.values.size()),
                                        sparse.design->bytes(), riata::bench::measure(read));
  for (const Index m : {1, 4, 8}) {
    const auto run = [&] { sparse.design->correlate(all, R.leftCols(m), out.leftCols(m), workers); };
    const auto seconds = riata::bench::measure(run);
    check(*sparse.design, all, R.leftCols(m), out.leftCols(m));
    rows.row("correlate", m, seconds);
  }
}
