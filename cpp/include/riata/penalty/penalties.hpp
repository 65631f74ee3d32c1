#pragma once

#include <span>
#include <utility>
#include <vector>

#include "riata/penalty/group_norm.hpp"
#include "riata/types.hpp"

namespace riata {

/// The penalty of several features with K coefficients each, feature by feature in one vector. It is a sum over units:
/// single coefficients (elastic net), or the K of a feature together (group norm). Throughout, b are coefficients and c
/// the negative gradient of the loss in them.
class Penalties {
 public:
  Penalties() = default;
  explicit Penalties(std::vector<ElasticNet> entries) : entries_(std::move(entries)) {}
  /// One of K coefficients for each feature.
  Penalties(std::vector<GroupNorm> rows, Index outputs) : rows_(std::move(rows)), width_(outputs), grouped_(true) {}

  bool grouped() const { return grouped_; }
  std::span<const ElasticNet> entries() const { return entries_; }
  std::span<const GroupNorm> rows() const { return rows_; }

  Index units() const { return static_cast<Index>(grouped_ ? rows_.size() : entries_.size()); }
  /// Coefficients in a unit.
  Index width() const { return width_; }

  /// Neither l1 nor l2 part: bounds at most.
  bool unpenalised(Index unit) const {
    return grouped_ ? row(unit).l1 == 0.0 && row(unit).l2 == 0.0 : entry(unit).l1 == 0.0 && entry(unit).l2 == 0.0;
  }

  double value(Index unit, const Vec& b) const {
    return grouped_ ? row(unit).value(safe_norm(part(b, unit))) : entry(unit).value(b[unit]);
  }
  double value(const Vec& b) const {
    double sum = 0.0;
    for (Index i = 0; i < units(); ++i) sum += value(i, b);
    return sum;
  }

  double violation(Index unit, const Vec& b, const Vec& c) const {
    return grouped_ ? row(unit).kkt_violation(part(b, unit), part(c, unit))
                    : entry(unit).kkt_violation(b[unit], c[unit]);
  }
  double worst_violation(const Vec& b, const Vec& c) const {
    double worst = 0.0;
    for (Index i = 0; i < units(); ++i) worst = std::max(worst, violation(i, b, c));
    return worst;
  }
  /// The violation where b is zero.
  double violation_at_zero(Index unit, const Vec& c) const {
    return grouped_ ? std::max(safe_norm(part(c, unit)) - row(unit).l1, 0.0) : entry(unit).kkt_violation(0.0, c[unit]);
  }
  /// What of c the penalty at zero holds against its l1 part: |c| or its norm.
  double size(Index unit, const Vec& c) const { return grouped_ ? safe_norm(part(c, unit)) : std::abs(c[unit]); }
  double l1(Index unit) const { return grouped_ ? row(unit).l1 : entry(unit).l1; }

  /// Largest s in [0, 1] with conjugate(s c) finite.
  double feasible_scale(Index unit, const Vec& c) const {
    return grouped_ ? row(unit).feasible_scale(safe_norm(part(c, unit))) : entry(unit).feasible_scale(c[unit]);
  }
  /// Conjugate at scale * c.
  double conjugate(Index unit, const Vec& c, double scale) const {
    return grouped_ ? row(unit).conjugate(scale * safe_norm(part(c, unit))) : entry(unit).conjugate(scale * c[unit]);
  }
  /// c'b of a unit.
  double product(Index unit, const Vec& b, const Vec& c) const {
    return grouped_ ? part(b, unit).dot(part(c, unit)) : b[unit] * c[unit];
  }

  /// argmin over x of |x - z|^2 / (2 step) + value, in place of z; step[i] is that of unit i.
  void prox(Vec& z, const Vec& step) const {
    for (Index i = 0; i < units(); ++i) {
      if (grouped_) {
        auto at = z.segment(i * width_, width_);
        at *= row(i).shrinkage(at.norm(), step[i]);
      } else {
        z[i] = entry(i).prox(z[i], step[i]);
      }
    }
  }

 private:
  const ElasticNet& entry(Index unit) const { return entries_[static_cast<std::size_t>(unit)]; }
  const GroupNorm& row(Index unit) const { return rows_[static_cast<std::size_t>(unit)]; }
  Eigen::VectorBlock<const Vec> part(const Vec& v, Index unit) const { return v.segment(unit * width_, width_); }

  std::vector<ElasticNet> entries_;
  std::vector<GroupNorm> rows_;
  Index width_ = 1;
  bool grouped_ = false;
};

}  // namespace riata
