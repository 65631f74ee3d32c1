#include "riata/knockoff/relatives.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace riata {
namespace {

constexpr Index kStretch = 50, kMostRare = 10;

/// Samples that carry the rarer allele of a variant; empty when more do than `most`.
void find_carriers(const GenotypeWords& genotypes, Index variant, Index most, std::vector<Index>& out) {
  Index zero = 0, two = 0;
  const auto code = [&](Index k) {
    return genotypes.words[k / 16 * genotypes.variants + variant] >> (2 * (k % 16)) & 3;
  };
  for (Index k = 0; k < genotypes.samples; ++k) {
    zero += code(k) == 3 ? 1 : 0;
    two += code(k) == 0 ? 1 : 0;
  }
  const std::uint32_t common = zero >= two ? 3 : 0;  // the code of two copies of the more frequent allele
  out.clear();
  for (Index k = 0; k < genotypes.samples; ++k) {
    if (code(k) == common || code(k) == 1) continue;
    if (static_cast<Index>(out.size()) == most) {
      out.clear();
      return;
    }
    out.push_back(k);
  }
}

}  // namespace

RareSharing::RareSharing(Index samples) : samples_(samples) {
  if (samples < 1) throw std::invalid_argument("samples must be >= 1");
  const auto n = static_cast<std::size_t>(samples);
  shared_.assign(n * (n - 1) / 2, 0);
  last_.assign(shared_.size(), 0);
  carried_.assign(n, 0);
  last_carried_.assign(n, 0);
}

std::uint16_t& RareSharing::at(std::vector<std::uint16_t>& triangle, Index a, Index c) const {
  return triangle[static_cast<std::size_t>(a * (a - 1) / 2 + c)];  // c < a
}

void RareSharing::add(const GenotypeWords& genotypes) {
  if (genotypes.samples != samples_) throw std::invalid_argument("genotypes must be of all the samples");
  const Index most = std::max<Index>(samples_ / 20, 3);
  std::vector<Index> carriers;
  for (Index start = 0; start < genotypes.variants; start += kStretch) {
    if (stretch_ == std::numeric_limits<std::uint16_t>::max()) return;  // enough of them
    ++stretch_;
    Index rare = 0;
    for (Index j = start; j < std::min(start + kStretch, genotypes.variants) && rare < kMostRare; ++j) {
      find_carriers(genotypes, j, most, carriers);
      if (carriers.size() < 2) continue;
      ++rare;
      for (std::size_t k = 0; k < carriers.size(); ++k) {
        const Index a = carriers[k];
        const auto one = static_cast<std::size_t>(a);
        if (last_carried_[one] != stretch_) {
          last_carried_[one] = stretch_;
          ++carried_[one];
        }
        for (std::size_t l = 0; l < k; ++l) {
          std::uint16_t& last = at(last_, a, carriers[l]);
          if (last == stretch_) continue;
          last = stretch_;
          ++at(shared_, a, carriers[l]);
        }
      }
    }
  }
}

std::vector<SharedStretches> RareSharing::pairs(double share, double margin, Index least) const {
  std::vector<SharedStretches> out;
  for (Index a = 1; a < samples_; ++a) {
    for (Index c = 0; c < a; ++c) {
      const auto carried =
          static_cast<Index>(std::min(carried_[static_cast<std::size_t>(a)], carried_[static_cast<std::size_t>(c)]));
      if (carried < least) continue;
      const Index shared = shared_[static_cast<std::size_t>(a * (a - 1) / 2 + c)];
      const double bound = share * static_cast<double>(carried) + margin * std::sqrt(static_cast<double>(carried));
      if (static_cast<double>(shared) > bound) out.push_back({c, a, shared, carried});
    }
  }
  return out;
}

}  // namespace riata
