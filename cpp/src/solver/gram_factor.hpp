#pragma once

#include <span>
#include <vector>

#include "solver/room.hpp"

namespace riata {

/// Cholesky factor of the Gram matrix of the active features, growing and shrinking: L L' = G + diag(ridge), in the
/// order in which features entered. Appending a row costs O(k^2), removing row i O((k - i)^2), solving O(k^2) (k =
/// size); k (k + 1) / 2 doubles are held, twice that with the Gram matrix. Room for rows that have left is kept for
/// those to come: with them at most twice what was ever in use.
class GramFactor {
 public:
  /// With `keep_gram`, G is stored too, so that the ridge can change without asking for it again.
  explicit GramFactor(bool keep_gram) : keep_gram_(keep_gram) {}

  Index size() const { return static_cast<Index>(factor_.size()); }
  void clear();

  /// Appends rows for m features. cross(i, r) = Gram entry of existing feature i with new one r, block the m x m Gram
  /// among the new ones, ridge[r] what is added to the diagonal. A feature whose pivot is at most 1e-10 of its
  /// diagonal (collinear with those before it) is left out. Returns which of the m were accepted, in order, until the
  /// next call.
  const std::vector<Index>& append(const MatIn& cross, const MatIn& block, std::span<const double> ridge);

  /// Removes the feature at position i; later ones move up by one.
  void remove(Index i);

  /// Changes the ridge terms. False if that needs a new factor and there is none (no Gram matrix, or a failed pivot):
  /// then the factor must be built again.
  bool set_ridge(std::span<const double> ridge);

  /// Factors again from the stored Gram matrix, shedding the rounding of many updates. False as for set_ridge.
  bool refactor();

  /// Solves (G + diag(ridge)) x = rhs in place.
  void solve(Eigen::Ref<Vec> rhs) const;

  /// out = G x, from the factor.
  void multiply(const Eigen::Ref<const Vec>& x, Eigen::Ref<Vec> out);

  /// Rows changed since the last full factorisation.
  Index updates() const { return updates_; }

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(updates_, factor_, gram_, ridge_, most_used_);
    for (Row& row : factor_) archive.slack(row);
    for (Row& row : gram_) archive.slack(row);
    spare_rooms(archive);
    archive.rooms(solved_, rotations_, accepted_, half_);
    lines_.clear();
    for (const Row& row : factor_) lines_.push_back(row.data());
    if constexpr (Archive::reading) used_ = room_of(factor_) + room_of(gram_);
  }

 private:
  using Row = std::vector<double>;
  bool push_row(Row gram, double ridge, const double* solved, Index base);
  Row take(Index size);
  void give(Row row);
  void give(std::vector<Row>& rows);
  static std::size_t room_of(const std::vector<Row>& rows) {
    std::size_t out = 0;
    for (const Row& row : rows) out += row.capacity();
    return out;
  }

  bool keep_gram_;
  Index updates_ = 0;
  std::vector<Row> factor_, gram_;    // row i of a lower triangle
  std::vector<const double*> lines_;  // factor_[i].data()
  std::vector<double> ridge_;
  std::vector<double> solved_, rotations_;  // this and what follows: scratch
  std::vector<Index> accepted_;
  std::vector<Row> gram_before_;
  std::vector<double> ridge_before_;
  Room half_;
  struct Kind {
    std::vector<Row> spare;
    std::size_t made = 0;  // and not freed

    template <class Archive>
    void state(Archive& archive) {
      std::size_t count = spare.size();
      archive(made, count);
      if constexpr (Archive::reading) {
        spare.reserve(2 * made);
        spare.resize(count);
      }
      for (Row& row : spare) archive.rooms(row);
    }
  };
  template <class Archive>
  void spare_rooms(Archive& archive) {
    std::size_t count = kinds_.size();
    archive(count, spared_);
    if constexpr (Archive::reading) kinds_.resize(count);
    for (Kind& kind : kinds_) archive(kind);
  }
  std::vector<Kind> kinds_;                            // of rows, by their room in steps of kRoom numbers
  std::size_t spared_ = 0, used_ = 0, most_used_ = 0;  // numbers that spare rows and the others have room for
};

}  // namespace riata
