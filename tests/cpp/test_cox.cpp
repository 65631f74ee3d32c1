#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <set>
#include <stdexcept>
#include <vector>

#include "check_design.hpp"
#include "loss/cox.hpp"
#include "riata/loss/concordance.hpp"

using namespace riata;

namespace {

struct Data {
  Vec time;
  Survival survival;
  Vec weights;

  Cox loss() const { return {time, survival, weights / weights.sum(), weights.sum()}; }
  Index size() const { return time.size(); }
  bool at_risk(Index i, double t, double stratum) const {
    const bool started = survival.start.size() == 0 || survival.start[i] < t;
    return weights[i] > 0.0 && started && time[i] >= t && stratum_of(i) == stratum;
  }
  double stratum_of(Index i) const { return survival.stratum.size() == 0 ? 0.0 : survival.stratum[i]; }
};

/// Small whole times, so that many are tied; `kind` turns on what else there is.
Data some_data(Index n, unsigned kind, unsigned seed) {
  std::mt19937_64 rng(seed);
  std::uniform_int_distribution<int> day(0, static_cast<int>(n) / 2);
  std::uniform_real_distribution<double> uniform;
  Data d;
  d.time.resize(n);
  d.survival.event.resize(n);
  d.weights.setOnes(n);
  d.survival.efron = (kind & 1) != 0;
  if ((kind & 2) != 0) d.survival.start.resize(n);
  if ((kind & 4) != 0) d.survival.stratum.resize(n);
  for (Index i = 0; i < n; ++i) {
    d.time[i] = day(rng);
    d.survival.event[i] = uniform(rng) < 0.6 ? 1.0 : 0.0;
    if ((kind & 2) != 0) d.survival.start[i] = d.time[i] - 1.0 - day(rng);
    if ((kind & 4) != 0) d.survival.stratum[i] = std::floor(3.0 * uniform(rng)) - 1.0;
    if ((kind & 8) != 0) d.weights[i] = i % 4 == 0 ? 0.0 : 2.0 * uniform(rng) + 0.1;
  }
  return d;
}

/// From the definition, event by event and row by row.
double value_by_hand(const Data& d, const Vec& eta) {
  std::set<std::pair<double, double>> events;
  for (Index i = 0; i < d.size(); ++i) {
    if (d.survival.event[i] == 1.0 && d.weights[i] > 0.0) events.insert({d.stratum_of(i), d.time[i]});
  }
  double sum = 0.0;
  for (const auto& [stratum, t] : events) {
    double all = 0.0, tied = 0.0, mass = 0.0;
    int count = 0;
    for (Index i = 0; i < d.size(); ++i) {
      if (!d.at_risk(i, t, stratum)) continue;
      all += d.weights[i] * std::exp(eta[i]);
      if (d.survival.event[i] != 1.0 || d.time[i] != t) continue;
      tied += d.weights[i] * std::exp(eta[i]);
      mass += d.weights[i];
      sum -= d.weights[i] * eta[i];
      ++count;
    }
    const int terms = d.survival.efron ? count : 1;
    for (int l = 0; l < terms; ++l) sum += mass / terms * std::log(all - tied * l / terms);
  }
  return sum / d.weights.sum();
}

double concordance_by_hand(const Data& d, const Vec& score) {
  double good = 0.0, all = 0.0;
  for (Index i = 0; i < d.size(); ++i) {
    for (Index j = 0; j < d.size(); ++j) {
      const bool later = d.time[j] > d.time[i] || (d.time[j] == d.time[i] && d.survival.event[j] == 0.0);
      if (d.survival.event[i] != 1.0 || !later || !d.at_risk(j, d.time[i], d.stratum_of(i))) continue;
      const double pair = d.weights[i] * d.weights[j];
      all += pair;
      good += pair * (score[i] > score[j] ? 1.0 : score[i] == score[j] ? 0.5 : 0.0);
    }
  }
  return good / all;
}

}  // namespace

TEST_CASE("the partial likelihood is that of its definition") {
  for (unsigned kind = 0; kind < 16; ++kind) {
    for (const Index n : {9, 23, 70}) {
      CAPTURE(kind);
      const Data d = some_data(n, kind, kind + 101);
      const Cox loss = d.loss();
      for (unsigned seed = 0; seed < 3; ++seed) {
        const Vec eta = 2.0 * check::random_matrix(n, 1, seed);
        CHECK(loss.value(eta) == doctest::Approx(value_by_hand(d, eta)).epsilon(1e-13));
      }
    }
  }
}

TEST_CASE("derivatives and curvature of the partial likelihood match finite differences") {
  for (unsigned kind = 0; kind < 16; ++kind) {
    CAPTURE(kind);
    const Index n = 19;
    const Data d = some_data(n, kind, kind);
    const Cox loss = d.loss();
    const Vec eta = check::random_matrix(n, 1, 3);
    Vec u, h, up, down, ignored;
    loss.derivatives(eta, u, h);
    CHECK(std::abs(u.sum()) <= 1e-15);
    Mat hessian = Mat::Identity(n, n);
    loss.curvature(eta, 0.0, true)->multiply(hessian);
    CHECK(hessian.isApprox(hessian.transpose(), 1e-14));
    CHECK((hessian * Vec::Ones(n)).cwiseAbs().maxCoeff() <= 1e-15);
    check::close(hessian.diagonal(), h, 1e-15);
    const double step = 1e-5;
    for (Index i = 0; i < n; ++i) {
      Vec right = eta, left = eta;
      right[i] += step;
      left[i] -= step;
      CHECK(std::abs((loss.value(right) - loss.value(left)) / (2.0 * step) + u[i]) <= 1e-9);
      loss.derivatives(right, up, ignored);
      loss.derivatives(left, down, ignored);
      check::close((down - up) / (2.0 * step), hessian.col(i), 1e-9);
      if (d.weights[i] == 0.0) {
        CHECK(u[i] == 0.0);
        CHECK(h[i] == 0.0);
      }
    }
  }
}

TEST_CASE("the dual of the partial likelihood bounds it from below, and touches it") {
  for (unsigned kind = 0; kind < 16; ++kind) {
    CAPTURE(kind);
    const Index n = 23;
    const Cox loss = some_data(n, kind, kind + 50).loss();
    for (unsigned trial = 0; trial < 50; ++trial) {
      const double spread = trial % 4 == 0 ? 50.0 : 2.0;
      const Vec eta = spread * check::random_matrix(n, 1, 100 + trial);
      const Vec other = eta + check::random_matrix(n, 1, 1000 + trial);
      Vec u, h;
      loss.derivatives(eta, u, h);
      const double size = 1.0 + std::abs(loss.value(eta)) + spread;
      CHECK(std::abs(loss.value(eta) + u.dot(eta) - loss.dual_at(eta, u, 1.0)) <= 1e-14 * size);
      for (const double scale : {0.0, 0.3, 0.9, 0.999, 1.0}) {
        const double bound = loss.dual_at(eta, u, scale);
        CHECK(std::isfinite(bound));
        for (const Vec& at : {eta, other, Vec(0.5 * eta), Vec(Vec::Zero(n))}) {
          CHECK(loss.value(at) + scale * u.dot(at) - bound >= -1e-13 * size);
        }
      }
      // What is lost by scaling is of second order.
      if (spread < 10.0) CHECK(loss.scaling_gap(eta, u, h, 1.0 - 1e-6) <= 1e-6 * loss.scaling_gap(eta, u, h, 0.0));
      CHECK(loss.dual_at(eta, u, 0.0) <= loss.saturated() + 1e-13 * size);
    }
  }
}

TEST_CASE("no linear predictor beats the saturated partial likelihood, which is approached") {
  for (unsigned kind = 0; kind < 16; ++kind) {
    CAPTURE(kind);
    const Data d = some_data(21, kind, kind + 7);
    const Cox loss = d.loss();
    Vec best(d.size());  // those with earlier events far above the others, those without far below all
    for (Index i = 0; i < d.size(); ++i) best[i] = d.survival.event[i] == 1.0 ? -60.0 * d.time[i] : -1e4;
    CHECK(loss.value(best) == doctest::Approx(loss.saturated()).epsilon(1e-12));
    for (unsigned trial = 0; trial < 50; ++trial) {
      CHECK(loss.value(best + check::random_matrix(d.size(), 1, trial)) >= loss.saturated() - 1e-13);
    }
  }
}

TEST_CASE("the partial likelihood is exact far out") {
  for (unsigned kind = 0; kind < 16; ++kind) {
    CAPTURE(kind);
    const Data d = some_data(40, kind, kind + 3);
    const Cox loss = d.loss();
    std::mt19937_64 rng(kind);
    Vec eta(d.size()), u, h;
    for (double& e : eta) e = static_cast<double>(rng() % 3) * 800.0 - 800.0;
    loss.derivatives(eta, u, h);
    CHECK(u.allFinite());
    CHECK(h.allFinite());
    CHECK(h.minCoeff() >= 0.0);
    CHECK(std::abs(u.sum()) <= 1e-15);
    CHECK(u.cwiseAbs().maxCoeff() <= 1.0);
    CHECK(loss.value(eta) <= 1600.0);
    CHECK(loss.value(eta) >= loss.saturated());
    CHECK(std::isfinite(loss.dual_at(eta, u, 0.5)));
    Mat columns = check::random_matrix(d.size(), 3, 1);
    loss.curvature(eta, 0.0, true)->multiply(columns);
    CHECK(columns.allFinite());
  }
  // Two rows at risk, the one with an event far below.
  const Cox pair((Vec(2) << 1, 2).finished(), {(Vec(2) << 1, 0).finished(), {}, {}, false}, Vec::Constant(2, 0.5), 2.0);
  CHECK(pair.value((Vec(2) << -800, 800).finished()) == doctest::Approx(800.0).epsilon(1e-15));
  // The later risk set is e^-1600 of the earlier one, and counts all the same.
  const Cox tail((Vec(3) << 1, 2, 3).finished(), {(Vec(3) << 1, 1, 0).finished(), {}, {}, false},
                 Vec::Constant(3, 1.0 / 3.0), 3.0);
  const double expected = std::log(2.0) / 3.0;
  CHECK(tail.value((Vec(3) << 800, -800, -800).finished()) == doctest::Approx(expected).epsilon(1e-12));
}

TEST_CASE("a row of weight zero is as good as absent, one of weight two as good as two with Breslow's ties") {
  for (unsigned kind = 0; kind < 8; kind += 2) {
    const Data d = some_data(24, kind, kind + 11);
    Data weighted = d, plain = d;
    std::vector<Index> rows;
    for (Index i = 0; i < d.size(); ++i) {
      weighted.weights[i] = static_cast<double>(i % 3);
      for (Index k = 0; k < i % 3; ++k) rows.push_back(i);
    }
    const auto pick = [&](const Vec& v) { return v.size() == 0 ? Vec() : Vec(v(rows)); };
    plain.time = pick(d.time);
    plain.survival = {pick(d.survival.event), pick(d.survival.start), pick(d.survival.stratum), false};
    plain.weights = Vec::Ones(plain.time.size());
    weighted.time[0] = std::numeric_limits<double>::quiet_NaN();  // of weight zero
    weighted.survival.event[0] = 7.0;
    const Vec eta = check::random_matrix(d.size(), 1, kind);
    CHECK(weighted.loss().value(eta) == doctest::Approx(plain.loss().value(pick(eta))).epsilon(1e-13));
    CHECK(weighted.loss().saturated() == doctest::Approx(plain.loss().saturated()).epsilon(1e-13));
  }
}

TEST_CASE("jumps of the baseline hazard are those of Breslow and Efron") {
  // Events at 1 (two, tied) and 3; e^eta = 1, 2, 3, 4.
  const Vec time = (Vec(4) << 1, 1, 2, 3).finished(), event = (Vec(4) << 1, 1, 0, 1).finished();
  const Vec eta = Vec((Vec(4) << 1, 2, 3, 4).finished().array().log());
  for (const bool efron : {false, true}) {
    const Cox loss(time, {event, {}, {}, efron}, Vec::Constant(4, 0.25), 4.0);
    const double first = efron ? 1.0 / 10.0 + 1.0 / (10.0 - 1.5) : 2.0 / 10.0;
    const Vec logs = (Vec(2) << std::log(first), std::log(0.25)).finished();
    CHECK(loss.log_hazards(eta).isApprox(logs, 1e-14));
    for (const double shift : {2000.0, -2000.0}) {
      CHECK(loss.log_hazards(eta.array() + shift).isApprox(Vec(logs.array() - shift), 1e-15));
    }
    CHECK(loss.risk_sets().time(1) == 3.0);
  }
}

TEST_CASE("concordance counts pairs as its definition does") {
  for (unsigned kind = 0; kind < 16; ++kind) {
    CAPTURE(kind);
    const Data d = some_data(41, kind, kind + 31);
    Vec score = check::random_matrix(d.size(), 1, kind);
    CHECK(concordance(d.time, d.survival, d.weights, score) ==
          doctest::Approx(concordance_by_hand(d, score)).epsilon(1e-12));
    for (double& s : score) s = std::round(s);
    CHECK(concordance(d.time, d.survival, d.weights, score) ==
          doctest::Approx(concordance_by_hand(d, score)).epsilon(1e-12));
  }
  const Data d = some_data(10, 0, 1);
  Survival censored = d.survival;
  censored.event.setZero();
  CHECK(std::isnan(concordance(d.time, censored, d.weights, d.time)));
}

TEST_CASE("survival times outside their domain are refused") {
  const Vec time = (Vec(3) << 1, 2, 3).finished(), event = (Vec(3) << 1, 0, 1).finished();
  const auto make = [&](const Vec& t, const Survival& s) { Cox(t, s, Vec::Constant(3, 1.0 / 3.0), 3.0); };
  CHECK_NOTHROW(make(time, {event, {}, {}, false}));
  CHECK_THROWS_WITH_AS(make(time, {Vec::Zero(3), {}, {}, false}), doctest::Contains("got censored times only"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(make(time, {(Vec(3) << 0, 0, 1).finished(), {}, {}, false}),
                       doctest::Contains("another row at risk at its time"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(make(time, {event, {}, (Vec(3) << 1, 2, 3).finished(), false}),
                       doctest::Contains("another row at risk at its time"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(make(time, {2.0 * event, {}, {}, false}), doctest::Contains("event must be 0 or 1, got 2.0"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(make(time, {event, (Vec(3) << 0, 2, 0).finished(), {}, false}),
                       "start must be less than the time, got start 2.000000 and time 2.000000 in row 1",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(make(time, {event.head(2), {}, {}, false}), "event must have one value for each row of X",
                       std::invalid_argument);
}
