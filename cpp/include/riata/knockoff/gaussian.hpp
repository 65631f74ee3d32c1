#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "riata/design/design.hpp"
#include "riata/types.hpp"

/// Gaussian knockoffs by blocks of columns (Candes, Fan, Janson & Lv 2018): rows z of standardised columns with the
/// correlation matrix Sigma of their block have the knockoffs
///   z - S Sigma^-1 z + e,  e ~ N(0, 2S - S Sigma^-1 S),  0 <= S <= 2 Sigma.
/// Columns of different blocks count as independent: what is held is a matrix for each block, never one of all columns.
namespace riata {

/// How the columns of a design are standardised: z = (x - mean) / scale - scores loadings'.
struct StandardColumns {
  const Design* X = nullptr;
  std::vector<Index> rows;  // the row of X that each sample is
  Vec mean, scale;          // (p); a scale of 0: the column does not vary and is its own knockoff
  Mat scores, loadings;     // n x k and p x k, of the factors that are taken away; k may be 0

  Index samples() const { return static_cast<Index>(rows.size()); }
};

struct KnockoffRun {
  int threads = 1;
  Poll poll = {};
};

/// Which columns lie in a block together.
struct BlockOptions {
  double least = 0.1;             // squared correlations below this join nothing
  Index max_size = 256;           // columns in a block, unless `together` has more of them
  std::vector<Index> together;    // (p), columns with the same number >= 0 share a block; empty: none have to
  Index most_pairs = 20'000'000;  // that are kept, of 16 bytes: the largest
};

struct KnockoffBlocks {
  std::vector<Index> label;  // (p), numbered by their first columns; -1 for columns that do not vary
  double left = 0.0;         // mean squared correlation of columns in different blocks, less what independent ones have
};

/// Pairs in decreasing order of their squared correlation join the blocks of their columns, where the size allows.
/// Correlations are those of at most 1,024 rows, spread evenly, rounded to 12 bits. Costs up to 512 p^2 multiplications
/// of 16-bit integers, and 2 KiB a column.
KnockoffBlocks knockoff_blocks(const StandardColumns& columns, const BlockOptions& options, const KnockoffRun& run);

/// Columns in blocks: block b has order[first[b]], ..., order[first[b + 1] - 1], in increasing order. Matrices of
/// blocks lie one after the other, column-major.
struct BlockOrder {
  std::vector<Index> order, first;

  Index blocks() const { return static_cast<Index>(first.size()) - 1; }
  Index size(Index b) const { return first[static_cast<std::size_t>(b) + 1] - first[static_cast<std::size_t>(b)]; }
  Columns columns(Index b) const {
    return Columns(order).subspan(static_cast<std::size_t>(first[static_cast<std::size_t>(b)]),
                                  static_cast<std::size_t>(size(b)));
  }
  /// Where the matrix of each block begins, and behind the last: how many numbers there are.
  std::vector<Index> offsets() const;
};

/// The correlation matrix of each block, (1 - rho) R + rho I with rho as Ledoit & Wolf (2004) estimate it, into
/// `sigma`; returns the rho of each block, at least 1e-6, so that matrices are positive definite.
Vec knockoff_correlations(const StandardColumns& columns, const BlockOrder& blocks, std::span<double> sigma,
                          const KnockoffRun& run);

enum class Distance { mvr, entropy };

struct DistanceOptions {
  Distance method = Distance::mvr;
  double tol = 1e-3;  // largest relative step of the last sweep
  Index max_sweeps = 30;
};

/// S = diag(gamma_g Sigma_gg) for groups g of the columns of a block, single ones by themselves: minimises
///   mvr:      tr S^-1 + tr (2 Sigma - S)^-1          (Spector & Janson 2022)
///   entropy:  -log det S - log det (2 Sigma - S)
/// one gamma after the other, with D = (2 Sigma - S)^-1 brought up to date by rank |g|. `group` numbers the groups of
/// `order`, 0, 1, ..., afresh in each block; returns the gamma of the group of each of `order`.
Vec knockoff_distances(const BlockOrder& blocks, std::span<const double> sigma, std::span<const Index> group,
                       const DistanceOptions& options, const KnockoffRun& run);

/// Who draws: the same numbers for the same two, whatever else is drawn.
struct KnockoffSeed {
  std::uint64_t seed = 0;
  std::uint32_t draw = 0;
};

/// Writes the knockoff of column j to out[j * samples], ..., in single precision; columns in no block are copied.
void draw_gaussian(const StandardColumns& columns, const BlockOrder& blocks, std::span<const double> sigma,
                   std::span<const Index> group, const Vec& gamma, const KnockoffSeed& seed, float* out,
                   const KnockoffRun& run);

}  // namespace riata
