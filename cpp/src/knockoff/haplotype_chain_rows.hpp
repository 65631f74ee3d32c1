#pragma once

#include <stdexcept>
#include <vector>

#include "knockoff/haplotype_kernels.hpp"
#include "riata/knockoff/haplotypes.hpp"

namespace riata {

/// A chain in the order that kernels read it.
template <class Real>
class OwnedRows {
 public:
  explicit OwnedRows(const HaplotypeChain& chain) : variants_(chain.variants), clusters_(chain.clusters) {
    const auto p = static_cast<std::size_t>(variants_), K = static_cast<std::size_t>(clusters_);
    if (clusters_ < 1 || chain.stay.size() != p || chain.landing.size() != p * K || chain.allele.size() != p * K) {
      throw std::invalid_argument("a chain must have b, alpha and theta for each variant and cluster");
    }
    rows_.reserve(p * (2 * K + 1));
    for (std::size_t j = 0; j < p; ++j) {
      rows_.push_back(j == 0 ? Real{0} : static_cast<Real>(chain.stay[j]));
      for (std::size_t a = 0; a < K; ++a) rows_.push_back(static_cast<Real>(chain.landing[j * K + a]));
      for (std::size_t a = 0; a < K; ++a) rows_.push_back(static_cast<Real>(chain.allele[j * K + a]));
    }
  }
  ChainRows<Real> view() const { return {variants_, clusters_, rows_.data()}; }

 private:
  Index variants_, clusters_;
  std::vector<Real> rows_;
};

}  // namespace riata
