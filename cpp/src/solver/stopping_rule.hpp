#pragma once

#include <functional>
#include <span>

#include "penalty/penalties.hpp"
#include "riata/api.hpp"
#include "solver/column_norms.hpp"

namespace riata {

/// When a solution on the working set is close enough to be certified: KKT violations below a tolerance that follows
/// lambda, or a duality gap well within the one that is asked for.
class StoppingRule {
 public:
  StoppingRule(const PathOptions& options, const ColumnNorms& columns);

  /// See ColumnNorms.
  double largest_norm() const { return largest_norm_; }
  double largest_noise() const { return largest_noise_; }

  /// |rho| at the current solution.
  void set_residual_norm(double norm) { norm_ = norm; }
  double residual_norm() const { return norm_; }
  /// What gaps are measured in: what the penalised features have to explain.
  void set_gap_unit(double unit) { gap_unit_ = unit; }
  double gap_unit() const { return gap_unit_; }

  double kkt_tolerance(double lambda) const;
  /// How far a point is from good enough, judged by some units: the gap they leave over what the tolerance allows, and
  /// the violation of what only the KKT conditions tell; at most 1 when it is. The gap is known up to the third order
  /// of 1 - scale (docs/algorithms.md, section 5); `scaling_gap` is Loss::scaling_gap at that scale.
  double distance(const Penalties& net, const Vec& b, const Vec& c, std::span<const Index> units, double lambda,
                  const std::function<double(double)>& scaling_gap) const;

  /// The first part of it for penalties with an l2 part everywhere, whose gap is known exactly: infinite where c is not
  /// dual feasible.
  double gap_share(const Penalties& net, const Vec& b, const Vec& c) const;

  /// The solution was not good enough, though nothing was missing: the next one is to be closer.
  void tighten();
  /// How often in a row.
  int tries() const { return tries_; }
  void forget_tries() { tries_ = 0; }
  /// The solution was accepted.
  void relax() {
    kkt_relative_ = kkt_start_;
    tries_ = 0;
  }

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(norm_, kkt_relative_);
  }

 private:
  double allowed_gap() const;

  double tol_, l1_ratio_, typical_factor_, largest_norm_, largest_noise_;
  double norm_ = 0.0, gap_unit_ = 0.0;
  double kkt_start_, kkt_relative_;  // inner tolerance relative to lambda: to begin with, and now
  int tries_ = 0;
};

/// Conjugates are taken at this share of the scale, for a scaled c may pass its threshold by a rounding.
inline constexpr double kBelow = 1.0 - 1e-16;

}  // namespace riata
