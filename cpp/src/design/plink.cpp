#include "riata/design/plink.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>

#include "design/plink_columns.hpp"
#include "design/plink_pool.hpp"
#include "design/plink_rounded.hpp"
#include "design/sample_choice.hpp"
#include "io/digest.hpp"
#include "io/first_of.hpp"
#include "kernel/plink.hpp"
#include "parallel.hpp"
#include "riata/error.hpp"
#include "riata/io/mmap.hpp"

namespace riata {
namespace {

constexpr Index kHeader = 3;

void check_bed(const MappedFile& file, const std::string& path, Index samples, Index variants) {
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
}

/// The packed columns of one source.
struct Packed {
  std::shared_ptr<const MappedFile> file;
  const std::uint8_t* begin = nullptr;
  const std::uint8_t* end = nullptr;

  Packed(const PlinkSource& source, Index samples) : file(source.file) {
    if (source.variants < 1)
      throw std::invalid_argument("variants must be >= 1, got " + std::to_string(source.variants));
    if (file == nullptr && source.packed == nullptr) file = std::make_shared<const MappedFile>(source.path);
    if (file != nullptr) {
      check_bed(*file, source.path, samples, source.variants);
      file->check();
    }
    begin = file != nullptr ? file->data() + kHeader : source.packed;
    end = begin + source.variants * packed_bytes(samples);
  }

  bool holds(const std::uint8_t* at) const { return !std::less<>()(at, begin) && std::less<>()(at, end); }
  /// Lets the system fetch the bytes from `first` to `last`, as far as they are of this source.
  void will_need(const std::uint8_t* first, const std::uint8_t* last) const {
    if (file != nullptr)
      file->will_need(static_cast<std::size_t>(first - file->data()), static_cast<std::size_t>(last - first));
  }
};

std::vector<Packed> open_sources(const std::vector<PlinkSource>& sources, Index samples) {
  if (samples < 1) throw std::invalid_argument("samples must be >= 1, got " + std::to_string(samples));
  if (sources.empty()) throw std::invalid_argument("sources must hold at least one source, got none");
  std::vector<Packed> opened;
  for (const PlinkSource& source : sources) opened.emplace_back(source, samples);
  return opened;
}

std::vector<std::uint64_t> included_mask(const std::vector<std::uint8_t>& include, Index samples) {
  if (include.empty()) return sample_mask(samples, [](Index) { return true; });
  if (static_cast<Index>(include.size()) != samples)
    throw std::invalid_argument("include must have one entry a sample (" + std::to_string(samples) + "), got " +
                                std::to_string(include.size()));
  return sample_mask(samples, [&](Index i) { return include[static_cast<std::size_t>(i)] != 0; });
}

}  // namespace

struct PlinkDesign::Impl {
  Index samples, stride;
  CountedAllele counted;
  std::vector<std::uint64_t> included;
  std::vector<Packed> sources;
  Index variants = 0;
  std::vector<const std::uint8_t*> starts;      // of the columns, unless they are those of one whole source
  std::unique_ptr<const std::uint8_t[]> owned;  // what the source is, of a design with bytes of its own
  Vec imputed;
  std::vector<std::uint8_t> missing;  // per variant: whether any sample is, included or not

  Impl(const std::vector<PlinkSource>& from, Index n, CountedAllele allele, const std::vector<std::uint8_t>& include,
       const std::optional<std::vector<Index>>& columns)
      : samples(n), stride(packed_bytes(n)), counted(allele), sources(open_sources(from, n)) {
    included = included_mask(include, n);
    for (const PlinkSource& source : from) variants += source.variants;
    if (columns || sources.size() > 1) find_starts(from, columns);
    imputed.resize(variants);
    missing.resize(static_cast<std::size_t>(variants));
  }

  void find_starts(const std::vector<PlinkSource>& from, const std::optional<std::vector<Index>>& columns) {
    std::vector<Index> ends;
    for (const PlinkSource& source : from) ends.push_back((ends.empty() ? 0 : ends.back()) + source.variants);
    const auto start = [&](Index j) {
      if (j < 0 || j >= ends.back())
        throw std::invalid_argument("columns must lie in [0, " + std::to_string(ends.back()) + "), got " +
                                    std::to_string(j));
      const auto k = static_cast<std::size_t>(std::upper_bound(ends.begin(), ends.end(), j) - ends.begin());
      return sources[k].end - (ends[k] - j) * stride;
    };
    if (columns) variants = static_cast<Index>(columns->size());
    starts.reserve(static_cast<std::size_t>(variants));
    for (Index k = 0; k < variants; ++k) starts.push_back(start(columns ? (*columns)[static_cast<std::size_t>(k)] : k));
  }

  const std::uint8_t* column(Index j) const {
    return starts.empty() ? sources.front().begin + j * stride : starts[static_cast<std::size_t>(j)];
  }

  /// What the codes of column j stand for: two copies of A1, missing, one, none.
  std::array<double, 4> values(Index j) const {
    if (counted == CountedAllele::A1) return {2.0, imputed[j], 1.0, 0.0};
    return {0.0, imputed[j], 1.0, 2.0};
  }

  /// Lets the system fetch the chunk that comes `ahead` chunks after [first, first + count), when most of the bytes it
  /// spans are its own.
  void read_ahead(Columns columns, Index first, Index count, int ahead) const {
    const Index total = static_cast<Index>(columns.size());
    const Index next = first + count * ahead;
    if (next >= total) return;
    const Index length = std::min(count, total - next);
    const std::uint8_t* begin = column(columns[static_cast<std::size_t>(next)]);
    const std::uint8_t* last = column(columns[static_cast<std::size_t>(next + length - 1)]);
    const auto source = std::find_if(sources.begin(), sources.end(), [&](const Packed& s) { return s.holds(begin); });
    const std::uint8_t* end = source->holds(last) ? last + stride : source->end;
    if (begin < end && end - begin <= 2 * length * stride) source->will_need(begin, end);
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
    packed.reserve(columns.size());
    for (const Index j : columns) packed.push(column(j), values(j), missing[static_cast<std::size_t>(j)] != 0);
    return packed;
  }

  /// All columns with the codes of some rows alone, in bytes of its own.
  std::unique_ptr<Impl> subset(std::span<const Index> rows) const {
    const SampleChoice choice(rows, samples);
    const Index n = static_cast<Index>(rows.size()), size = packed_bytes(n);
    std::unique_ptr<std::uint8_t[]> bytes(new std::uint8_t[static_cast<std::size_t>(size * variants)]);
    for_columns(1, [&](Index j) {
      plink_kernels().take_samples(column(j), choice.plan.data(), samples, bytes.get() + j * size);
    });
    PlinkSource source;
    source.variants = variants;
    source.packed = bytes.get();
    auto out =
        std::make_unique<Impl>(std::vector<PlinkSource>{source}, n, counted, std::vector<std::uint8_t>(), std::nullopt);
    out->owned = std::move(bytes);
    out->imputed = imputed;
    out->missing = missing;
    return out;
  }

  void expect(MappedFile::Access access) const {
    for (const Packed& source : sources)
      if (source.file != nullptr) source.file->expect(access);
  }

  /// Throws FileError when what was read is not what the files held.
  void check() const {
    for (const Packed& source : sources)
      if (source.file != nullptr) source.file->check();
  }

  /// fn(j) for every column in parallel, read in order.
  template <class Fn>
  void for_columns(int threads, const Fn& fn) const {
    expect(MappedFile::Access::sequential);
    packed::over_columns(samples, variants, threads, [&](Index first, Index count) {
      for (Index j = first; j < first + count; ++j) fn(j);
    });
    expect(MappedFile::Access::any);
    check();
  }

  GenotypeCounts counts(Index j) const {
    const CodeCounts codes = plink_kernels().count(column(j), included.data(), samples);
    const auto of = [&](int code) { return static_cast<std::uint32_t>(codes.of[code]); };
    GenotypeCounts c{of(3), of(2), of(0), of(1)};
    if (counted == CountedAllele::A2) std::swap(c.zero, c.two);
    return c;
  }

  /// Codes of samples 32 k to 32 k + 31 of column j, zero for those that are not included.
  std::uint64_t word(Index j, std::size_t k) const {
    std::uint64_t codes = 0;
    std::memcpy(&codes, column(j) + 8 * k, std::min<std::size_t>(8, static_cast<std::size_t>(stride) - 8 * k));
    return codes & (3 * included[k]);
  }

  std::uint64_t hash(Index j) const {
    std::uint64_t hash = 0;
    for (std::size_t k = 0; k < included.size(); ++k) hash = hash_word(hash, word(j, k));
    return hash;
  }

  bool same(Index a, Index b) const {
    for (std::size_t k = 0; k < included.size(); ++k)
      if (word(a, k) != word(b, k)) return false;
    return true;
  }

  void impute(int threads) {
    const auto all = included_mask({}, samples);
    const bool some_left_out = included != all;
    for_columns(threads, [&](Index j) {
      const GenotypeCounts c = counts(j);
      const auto called = static_cast<double>(c.zero) + static_cast<double>(c.one) + static_cast<double>(c.two);
      imputed[j] = called == 0 ? 0.0 : (static_cast<double>(c.one) + 2.0 * static_cast<double>(c.two)) / called;
      missing[static_cast<std::size_t>(j)] =
          c.missing > 0 || (some_left_out && plink_kernels().count(column(j), all.data(), samples).of[1] > 0);
    });
  }
};

PlinkDesign::PlinkDesign(const std::vector<PlinkSource>& sources, Index samples, CountedAllele counted,
                         const std::vector<std::uint8_t>& include, const std::optional<std::vector<Index>>& columns,
                         int threads)
    : PlinkDesign(std::make_unique<Impl>(sources, samples, counted, include, columns)) {
  impl_->impute(threads);
}

PlinkDesign::PlinkDesign(std::unique_ptr<Impl> impl) : Design(impl->samples, impl->variants), impl_(std::move(impl)) {}

PlinkDesign::~PlinkDesign() = default;

std::string_view PlinkDesign::kind() const {
  return "plink";
}

Traits PlinkDesign::traits() const {
  const bool rounds = plink_kernels().fast_sums;
  return {.compact_pool = true,
          .rounds = rounds,
          .copy_pays = !rounds,
          .subset_pays = true,
          .fingerprint = Digest::of("plink")};
}

double PlinkDesign::bytes() const {
  return static_cast<double>(impl_->stride) * static_cast<double>(cols());
}

std::vector<GenotypeCounts> PlinkDesign::counts(int threads) const {
  std::vector<GenotypeCounts> out(static_cast<std::size_t>(cols()));
  impl_->for_columns(threads, [&](Index j) { out[static_cast<std::size_t>(j)] = impl_->counts(j); });
  return out;
}

std::vector<std::int64_t> PlinkDesign::identical(int threads) const {
  std::vector<std::uint64_t> hashes(static_cast<std::size_t>(cols()));
  impl_->for_columns(threads, [&](Index j) { hashes[static_cast<std::size_t>(j)] = impl_->hash(j); });
  FirstOf table(cols());
  std::vector<std::int64_t> out(hashes.size());
  for (Index j = 0; j < cols(); ++j) {
    const std::uint64_t hash = hashes[static_cast<std::size_t>(j)];
    const auto same = [&](Index k) { return hashes[static_cast<std::size_t>(k)] == hash && impl_->same(k, j); };
    out[static_cast<std::size_t>(j)] = table.find_or_add(hash, j, same);
  }
  impl_->check();
  return out;
}

const Vec& PlinkDesign::imputed() const {
  return impl_->imputed;
}

void PlinkDesign::moments(Columns columns, const MatIn& weights, MatOut mean, MatOut variance, int threads) const {
  packed::moments(rows(), static_cast<Index>(columns.size()), impl_->take(columns, threads), weights, mean, variance,
                  threads);
  impl_->check();
}

void PlinkDesign::correlate(Columns columns, const MatIn& R, MatOut out, int threads) const {
  packed::correlate(rows(), static_cast<Index>(columns.size()), impl_->take(columns, threads), R, out, threads);
  impl_->check();
}

void PlinkDesign::round_sides(MatOut R) const {
  RoundedSides::round(R);
}

void PlinkDesign::correlate_rounded(Columns columns, const MatIn& R, MatOut out, int threads) const {
  packed::correlate_rounded(rows(), static_cast<Index>(columns.size()), impl_->take(columns, threads), R, out, threads);
  impl_->check();
}

void PlinkDesign::multiply(Columns columns, const MatIn& B, MatOut out, int threads) const {
  packed::multiply(impl_->pack(columns), B, out, threads);
  impl_->check();
}

void PlinkDesign::multiply_tables(const MatIn& tables, const MatIn& B, MatOut out, int threads) const {
  PackedColumns packed;
  for (Index j = 0; j < cols(); ++j)
    packed.push(impl_->column(j), {tables(0, j), tables(1, j), tables(2, j), tables(3, j)}, true);
  packed::multiply(packed, B, out, threads);
  impl_->check();
}

void PlinkDesign::copy_packed(Columns columns, std::vector<std::uint8_t>& bytes, std::vector<double>& tables,
                              std::vector<std::uint8_t>& missing) const {
  PackedColumns packed = impl_->pack(columns);
  bytes.clear();
  for (const std::uint8_t* column : packed.bytes) bytes.insert(bytes.end(), column, column + impl_->stride);
  impl_->check();
  tables = std::move(packed.tables);
  missing = std::move(packed.missing);
}

void PlinkDesign::gather(Columns columns, MatOut out, int threads) const {
  packed::gather(impl_->pack(columns), out, threads);
  impl_->check();
}

std::shared_ptr<const Design> PlinkDesign::rows_subset(std::span<const Index> rows) const {
  return std::shared_ptr<const Design>(new PlinkDesign(impl_->subset(rows)));
}

std::unique_ptr<Pool> PlinkDesign::make_pool() const {
  return plink_pool(rows(), [this](Columns columns) { return impl_->pack(columns); }, [this] { impl_->check(); });
}

}  // namespace riata
