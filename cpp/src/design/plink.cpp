#include "riata/design/plink.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "kernel/plink.hpp"
#include "riata/error.hpp"
#include "riata/io/mmap.hpp"
#include "riata/parallel.hpp"

namespace riata {
namespace {

constexpr Index kHeader = 3;
constexpr Index kRowBlock = 4096;           // rows whose partial sums are added up together; a multiple of 32
constexpr Index kChunkGenotypes = 1 << 20;  // genotypes in a chunk of columns, about
constexpr Index kTableSize = 4;

Index packed_bytes(Index samples) {
  return (samples + 3) / 4;
}

MappedFile open_bed(const std::string& path, Index samples, Index variants) {
  if (samples < 1) throw std::invalid_argument("samples must be >= 1, got " + std::to_string(samples));
  if (variants < 1) throw std::invalid_argument("variants must be >= 1, got " + std::to_string(variants));
  MappedFile file(path);
  const std::uint8_t* magic = file.data();
  if (file.size() < 2 || magic[0] != 0x6c || magic[1] != 0x1b)
    throw FileError("'" + path + "' is not a PLINK 1 .bed file: it must start with the bytes 6c 1b 01");
  if (file.size() >= 3 && magic[2] == 0x00)
    throw FileError("'" + path + "' is sample-major (third byte 00), .bed files must be variant-major (third byte " +
                    "01); rewrite it with PLINK's --make-bed");
  if (file.size() < 3 || magic[2] != 0x01)
    throw FileError("'" + path + "' is not a PLINK 1 .bed file: it must start with the bytes 6c 1b 01");
  const auto expected = static_cast<std::size_t>(kHeader + variants * packed_bytes(samples));
  if (file.size() != expected)
    throw FileError("'" + path + "' is " + (file.size() < expected ? "truncated" : "too long") + ": " +
                    std::to_string(samples) + " samples (lines of the .fam) and " + std::to_string(variants) +
                    " variants (lines of the .bim) need exactly " + std::to_string(expected) + " bytes, got " +
                    std::to_string(file.size()));
  return file;
}

/// The count mask of the rows for which keep(i) holds; see PlinkKernels::count.
template <class Keep>
std::vector<std::uint64_t> sample_mask(Index n, Keep keep) {
  std::vector<std::uint64_t> mask(static_cast<std::size_t>((n + 31) / 32), 0);
  for (Index i = 0; i < n; ++i)
    if (keep(i)) mask[static_cast<std::size_t>(i / 32)] |= std::uint64_t{1} << (2 * (i % 32));
  return mask;
}

/// Mean and variance of a column from the (weighted) number of samples of each code.
std::pair<double, double> moments_of(const double* values, const double* amount) {
  double total = 0, sum = 0;
  for (int code = 0; code < 4; ++code) {
    total += amount[code];
    sum += amount[code] * values[code];
  }
  if (total == 0) return {0.0, 0.0};
  const double mean = sum / total;
  double square = 0;
  for (int code = 0; code < 4; ++code) square += amount[code] * (values[code] - mean) * (values[code] - mean);
  return {mean, square / total};
}

/// Weight vectors of two kinds: those with one nonzero value (all samples, a fold) need integer counts only.
struct SplitWeights {
  std::vector<Index> uniform;
  std::vector<std::vector<std::uint64_t>> masks;  // of `uniform`
  std::vector<Index> general;
  Mat values;  // of `general`

  explicit SplitWeights(const MatIn& weights) {
    for (Index f = 0; f < weights.cols(); ++f) {
      const auto w = weights.col(f);
      const double top = w.maxCoeff();
      if ((w.array() == 0 || w.array() == top).all()) {
        uniform.push_back(f);
        masks.push_back(sample_mask(weights.rows(), [&](Index i) { return w[i] != 0; }));
      } else {
        general.push_back(f);
      }
    }
    values.resize(weights.rows(), static_cast<Index>(general.size()));
    for (std::size_t g = 0; g < general.size(); ++g) values.col(static_cast<Index>(g)) = weights.col(general[g]);
  }
};

}  // namespace

struct PlinkDesign::Impl {
  MappedFile file;
  Index samples, variants, stride;
  CountedAllele counted;
  std::vector<GenotypeCounts> counts;
  Vec imputed;

  Impl(const std::string& path, Index n, Index p, CountedAllele allele)
      : file(open_bed(path, n, p)),
        samples(n),
        variants(p),
        stride(packed_bytes(n)),
        counted(allele),
        counts(static_cast<std::size_t>(p)),
        imputed(p) {}

  const std::uint8_t* column(Index j) const { return file.data() + kHeader + j * stride; }

  /// What the codes of column j stand for: two copies of A1, missing, one, none.
  std::array<double, kTableSize> values(Index j) const {
    if (counted == CountedAllele::A1) return {2.0, imputed[j], 1.0, 0.0};
    return {0.0, imputed[j], 1.0, 2.0};
  }

  Index columns_per_chunk() const { return std::clamp<Index>(kChunkGenotypes / samples, 16, 1024); }

  /// fn(first, count) on fixed ranges of [0, total), in parallel.
  template <class F>
  void over_columns(Index total, int threads, F&& fn) const {
    const Index size = columns_per_chunk();
    parallel_for((total + size - 1) / size, threads,
                 [&](Index chunk) { fn(chunk * size, std::min(size, total - chunk * size)); });
  }

  /// Lets the system fetch the chunk that comes `ahead` chunks after [first, first + count) when it is one range.
  void read_ahead(Columns columns, Index first, Index count, int ahead) const {
    const Index total = static_cast<Index>(columns.size());
    const Index next = first + count * ahead;
    if (next >= total) return;
    const Index length = std::min(count, total - next);
    const Index j = columns[static_cast<std::size_t>(next)];
    if (columns[static_cast<std::size_t>(next + length - 1)] - j != length - 1) return;
    file.will_need(static_cast<std::size_t>(kHeader + j * stride), static_cast<std::size_t>(length * stride));
  }

  void count_all(const std::vector<std::uint8_t>& include, int threads) {
    const auto mask =
        sample_mask(samples, [&](Index i) { return include.empty() || include[static_cast<std::size_t>(i)] != 0; });
    const PlinkKernels& kernel = plink_kernels();
    file.expect(MappedFile::Access::sequential);
    over_columns(variants, threads, [&](Index first, Index count) {
      for (Index j = first; j < first + count; ++j) {
        const CodeCounts codes = kernel.count(column(j), mask.data(), samples);
        GenotypeCounts& c = counts[static_cast<std::size_t>(j)];
        c = {codes.of[3], codes.of[2], codes.of[0], codes.of[1]};
        if (counted == CountedAllele::A2) std::swap(c.zero, c.two);
        const auto called = static_cast<double>(c.zero + c.one + c.two);
        imputed[j] = called == 0 ? 0.0 : static_cast<double>(c.one + 2 * c.two) / called;
      }
    });
    file.expect(MappedFile::Access::any);
  }

  /// out(c + q ldo) = sum_i tables[4 c + code of sample i in cols[c]] R(i, q), in blocks of rows that stay in cache.
  void correlate(const std::vector<const std::uint8_t*>& cols, const std::vector<double>& tables, const double* R,
                 Index ldr, Index m, double* out, Index ldo) const {
    const PlinkKernels& kernel = plink_kernels();
    const auto ncols = static_cast<Index>(cols.size());
    for (Index q = 0; q < m; ++q) std::fill_n(out + q * ldo, ncols, 0.0);
    std::vector<const std::uint8_t*> at(cols);
    for (Index i = 0; i < samples; i += kRowBlock) {
      kernel.correlate(at.data(), tables.data(), ncols, std::min(kRowBlock, samples - i), R + i, ldr, m, out, ldo);
      for (auto& bytes : at) bytes += kRowBlock / 4;
    }
  }
};

PlinkDesign::PlinkDesign(const std::string& path, Index samples, Index variants, CountedAllele counted,
                         const std::vector<std::uint8_t>& include, int threads)
    : Design(samples, variants), impl_(std::make_unique<Impl>(path, samples, variants, counted)) {
  if (!include.empty() && static_cast<Index>(include.size()) != samples)
    throw std::invalid_argument("include must have one entry a sample (" + std::to_string(samples) + "), got " +
                                std::to_string(include.size()));
  impl_->count_all(include, threads);
}

PlinkDesign::~PlinkDesign() = default;

std::string_view PlinkDesign::kind() const {
  return "plink";
}

double PlinkDesign::bytes() const {
  return static_cast<double>(impl_->stride) * static_cast<double>(cols());
}

const std::vector<GenotypeCounts>& PlinkDesign::counts() const {
  return impl_->counts;
}

const Vec& PlinkDesign::imputed() const {
  return impl_->imputed;
}

void PlinkDesign::moments(Columns columns, const MatIn& weights, MatOut mean, MatOut variance, int threads) const {
  const SplitWeights split(weights);
  const PlinkKernels& kernel = plink_kernels();
  const auto n_general = static_cast<Index>(split.general.size());
  impl_->over_columns(static_cast<Index>(columns.size()), threads, [&](Index first, Index count) {
    for (Index k = first; k < first + count; ++k) {
      const Index j = columns[static_cast<std::size_t>(k)];
      const auto values = impl_->values(j);
      for (std::size_t u = 0; u < split.uniform.size(); ++u) {
        const CodeCounts codes = kernel.count(impl_->column(j), split.masks[u].data(), rows());
        const std::array<double, 4> amount = {static_cast<double>(codes.of[0]), static_cast<double>(codes.of[1]),
                                              static_cast<double>(codes.of[2]), static_cast<double>(codes.of[3])};
        std::tie(mean(k, split.uniform[u]), variance(k, split.uniform[u])) = moments_of(values.data(), amount.data());
      }
    }
    if (n_general == 0) return;
    // Weight of each code of each column: four indicator tables on the same bytes.
    std::vector<const std::uint8_t*> indicators;
    std::vector<double> tables;
    for (Index k = first; k < first + count; ++k)
      for (int code = 0; code < 4; ++code) {
        indicators.push_back(impl_->column(columns[static_cast<std::size_t>(k)]));
        for (int other = 0; other < 4; ++other) tables.push_back(other == code ? 1.0 : 0.0);
      }
    Mat amount(4 * count, n_general);
    impl_->correlate(indicators, tables, split.values.data(), rows(), n_general, amount.data(), amount.rows());
    for (Index k = first; k < first + count; ++k) {
      const auto values = impl_->values(columns[static_cast<std::size_t>(k)]);
      for (Index g = 0; g < n_general; ++g) {
        const Index f = split.general[static_cast<std::size_t>(g)];
        std::tie(mean(k, f), variance(k, f)) = moments_of(values.data(), &amount(4 * (k - first), g));
      }
    }
  });
}

void PlinkDesign::correlate(Columns columns, const MatIn& R, MatOut out, int threads) const {
  impl_->over_columns(static_cast<Index>(columns.size()), threads, [&](Index first, Index count) {
    impl_->read_ahead(columns, first, count, std::max(threads, 1));
    std::vector<const std::uint8_t*> bytes;
    std::vector<double> tables;
    bytes.reserve(static_cast<std::size_t>(count));
    tables.reserve(static_cast<std::size_t>(count * kTableSize));
    for (const Index j : columns.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count))) {
      const auto values = impl_->values(j);
      bytes.push_back(impl_->column(j));
      tables.insert(tables.end(), values.begin(), values.end());
    }
    impl_->correlate(bytes, tables, R.data(), R.outerStride(), R.cols(), out.data() + first, out.outerStride());
  });
}

void PlinkDesign::multiply(Columns columns, const MatIn& B, MatOut out, int threads) const {
  const PlinkKernels& kernel = plink_kernels();
  std::vector<double> tables;
  for (const Index j : columns) {
    const auto values = impl_->values(j);
    tables.insert(tables.end(), values.begin(), values.end());
  }
  parallel_for((rows() + kRowBlock - 1) / kRowBlock, threads, [&](Index block) {
    const Index i = block * kRowBlock;
    const Index n = std::min(kRowBlock, rows() - i);
    std::vector<const std::uint8_t*> bytes;
    for (const Index j : columns) bytes.push_back(impl_->column(j) + i / 4);
    out.middleRows(i, n).setZero();
    kernel.multiply(bytes.data(), tables.data(), static_cast<Index>(columns.size()), n, B.data(), B.outerStride(),
                    B.cols(), out.data() + i, out.outerStride());
  });
}

void PlinkDesign::gather(Columns columns, MatOut out, int threads) const {
  const PlinkKernels& kernel = plink_kernels();
  const Index blocks = (rows() + kRowBlock - 1) / kRowBlock;
  parallel_for(static_cast<Index>(columns.size()) * blocks, threads, [&](Index chunk) {
    const Index k = chunk / blocks;
    const Index i = chunk % blocks * kRowBlock;
    const Index j = columns[static_cast<std::size_t>(k)];
    kernel.decode(impl_->column(j) + i / 4, impl_->values(j).data(), std::min(kRowBlock, rows() - i),
                  out.data() + i + k * out.outerStride());
  });
}

}  // namespace riata
