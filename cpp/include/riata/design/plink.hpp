#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "riata/design/design.hpp"
#include "riata/io/mmap.hpp"

namespace riata {

/// Which of the two alleles of a PLINK variant a dosage counts: A1 is column 5 of the .bim, A2 column 6.
enum class CountedAllele { A1, A2 };

/// Samples of one variant by copies of the counted allele.
struct GenotypeCounts {
  std::uint32_t zero = 0, one = 0, two = 0, missing = 0;
};

/// Some variants of all samples in PLINK's 2-bit codes, variant after variant, ceil(samples / 4) bytes each: a .bed
/// file, which is memory-mapped, or bytes in memory, which must outlive the design.
struct PlinkSource {
  Index variants = 0;
  std::string path;                             // of the .bed file, unless
  const std::uint8_t* packed = nullptr;         // there are bytes in memory, or
  std::shared_ptr<const MappedFile> file = {};  // the .bed file is open: it is never looked up by its name again
};

/// PLINK 1 genotypes, never copied and never decoded as a whole: the variants of one source or of several, one after
/// the other, or some of them in any order.
/// Element (i, j) is the count of the counted allele, or, when missing, the mean count of variant j over the
/// included samples (0 when all are missing). `include` (one byte a sample, empty: all) says which samples count
/// for that mean and for `counts`; the design always has one row for each sample of the sources.
/// Every operation throws FileError when a file has changed its size since it was opened.
class PlinkDesign : public Design {
 public:
  /// `columns` are numbers of variants over all sources, none of them twice; without it the design has them all.
  /// Throws FileError when a file cannot be opened, lacks the three magic bytes 6c 1b 01 (sample-major files
  /// are told apart), or is not exactly 3 + variants * ceil(samples / 4) bytes long.
  PlinkDesign(const std::vector<PlinkSource>& sources, Index samples, CountedAllele counted,
              const std::vector<std::uint8_t>& include, const std::optional<std::vector<Index>>& columns, int threads);
  /// All variants of one .bed file.
  PlinkDesign(const std::string& path, Index samples, Index variants, CountedAllele counted,
              const std::vector<std::uint8_t>& include, int threads)
      : PlinkDesign({{variants, path}}, samples, counted, include, std::nullopt, threads) {}
  ~PlinkDesign() override;

  std::string_view kind() const override;
  Traits traits() const override;
  double bytes() const override;
  void moments(Columns columns, const MatIn& weights, MatOut mean, MatOut variance, int threads) const override;
  void correlate(Columns columns, const MatIn& R, MatOut out, int threads) const override;
  void round_sides(MatOut R) const override;
  void correlate_rounded(Columns columns, const MatIn& R, MatOut out, int threads) const override;
  void multiply(Columns columns, const MatIn& B, MatOut out, int threads) const override;
  void gather(Columns columns, MatOut out, int threads) const override;
  std::shared_ptr<const Design> rows_subset(std::span<const Index> rows) const override;
  std::unique_ptr<Pool> make_pool() const override;

  /// out(i, q) = sum_j tables(code of sample i at variant j, j) B(j, q), over all variants in increasing order. The
  /// four rows of `tables` are what two copies of A1, a missing call, one copy and none stand for.
  void multiply_tables(const MatIn& tables, const MatIn& B, MatOut out, int threads) const;

  /// Copies of columns as the sources have them, ceil(rows / 4) bytes each; four numbers for each that its codes stand
  /// for, as in multiply_tables(), and whether calls of it may be missing.
  void copy_packed(Columns columns, std::vector<std::uint8_t>& bytes, std::vector<double>& tables,
                   std::vector<std::uint8_t>& missing) const;

  /// Counts of every variant over the included samples, from one pass over the columns.
  std::vector<GenotypeCounts> counts(int threads) const;
  /// For each variant the first one whose genotypes in the included samples are the same, or -1 when it is the first.
  std::vector<std::int64_t> identical(int threads) const;
  /// Value that stands in for missing genotypes, per variant.
  const Vec& imputed() const;

 private:
  struct Impl;
  explicit PlinkDesign(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace riata
