#include "design/plink_columns.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "design/plink_rounded.hpp"
#include "kernel/plink.hpp"
#include "parallel.hpp"

namespace riata::packed {
namespace {

constexpr Index kRowBlock = 4096;           // rows whose partial sums are added up together; a multiple of 32
constexpr Index kChunkGenotypes = 1 << 20;  // genotypes in a chunk of columns, about
constexpr Index kTableSize = 4;
constexpr Index kPairRows = 64;  // columns whose bit planes are made together

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

/// out(c + q ldo) = sum_i tables[4 c + code of sample i in cols[c]] R(i, q), in blocks of rows that stay in cache.
void correlate_chunk(const std::vector<const std::uint8_t*>& cols, const std::vector<double>& tables, const MatIn& R,
                     double* out, Index ldo) {
  const PlinkKernels& kernel = plink_kernels();
  const auto ncols = static_cast<Index>(cols.size());
  for (Index q = 0; q < R.cols(); ++q) std::fill_n(out + q * ldo, ncols, 0.0);
  std::vector<const std::uint8_t*> at(cols);
  for (Index i = 0; i < R.rows(); i += kRowBlock) {
    kernel.correlate(at.data(), tables.data(), ncols, std::min(kRowBlock, R.rows() - i), R.data() + i, R.outerStride(),
                     R.cols(), out, ldo);
    for (auto& bytes : at) bytes += kRowBlock / 4;
  }
}

/// The weight of each code of each column (4 rows a column) under each weight vector.
Mat code_weights(const PackedColumns& columns, const MatIn& weights) {
  std::vector<const std::uint8_t*> indicators;
  std::vector<double> tables;
  for (const std::uint8_t* column : columns.bytes)
    for (int code = 0; code < 4; ++code) {
      indicators.push_back(column);
      for (int k = 0; k < 4; ++k) tables.push_back(k == code ? 1.0 : 0.0);
    }
  Mat amount(4 * columns.size(), weights.cols());
  correlate_chunk(indicators, tables, weights, amount.data(), amount.rows());
  return amount;
}

/// Bit planes of columns and, as the last column, of the mask itself: of codes with just the upper bit set.
struct BitPlanes {
  Index words;
  std::vector<std::uint64_t> bits;
  std::vector<const std::uint64_t*> columns;

  BitPlanes(const PackedColumns& packed, Index first, Index count, const std::vector<std::uint64_t>& mask, Index n)
      : words(plane_words(n)), bits(static_cast<std::size_t>((count + 1) * 2 * words), 0) {
    for (Index c = 0; c <= count; ++c) columns.push_back(bits.data() + c * 2 * words);
    for (Index c = 0; c < count; ++c)
      plink_kernels().split_planes(packed.bytes[static_cast<std::size_t>(first + c)], mask.data(), n,
                                   bits.data() + c * 2 * words);
    std::copy(mask.begin(), mask.end(), bits.end() - words);
  }
  Index size() const { return static_cast<Index>(columns.size()) - 1; }

  /// counts[i + j * size()] of the columns with those of `other`, the last j being its mask.
  std::vector<PairCounts> with(const BitPlanes& other) const {
    std::vector<PairCounts> counts(static_cast<std::size_t>(size()) * other.columns.size());
    plink_kernels().count_pairs(columns.data(), size(), other.columns.data(), other.size() + 1, words, counts.data());
    return counts;
  }
};

/// A column over the samples of a mask: value = base + slope t + extra m, with the sums of t and m.
struct CountedColumn {
  double base, slope, extra;
  std::int64_t t, m;

  CountedColumn(const double* table, const PairCounts& with_mask)
      : base(table[0]),
        slope(table[3] > table[0] ? 1.0 : -1.0),
        extra(table[1] - table[2]),
        t(with_mask.tt),
        m(with_mask.mt) {}

  double mean(double n) const { return base + (slope * static_cast<double>(t) + extra * static_cast<double>(m)) / n; }
};

/// The sum of x y over n samples: of products of deviations, from exact integers, and of means.
double product(const CountedColumn& x, const CountedColumn& y, const PairCounts& pair, std::int64_t n) {
  const auto apart = [n](std::uint32_t both, std::int64_t a, std::int64_t b) {
    return static_cast<double>(n * std::int64_t{both} - a * b);
  };
  const double count = static_cast<double>(n);
  const double deviations = x.slope * (y.slope * apart(pair.tt, x.t, y.t) + y.extra * apart(pair.tm, x.t, y.m)) +
                            x.extra * (y.slope * apart(pair.mt, x.m, y.t) + y.extra * apart(pair.mm, x.m, y.m));
  return deviations / count + count * x.mean(count) * y.mean(count);
}

}  // namespace

void over_columns(Index rows, Index total, int threads, const std::function<void(Index, Index)>& fn) {
  const Index size = std::clamp<Index>(kChunkGenotypes / rows, 16, 1024);
  parallel_for((total + size - 1) / size, threads,
               [&](Index chunk) { fn(chunk * size, std::min(size, total - chunk * size)); });
}

void moments(Index rows, Index total, const Take& take, const MatIn& weights, MatOut mean, MatOut variance,
             int threads) {
  const SplitWeights split(weights);
  const PlinkKernels& kernel = plink_kernels();
  over_columns(rows, total, threads, [&](Index first, Index count) {
    const PackedColumns columns = take(first, count);
    const Mat general = code_weights(columns, split.values);
    for (Index c = 0; c < count; ++c) {
      const double* values = columns.tables.data() + kTableSize * c;
      const std::uint8_t* bytes = columns.bytes[static_cast<std::size_t>(c)];
      for (std::size_t u = 0; u < split.uniform.size(); ++u) {
        const CodeCounts codes = kernel.count(bytes, split.masks[u].data(), rows);
        const std::array<double, 4> amount = {static_cast<double>(codes.of[0]), static_cast<double>(codes.of[1]),
                                              static_cast<double>(codes.of[2]), static_cast<double>(codes.of[3])};
        const Index f = split.uniform[u];
        std::tie(mean(first + c, f), variance(first + c, f)) = moments_of(values, amount.data());
      }
      for (std::size_t g = 0; g < split.general.size(); ++g) {
        const Index f = split.general[g];
        const double* amount = &general(4 * c, static_cast<Index>(g));
        std::tie(mean(first + c, f), variance(first + c, f)) = moments_of(values, amount);
      }
    }
  });
}

void correlate(Index rows, Index total, const Take& take, const MatIn& R, MatOut out, int threads) {
  over_columns(rows, total, threads, [&](Index first, Index count) {
    const PackedColumns columns = take(first, count);
    correlate_chunk(columns.bytes, columns.tables, R, out.data() + first, out.outerStride());
  });
}

double dot(Index rows, const std::uint8_t* bytes, const double* table, const double* u) {
  const PlinkKernels& kernel = plink_kernels();
  double out = 0.0;
  for (Index i = 0; i < rows; i += kRowBlock, bytes += kRowBlock / 4)
    kernel.correlate(&bytes, table, 1, std::min(kRowBlock, rows - i), u + i, rows, 1, &out, 1);
  return out;
}

void correlate_rounded(Index rows, Index total, const Take& take, const MatIn& R, MatOut out, int threads) {
  const RoundedSides sides(R);
  over_columns(rows, total, threads, [&](Index first, Index count) {
    sides.correlate(take(first, count), out.data() + first, out.outerStride());
  });
}

void cross_products(const PackedColumns& rows, const PackedColumns& cols, const Vec& h, MatOut out, int threads) {
  const Index n = h.size();
  std::vector<std::uint64_t> mask(static_cast<std::size_t>(plane_words(n)), 0);
  std::int64_t included = 0;
  for (Index i = 0; i < n; ++i) {
    if (h[i] == 0.0) continue;
    mask[static_cast<std::size_t>(i / 64)] |= std::uint64_t{1} << (i % 64);
    ++included;
  }
  const double weight = h.maxCoeff();
  const BitPlanes right(cols, 0, cols.size(), mask, n);
  const auto right_sums = right.with(BitPlanes(cols, 0, 0, mask, n));
  const Index chunks = (rows.size() + kPairRows - 1) / kPairRows;
  parallel_for(chunks, threads, [&](Index chunk) {
    const Index first = chunk * kPairRows;
    const BitPlanes left(rows, first, std::min(kPairRows, rows.size() - first), mask, n);
    const auto counts = left.with(right);
    const auto at = [&](Index i, Index r) { return counts[static_cast<std::size_t>(i + r * left.size())]; };
    for (Index i = 0; i < left.size(); ++i) {
      const CountedColumn x(rows.tables.data() + kTableSize * (first + i), at(i, right.size()));
      for (Index r = 0; r < right.size(); ++r) {
        const CountedColumn y(cols.tables.data() + kTableSize * r, right_sums[static_cast<std::size_t>(r)]);
        out(first + i, r) = weight * product(x, y, at(i, r), included);
      }
    }
  });
}

void multiply(const PackedColumns& columns, const MatIn& B, MatOut out, int threads) {
  const PlinkKernels& kernel = plink_kernels();
  parallel_for((out.rows() + kRowBlock - 1) / kRowBlock, threads, [&](Index block) {
    const Index i = block * kRowBlock;
    const Index n = std::min(kRowBlock, out.rows() - i);
    std::vector<const std::uint8_t*> bytes;
    for (const std::uint8_t* column : columns.bytes) bytes.push_back(column + i / 4);
    out.middleRows(i, n).setZero();
    kernel.multiply(bytes.data(), columns.tables.data(), columns.size(), n, B.data(), B.outerStride(), B.cols(),
                    out.data() + i, out.outerStride());
  });
}

void gather(const PackedColumns& columns, MatOut out, int threads) {
  const PlinkKernels& kernel = plink_kernels();
  const Index blocks = (out.rows() + kRowBlock - 1) / kRowBlock;
  parallel_for(columns.size() * blocks, threads, [&](Index chunk) {
    const Index c = chunk / blocks;
    const Index i = chunk % blocks * kRowBlock;
    kernel.decode(columns.bytes[static_cast<std::size_t>(c)] + i / 4, columns.tables.data() + kTableSize * c,
                  std::min(kRowBlock, out.rows() - i), out.data() + i + c * out.outerStride());
  });
}

}  // namespace riata::packed
