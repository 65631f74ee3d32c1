#include "riata/design/plink.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "design/plink_columns.hpp"
#include "design/plink_pool.hpp"
#include "design/plink_rounded.hpp"
#include "kernel/plink.hpp"
#include "riata/error.hpp"
#include "riata/io/mmap.hpp"
#include "riata/parallel.hpp"

namespace riata {
namespace {

constexpr Index kHeader = 3;

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

}  // namespace

struct PlinkDesign::Impl {
  MappedFile file;
  Index samples, variants, stride;
  CountedAllele counted;
  std::vector<GenotypeCounts> counts;
  Vec imputed;
  std::vector<std::uint8_t> missing;  // per variant: whether any sample is, included or not

  Impl(const std::string& path, Index n, Index p, CountedAllele allele)
      : file(open_bed(path, n, p)),
        samples(n),
        variants(p),
        stride(packed_bytes(n)),
        counted(allele),
        counts(static_cast<std::size_t>(p)),
        imputed(p),
        missing(static_cast<std::size_t>(p)) {}

  const std::uint8_t* column(Index j) const { return file.data() + kHeader + j * stride; }

  /// What the codes of column j stand for: two copies of A1, missing, one, none.
  std::array<double, 4> values(Index j) const {
    if (counted == CountedAllele::A1) return {2.0, imputed[j], 1.0, 0.0};
    return {0.0, imputed[j], 1.0, 2.0};
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

  /// Columns for packed::correlate and the like, fetched ahead of their use.
  packed::Take take(Columns columns, int threads) const {
    return [this, columns, ahead = std::max(threads, 1)](Index first, Index count) {
      read_ahead(columns, first, count, ahead);
      return pack(columns.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)));
    };
  }

  PackedColumns pack(Columns columns) const {
    PackedColumns packed;
    for (const Index j : columns) packed.push(column(j), values(j), missing[static_cast<std::size_t>(j)] != 0);
    return packed;
  }

  void count_all(const std::vector<std::uint8_t>& include, int threads) {
    const auto all = sample_mask(samples, [](Index) { return true; });
    const auto mask =
        sample_mask(include.empty() ? 0 : samples, [&](Index i) { return include[static_cast<std::size_t>(i)] != 0; });
    const PlinkKernels& kernel = plink_kernels();
    file.expect(MappedFile::Access::sequential);
    packed::over_columns(samples, variants, threads, [&](Index first, Index count) {
      for (Index j = first; j < first + count; ++j) {
        CodeCounts codes = kernel.count(column(j), all.data(), samples);
        missing[static_cast<std::size_t>(j)] = codes.of[1] > 0;
        if (!include.empty()) codes = kernel.count(column(j), mask.data(), samples);
        GenotypeCounts& c = counts[static_cast<std::size_t>(j)];
        c = {codes.of[3], codes.of[2], codes.of[0], codes.of[1]};
        if (counted == CountedAllele::A2) std::swap(c.zero, c.two);
        const auto called = static_cast<double>(c.zero + c.one + c.two);
        imputed[j] = called == 0 ? 0.0 : static_cast<double>(c.one + 2 * c.two) / called;
      }
    });
    file.expect(MappedFile::Access::any);
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
  packed::moments(rows(), static_cast<Index>(columns.size()), impl_->take(columns, threads), weights, mean, variance,
                  threads);
}

void PlinkDesign::correlate(Columns columns, const MatIn& R, MatOut out, int threads) const {
  packed::correlate(rows(), static_cast<Index>(columns.size()), impl_->take(columns, threads), R, out, threads);
}

bool PlinkDesign::rounds() const {
  return plink_kernels().fast_sums;
}

void PlinkDesign::round_sides(MatOut R) const {
  RoundedSides::round(R);
}

void PlinkDesign::correlate_rounded(Columns columns, const MatIn& R, MatOut out, int threads) const {
  packed::correlate_rounded(rows(), static_cast<Index>(columns.size()), impl_->take(columns, threads), R, out, threads);
}

void PlinkDesign::multiply(Columns columns, const MatIn& B, MatOut out, int threads) const {
  packed::multiply(impl_->pack(columns), B, out, threads);
}

void PlinkDesign::gather(Columns columns, MatOut out, int threads) const {
  packed::gather(impl_->pack(columns), out, threads);
}

std::unique_ptr<Pool> PlinkDesign::make_pool() const {
  return plink_pool(rows(), [this](Columns columns) { return impl_->pack(columns); });
}

}  // namespace riata
