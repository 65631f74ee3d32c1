#include "loss/cox.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

namespace riata {
namespace {

constexpr double kSmall = 1e-2;  // x below which log(1 + x) is as good as x
constexpr double kUnknown = std::numeric_limits<double>::infinity();

}  // namespace

/// The risk sets at one eta. A term l of event k is a distribution over its risk set: e^eta w, with the tied rows
/// counting 1 - theta, theta = l / m. Its total is d = 1 - theta tied(k) of that of the risk set.
struct Cox::Point {
  Point(const Cox& loss, const Vec& given)
      : eta(given), shares(loss.sets_, loss.weight_, eta), tied(Vec::Zero(loss.sets_.size())) {
    if (!loss.efron_) return;
    for (Index k = 0; k < tied.size(); ++k) {
      for (const Index i : loss.sets_.tied(k)) {
        tied_shares.push_back(shares.share(k, i, eta[i]));
        tied[k] += tied_shares.back();
      }
    }
  }

  Vec eta;
  RiskSets::Shares shares;
  std::vector<double> tied_shares;  // of each tied row, event by event; not asked for without Efron's ties
  Vec tied;                         // share of all tied rows, 0 where it is not asked for
};

/// F'' = diag(mu) - sum over terms of (mass) q q', q the distribution of the term.
class CoxCurvature : public Curvature {
 public:
  CoxCurvature(const Cox& loss, const Vec& eta, double floor = 0.0) : loss_(loss), at_(loss, eta), floor_(floor) {
    const Index events = loss.sets_.size();
    first_ = first_tied_ = second_ = second_mixed_ = second_tied_ = Vec::Zero(events);
    for (Index k = 0; k < events; ++k) {
      const Index terms = loss.terms(k);
      const double mass = loss.mass_[k] / static_cast<double>(terms);
      for (Index l = 0; l < terms; ++l) {
        const double theta = static_cast<double>(l) / static_cast<double>(terms), d = 1.0 - theta * at_.tied[k];
        first_[k] += mass / d;
        first_tied_[k] += mass * theta / d;
        second_[k] += mass / (d * d);
        second_mixed_[k] += mass * theta / (d * d);
        second_tied_[k] += mass * theta * theta / (d * d);
      }
    }
    mu_ = at_.shares.spread(first_);
    for_tied([&](Index k, Index i, double q) { mu_[i] -= q * first_tied_[k]; });
    // Both sides are known to sum to the same.
    if (const double sum = mu_.sum(); sum > 0.0) mu_ *= loss.own_.sum() / sum;
  }

  /// What y is expected to be: u = y - mu.
  const Vec& mu() const { return mu_; }

  Vec log_hazards() const {
    Vec jumps(first_.size());
    const double total = loss_.weight_.sum();
    for (Index k = 0; k < jumps.size(); ++k) jumps[k] = std::log(total * first_[k]) - at_.shares.log_total(k, 0.0);
    return jumps;
  }

  Vec diagonal() const {
    Vec h = mu_ - at_.shares.spread(second_, true);
    for_tied([&](Index k, Index i, double q) { h[i] += q * q * (2.0 * second_mixed_[k] - second_tied_[k]); });
    return h.cwiseMax(0.0);
  }

  void multiply(MatOut columns) const override {
    Vec mean, pull(first_.size()), pull_tied(first_.size());
    for (Index c = 0; c < columns.cols(); ++c) {
      auto v = columns.col(c);
      at_.shares.means(v.data(), mean);
      pull = second_.cwiseProduct(mean);
      pull_tied = second_mixed_.cwiseProduct(mean);
      for_tied([&](Index k, Index i, double q) {
        pull[k] -= second_mixed_[k] * q * v[i];
        pull_tied[k] -= second_tied_[k] * q * v[i];
      });
      const double centre = loss_.omega_.dot(v);
      const Vec apart = (v.array() - centre) * loss_.omega_.array();
      v = mu_.cwiseProduct(v) - at_.shares.spread(pull) + floor_ * apart;
      for_tied([&](Index k, Index i, double q) { v[i] += q * pull_tied[k]; });
    }
  }

 private:
  /// fn(event, row, share) of all tied rows, with Efron's ties.
  template <class Fn>
  void for_tied(const Fn& fn) const {
    if (!loss_.efron_) return;
    auto share = at_.tied_shares.begin();
    for (Index k = 0; k < first_.size(); ++k) {
      for (const Index i : loss_.sets_.tied(k)) fn(k, i, *share++);
    }
  }

  const Cox& loss_;
  Cox::Point at_;
  double floor_;
  Vec first_, first_tied_;                   // sums over terms of mass / d and of theta times that
  Vec second_, second_mixed_, second_tied_;  // of mass / d^2 and of theta and theta^2 times that
  Vec mu_;
};

Cox::Cox(const Vec& time, const Survival& survival, Vec omega, double total_weight)
    : Loss(std::move(omega)),
      sets_(time, survival, omega_),
      efron_(survival.efron),
      weight_(total_weight * omega_),
      own_(Vec::Zero(omega_.size())),
      mass_(Vec::Zero(sets_.size())) {
  const RiskSets::Shares counts(sets_, Vec::Ones(omega_.size()), Vec::Zero(omega_.size()));
  double most = 0.0;
  for (Index k = 0; k < sets_.size(); ++k) most = std::max(most, counts.log_total(k, 0.0));
  if (!(most > 0.5)) {  // log 2 for a risk set of two
    throw std::invalid_argument("y must hold an event with another row at risk at its time for the cox loss, got none");
  }
  for (Index k = 0; k < sets_.size(); ++k) {
    for (const Index i : sets_.tied(k)) {
      own_[i] = omega_[i];
      mass_[k] += omega_[i];
    }
    // All of the risk set's weight on its tied rows, which alone can be for all events at once.
    const double m = static_cast<double>(terms(k));
    saturated_ += mass_[k] * (std::log(total_weight * mass_[k]) + std::lgamma(m + 1.0) / m - std::log(m));
  }
}

double Cox::separation() const {
  double out = 1.0;
  for (Index k = 0; k < sets_.size(); ++k) {
    out = std::min(out, mass_[k] * std::log1p(1.0 / static_cast<double>(sets_.tied(k).size())));
  }
  return out;
}

double Cox::value(const Vec& eta) const {
  const Point at(*this, eta);
  double sum = 0.0, lost = 0.0;  // compensated: there may be very many events
  for (Index k = 0; k < sets_.size(); ++k) {
    double event = 0.0;
    for (const Index i : sets_.tied(k)) event += omega_[i] * at.shares.log_total(k, eta[i]);
    const Index m = terms(k);
    double logs = 0.0;
    for (Index l = 1; l < m; ++l) {
      logs += std::log1p(-static_cast<double>(l) / static_cast<double>(m) * at.tied[k]);
    }
    event += mass_[k] * logs / static_cast<double>(m) - lost;
    const double next = sum + event;
    lost = (next - sum) - event;
    sum = next;
  }
  return sum;
}

double Cox::rounding() const {
  return 2e-16 * own_.sum() * std::sqrt(static_cast<double>(own_.size()));  // of the logarithms, from long sums
}

Vec Cox::log_hazards(const Vec& eta) const {
  const CoxCurvature at(*this, eta);
  return at.log_hazards();
}

void Cox::derivatives(const Vec& eta, Vec& u, Vec& h) const {
  const CoxCurvature curvature(*this, eta);
  u = own_ - curvature.mu();
  h = curvature.diagonal();
}

std::unique_ptr<Curvature> Cox::curvature(const Vec& eta, double floor, bool) const {
  return std::make_unique<CoxCurvature>(*this, eta, floor);
}

double Cox::dual(const Vec&) const {
  return -std::numeric_limits<double>::infinity();
}

/// scale u comes from the terms' distributions r = (1 - scale) a + scale q, with a the weights of the tied rows. The
/// value of these is F + scale u'eta - sum of (mass) KL(r | q), and KL(r | q) is at most log(1 + chi^2(r | q)) and
/// at most (1 - scale) KL(a | q): both have closed forms, and log(1 + x) is at most x.
double Cox::scaling_gap(const Vec& eta, const Vec&, const Vec&, double scale) const {
  const double rest = 1.0 - scale;
  if (rest <= 0.0) return 0.0;
  const Point at(*this, eta);
  double sum = 0.0;
  for (Index k = 0; k < sets_.size(); ++k) {
    double inverse = 0.0;  // sum of a^2 / q for theta = 0
    for (const Index i : sets_.tied(k)) {
      const double a = omega_[i] / mass_[k];
      inverse += a * a / at.shares.share(k, i, eta[i]);
    }
    const Index m = terms(k);
    double terms_sum = 0.0, divergence = kUnknown;
    for (Index l = 0; l < m; ++l) {
      const double theta = static_cast<double>(l) / static_cast<double>(m), d = 1.0 - theta * at.tied[k];
      const double square = rest * rest * std::max(inverse * d / (1.0 - theta) - 1.0, 0.0);
      if (square < kSmall) {
        terms_sum += square;
        continue;
      }
      if (divergence == kUnknown) divergence = divergence_of(k, at.shares, eta);
      terms_sum += std::min(std::log1p(square), rest * std::max(divergence + std::log(d) - std::log1p(-theta), 0.0));
    }
    sum += mass_[k] * terms_sum / static_cast<double>(m);
  }
  return sum;
}

/// KL(a | q) of an event, with a the weights of its tied rows and q the shares in its risk set.
double Cox::divergence_of(Index k, const RiskSets::Shares& shares, const Vec& eta) const {
  double sum = 0.0;
  for (const Index i : sets_.tied(k)) {
    const double a = omega_[i] / mass_[k];
    sum += a * (std::log(a / weight_[i]) + shares.log_total(k, eta[i]));
  }
  return sum;
}

double Cox::dual_at(const Vec& eta, const Vec& u, double scale) const {
  return value(eta) + scale * u.dot(eta) - scaling_gap(eta, u, u, scale);
}

}  // namespace riata
