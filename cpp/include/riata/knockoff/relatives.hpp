#pragma once

#include <cstdint>
#include <vector>

#include "riata/knockoff/haplotypes.hpp"
#include "riata/types.hpp"

namespace riata {

/// Two samples that share rare alleles: in how many stretches of variants, of those in which the one that carries rare
/// alleles in fewer of them carries any.
struct SharedStretches {
  Index first = 0, second = 0;
  Index shared = 0, carried = 0;
};

/// Counts the stretches of a genome in which pairs of samples share rare alleles. An allele is rare when at least two
/// and at most a twentieth of the samples (or three) carry it; a stretch is of 50 variants next to each other, of which
/// at most ten rare ones are looked at. Costs up to n^2 / 80 operations a stretch, and 2 n^2 bytes.
class RareSharing {
 public:
  explicit RareSharing(Index samples);
  /// Adds variants of a chromosome, of all the samples.
  void add(const GenotypeWords& genotypes);
  /// Pairs with more than share * carried + margin * sqrt(carried) shared stretches, of `least` carried at least.
  std::vector<SharedStretches> pairs(double share, double margin, Index least) const;

 private:
  std::uint16_t& at(std::vector<std::uint16_t>& triangle, Index a, Index c) const;

  Index samples_;
  std::uint16_t stretch_ = 0;
  std::vector<std::uint16_t> shared_, last_;  // of pairs: stretches shared, and the last one counted
  std::vector<std::uint16_t> carried_, last_carried_;
};

}  // namespace riata
