#pragma once

#include <span>
#include <vector>

#include "riata/types.hpp"

namespace riata {

/// Growing and shrinking Gram matrix of the active features with its Cholesky factor:
/// L L' = G + diag(ridge), both kept in the order in which features entered.
/// Appending costs O(k^2) a row, removing O((k - i)^2), solving O(k^2) (k = size).
class GramFactor {
 public:
  Index size() const { return size_; }
  void clear() { size_ = 0; }

  /// Appends rows for m features. cross(i, r) = Gram entry of existing feature i with new one r, block the m x m Gram
  /// among the new ones, ridge[r] what is added to the diagonal. A feature whose pivot is at most 1e-10 of its
  /// diagonal (collinear with those before it) is left out. Returns which of the m were accepted, in order.
  std::vector<Index> append(const MatIn& cross, const MatIn& block, std::span<const double> ridge);

  /// Removes the feature at position i; later ones move up by one.
  void remove(Index i);

  /// Changes the ridge terms and refactors (only if they differ). Returns false if some pivot failed.
  bool set_ridge(std::span<const double> ridge);

  /// Solves (G + diag(ridge)) x = rhs in place.
  void solve(Vec& rhs) const;

  /// Rows changed since the last full factorisation.
  Index updates() const { return updates_; }
  /// Factors again from the stored Gram matrix. Returns false if some pivot failed (then the factor is unusable).
  bool refactor();

 private:
  double* gram_row(Index i) { return gram_.data() + i * capacity_; }
  double* row(Index i) { return factor_.data() + i * capacity_; }
  const double* row(Index i) const { return factor_.data() + i * capacity_; }
  void reserve(Index size);
  bool push_row(const double* solved, Index base);

  Index size_ = 0;
  Index capacity_ = 0;
  Index updates_ = 0;
  // Row-major lower triangles with `capacity_` doubles a row.
  std::vector<double> gram_;
  std::vector<double> factor_;
  std::vector<double> ridge_;
  std::vector<double> solved_, rotations_;  // scratch
};

}  // namespace riata
