#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "riata/design/design.hpp"

namespace riata {

/// Which of the two alleles of a PLINK variant a dosage counts: A1 is column 5 of the .bim, A2 column 6.
enum class CountedAllele { A1, A2 };

/// Genotype counts of one variant over the included samples, by copies of the counted allele.
struct GenotypeCounts {
  std::int64_t zero = 0, one = 0, two = 0, missing = 0;
};

/// A PLINK 1 .bed file (variant-major, 2 bits a genotype), memory-mapped and never decoded as a whole.
/// Element (i, j) is the count of the counted allele, or, when missing, the mean count of variant j over the
/// included samples (0 when all are missing). `include` (one byte a sample, empty: all) says which samples count
/// for that mean and for `counts`; the design always has one row for each sample of the file.
class PlinkDesign : public Design {
 public:
  /// Throws FileError when the file cannot be opened, lacks the three magic bytes 6c 1b 01 (sample-major files
  /// are told apart), or is not exactly 3 + variants * ceil(samples / 4) bytes long.
  PlinkDesign(const std::string& path, Index samples, Index variants, CountedAllele counted,
              const std::vector<std::uint8_t>& include, int threads);
  ~PlinkDesign() override;

  std::string_view kind() const override;
  double bytes() const override;
  void moments(Columns columns, const MatIn& weights, MatOut mean, MatOut variance, int threads) const override;
  void correlate(Columns columns, const MatIn& R, MatOut out, int threads) const override;
  bool rounds() const override;
  void round_sides(MatOut R) const override;
  void correlate_rounded(Columns columns, const MatIn& R, MatOut out, int threads) const override;
  void multiply(Columns columns, const MatIn& B, MatOut out, int threads) const override;
  void gather(Columns columns, MatOut out, int threads) const override;
  std::unique_ptr<Pool> make_pool() const override;

  const std::vector<GenotypeCounts>& counts() const;
  /// Value that stands in for missing genotypes, per variant.
  const Vec& imputed() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace riata
