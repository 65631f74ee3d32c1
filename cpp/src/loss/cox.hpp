#pragma once

#include "loss/loss.hpp"
#include "loss/risk_sets.hpp"

namespace riata {

/// Minus the log partial likelihood over the sum of weights (Cox 1972). With W_T the weight of the rows T tied at an
/// event, R its risk set and m their number,
///   F(eta) = sum over events (W_T / W) (log sum_R w_j e^eta_j - sum_T (w_j / W_T) eta_j)
/// with Breslow's ties; with Efron's the logarithm is the mean over l = 0 .. m - 1 of those in which the rows T count
/// 1 - l / m. F does not change when the same number is added to every eta: there is no intercept, and sum(u) = 0.
class Cox : public Loss {
 public:
  /// `time` is when a row stops being at risk; weights are omega times `total_weight`.
  Cox(const Vec& time, const Survival& survival, Vec omega, double total_weight);

  const RiskSets& risk_sets() const { return sets_; }
  /// Logarithm of the jump of the cumulative hazard at eta = 0 at each event (Breslow 1974; with Efron's ties the mean
  /// over its terms): finite whatever the size of eta.
  Vec log_hazards(const Vec& eta) const;

  double value(const Vec& eta) const override;
  double rounding() const override;
  void derivatives(const Vec& eta, Vec& u, Vec& h) const override;
  double saturated() const override { return saturated_; }
  /// An event that somebody else at risk exceeds has m + 1 equals at best.
  double separation() const override;
  bool falls_for_ever(Index row) const override { return own_[row] == 0.0; }
  bool shift_invariant() const override { return true; }
  std::unique_ptr<Curvature> curvature(const Vec& eta, double floor, bool intercept) const override;

  /// Unknown (-infinity): which distributions over risk sets make up a given u is a problem of its own. See dual_at().
  double dual(const Vec& u) const override;
  double scaling_gap(const Vec& eta, const Vec& u, const Vec& h, double scale) const override;
  double dual_at(const Vec& eta, const Vec& u, double scale) const override;

 private:
  friend class CoxCurvature;
  struct Point;

  /// Terms of an event: 1 with Breslow's ties.
  Index terms(Index k) const { return efron_ ? static_cast<Index>(sets_.tied(k).size()) : 1; }

  double divergence_of(Index k, const RiskSets::Shares& shares, const Vec& eta) const;

  RiskSets sets_;
  bool efron_;
  Vec weight_;  // as given: omega times the total
  Vec own_;     // omega of rows with an event that counts, else 0
  Vec mass_;    // of each event: sum of omega over its tied rows
  double saturated_ = 0.0;
};

}  // namespace riata
