#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <span>
#include <vector>

#include "certify/reference_columns.hpp"
#include "certify/reference_subspace.hpp"
#include "check_design.hpp"
#include "kernel/kernels.hpp"
#include "penalty/elastic_net.hpp"
#include "riata/kernel/isa.hpp"

using namespace riata;

namespace {

/// The side of the rows and that of the columns, as a path uses them together.
struct Reference : ReferenceColumns {
  ReferenceSubspace rows;

  void setup(const Vec& omega, const Vec& nu, const Vec& noise, const Vec& copy_error = {}) {
    ReferenceColumns::setup(nu, noise, copy_error, nu.maxCoeff());
    rows.setup(omega, copy_error.size() > 0);
  }
  const Mat& open_block(std::span<const Vec* const> residuals) {
    const Mat& sides = rows.open_block(residuals);
    forget(rows.forgotten());
    return sides;
  }
  void replace_sides(const Mat& used) { rows.replace_sides(used); }
  void store(Index j, const double* k) { ReferenceColumns::store(j, k, rows.open()); }
  double error(Index j) const { return ReferenceColumns::error(j, rows.open().replaced); }
  Vec coordinates(const Vec& rho) const { return rows.coordinates(rho); }
  Query query(const Vec& rho) const { return rows.query(rho); }
};

/// Scaled columns, weights and a reference subspace over them, fed as the path feeds it.
struct Setting {
  Setting(Mat columns, Vec weights) : X(std::move(columns)), omega(std::move(weights)) {
    Vec nu(X.cols());
    for (Index j = 0; j < X.cols(); ++j) nu[j] = norm(X.col(j));
    reference.setup(omega, nu, 2e-14 * nu);
  }

  double norm(const Vec& v) const { return std::sqrt((omega.array() * v.array().square()).sum()); }

  void read(const std::vector<Index>& columns, const std::vector<Vec>& residuals) {
    std::vector<const Vec*> pointers;
    for (const Vec& rho : residuals) pointers.push_back(&rho);
    const Mat& sides = reference.open_block(pointers);
    for (const Index j : columns) {
      const Vec k = sides.transpose() * X.col(j);
      reference.store(j, k.data());
    }
  }

  /// Checks every bound; returns the largest slack relative to |x_j| |rho|.
  double slack(const Vec& rho) const {
    const auto query = reference.query(rho);
    const Vec masked = (omega.array() > 0.0).select(rho, 0.0);
    const double size = norm(masked);
    double largest = 0.0;
    for (Index j = 0; j < X.cols(); ++j) {
      const double c = X.col(j).dot(omega.cwiseProduct(masked)), bound = reference.bound(query, j);
      if (!(bound >= std::abs(c))) CHECK_MESSAGE(bound >= std::abs(c), "column " << j);
      if (norm(X.col(j)) > 0.0 && size > 0.0) {
        largest = std::max(largest, (bound - std::abs(c)) / (norm(X.col(j)) * size));
      }
    }
    return largest;
  }

  Mat X;
  Vec omega;
  Reference reference;
};

std::vector<Index> all_of(Index p) {
  std::vector<Index> all(static_cast<std::size_t>(p));
  for (std::size_t j = 0; j < all.size(); ++j) all[j] = static_cast<Index>(j);
  return all;
}

}  // namespace

TEST_CASE("the bound is never below the inner product: random residuals, blocks and weights") {
  std::mt19937_64 rng(1);
  const Index n = 23, p = 40;
  double tightest = 1.0;
  for (unsigned trial = 0; trial < 60; ++trial) {
    Setting s(check::random_matrix(n, p, trial), check::random_weights(n, 3, trial).col(trial % 3));
    // Some columns nearly in the span of a residual, some nothing at all.
    Vec rho = check::random_matrix(n, 1, 1000 + trial);
    s.X.col(0) = rho;
    s.X.col(1) = rho + 1e-7 * s.X.col(1);
    s.X.col(2).setZero();
    s = Setting(s.X, s.omega);
    s.slack(rho);
    for (int step = 0; step < 30; ++step) {
      // A walk, like residuals down a path; now and then a jump.
      const Vec old = rho;
      const double length = std::pow(10.0, -9.0 + static_cast<double>(rng() % 10));
      rho += length * check::random_matrix(n, 1, static_cast<unsigned>(rng()));
      tightest = std::min(tightest, s.slack(rho));
      std::vector<Index> some;
      for (Index j = 0; j < p; ++j) {
        if (rng() % 2 == 0) some.push_back(j);
      }
      std::vector<Vec> residuals{rho};
      if (step % 3 > 0) residuals.push_back(old);
      if (step % 5 == 0) residuals.push_back(2.0 * rho);  // dependent
      while (residuals.size() < static_cast<std::size_t>(step % 7))
        residuals.push_back(check::random_matrix(n, 1, step));
      s.read(some, residuals);
      s.slack(rho);
      s.slack(old);
      s.slack(-1e5 * rho);
    }
  }
  CHECK(tightest < 1.0);
}

TEST_CASE("the bound is tight when the residual lies in the span") {
  const Index n = 30, p = 25;
  Setting s(check::random_matrix(n, p, 3), check::random_weights(n, 3, 3).col(2));
  const std::vector<Vec> residuals{check::random_matrix(n, 1, 4), check::random_matrix(n, 1, 5)};
  CHECK(s.slack(residuals[0]) > 0.1);  // nothing is known yet
  s.read(all_of(p), residuals);
  for (const Vec& rho : residuals) CHECK(s.slack(rho) <= 3e-6);
  const Vec mixed = residuals[0] - 0.5 * residuals[1];
  CHECK(s.slack(mixed) <= 3e-6);
  // The estimate itself has the accuracy of a float, and the coordinates that of a double.
  const auto query = s.reference.query(mixed);
  const Vec a = s.reference.coordinates(mixed);
  CHECK(a.size() == 2);
  CHECK(a.norm() == doctest::Approx(s.norm(mixed)).epsilon(1e-13));
  for (Index j = 0; j < p; ++j) {
    const double c = s.X.col(j).dot(s.omega.cwiseProduct(mixed));
    CHECK(std::abs(s.reference.estimate(query, j) - c) <= 1e-6 * s.norm(s.X.col(j)) * s.norm(mixed));
  }
  // A little outside the span costs a little.
  const Vec off = mixed + 1e-3 * check::random_matrix(n, 1, 7);
  CHECK(s.slack(off) <= 1e-2);
}

TEST_CASE("columns never read are bounded by their norm") {
  Setting s(check::random_matrix(9, 5, 8), Vec::Constant(9, 1.0 / 9.0));
  const Vec rho = check::random_matrix(9, 1, 9);
  const auto query = s.reference.query(rho);
  for (Index j = 0; j < 5; ++j) {
    CHECK(s.reference.estimate(query, j) == 0.0);
    CHECK(s.reference.bound(query, j) == doctest::Approx(s.norm(s.X.col(j)) * s.norm(rho)).epsilon(3e-6));
  }
}

TEST_CASE("the basis is orthonormal, short and leaves out what depends on the rest") {
  const Index n = 40;
  const Vec omega = check::random_weights(n, 3, 10).col(2);
  Setting s(check::random_matrix(n, 3, 10), omega);
  const Vec a = check::random_matrix(n, 1, 11), b = check::random_matrix(n, 1, 12), zero = Vec::Zero(n);
  const Vec nearly = a + 1e-6 * b, copy = -3.0 * a;
  const std::vector<const Vec*> some{&zero, &a, &copy, &nearly};
  const auto gram = [&](const Mat& weighted) {
    const Mat basis =
        (omega.array() > 0.0).replicate(1, weighted.cols()).select(weighted.array().colwise() / omega.array(), 0.0);
    return Mat(basis.transpose() * omega.asDiagonal() * basis);
  };
  const Mat two = s.reference.open_block(some);
  CHECK(two.cols() == 2);
  check::close(gram(two), Mat::Identity(2, 2), 1e-9);
  for (Index i = 0; i < n; ++i) {
    if (omega[i] == 0.0) CHECK(two.row(i).cwiseAbs().maxCoeff() == 0.0);
  }
  std::vector<Vec> many;
  std::vector<const Vec*> pointers;
  for (unsigned k = 0; k < 7; ++k) many.push_back(check::random_matrix(n, 1, 20 + k));
  for (const Vec& v : many) pointers.push_back(&v);
  const Mat full = s.reference.open_block(pointers);
  CHECK(full.cols() == kMaxBasis);
  check::close(gram(full), Mat::Identity(full.cols(), full.cols()), 1e-13);
  CHECK(s.reference.open_block(std::vector<const Vec*>{&zero}).cols() == 0);
}

TEST_CASE("old blocks are forgotten, and their columns bounded by their norm again") {
  const Index n = 12, p = 300;
  Setting s(check::random_matrix(n, p, 13), check::random_weights(n, 3, 13).col(2));
  const Vec first = check::random_matrix(n, 1, 14);
  s.read(all_of(p), {first});
  CHECK(s.slack(first) <= 3e-6);
  for (unsigned block = 0; block < 700; ++block) {
    const Vec rho = check::random_matrix(n, 1, 100 + block);
    s.read({static_cast<Index>(block) % (p - 1)}, {rho});  // the last column is never read again
    if (block % 20 == 0) {
      s.slack(rho);
      s.slack(first);
    }
  }
  const auto query = s.reference.query(first);
  CHECK(s.reference.estimate(query, p - 1) == 0.0);
  CHECK(s.reference.bound(query, p - 1) >= s.norm(s.X.col(p - 1)) * s.norm(first));
  s.slack(first);
}

TEST_CASE("the bound holds at the edges of float") {
  // Columns and residuals of very different size, in one problem and from one to the next.
  const Index n = 17, p = 30;
  for (const double column : {1e-12, 1e-6, 1.0, 1e6, 1e12}) {
    for (const double residual : {1e-12, 1.0, 1e12}) {
      CAPTURE(column);
      CAPTURE(residual);
      Mat X = column * check::random_matrix(n, p, 15);
      for (Index j = 0; j < p; ++j) X.col(j) *= std::pow(10.0, static_cast<double>(j % 7 - 3));
      X(3, 5) *= 1e9;  // one entry makes up the column
      Setting s(X, check::random_weights(n, 3, 15).col(2));
      const Vec a = residual * check::random_matrix(n, 1, 16), b = residual * check::random_matrix(n, 1, 17);
      s.slack(a);
      s.read(all_of(p), {a, b});
      CHECK(s.slack(a) <= 3e-6);
      for (const double step : {1e-16, 1e-12, 1e-8, 1e-4, 1.0}) s.slack(a + step * b - 3.0 * step * a);
      s.slack(X.col(5) * (residual / column));
      s.slack(Vec::Zero(n));
    }
  }
}

TEST_CASE("the bound allows for replaced sides and for a copy of the columns") {
  const Index n = 60, p = 50;
  for (unsigned trial = 0; trial < 20; ++trial) {
    CAPTURE(trial);
    const Mat X = check::random_matrix(n, p, trial), copy = X + 1e-3 * check::random_matrix(n, p, 100 + trial);
    Vec omega = check::random_weights(n, 3, trial).col(trial % 3);
    if (trial % 4 == 3) omega[5] = 1e6;  // one row dominates: its side rounds the others away
    omega /= omega.sum();
    const auto norm = [&](const Vec& v) { return std::sqrt((omega.array() * v.array().square()).sum()); };
    Vec nu(p), errors(p);
    for (Index j = 0; j < p; ++j) {
      nu[j] = norm(X.col(j));
      errors[j] = norm(X.col(j) - copy.col(j));
    }
    Reference reference;
    reference.setup(omega, nu, 2e-14 * nu, errors);
    const Vec a = check::random_matrix(n, 1, 200 + trial), b = a + 0.1 * check::random_matrix(n, 1, 300 + trial);
    const std::vector<const Vec*> residuals{&a, &b};
    Mat sides = reference.open_block(residuals);
    const Vec at_a = reference.coordinates(a);
    for (Index q = 0; q < sides.cols(); ++q) {
      const double step = sides.col(q).cwiseAbs().maxCoeff() / 1000.0;
      sides.col(q) = step * (sides.col(q) / step).array().round().matrix();
    }
    reference.replace_sides(sides);
    for (Index j = 0; j < p; ++j) {
      const Vec k = sides.transpose() * copy.col(j);
      reference.store(j, k.data());
      const double c = X.col(j).dot(omega.cwiseProduct(a));
      CHECK(std::abs(k.dot(at_a) - c) <= reference.error(j) * at_a.norm());
    }
    for (const double share : {0.0, 0.5, 1.0, -3.0}) {
      const Vec rho = a + share * (b - a) + 1e-4 * check::random_matrix(n, 1, 400 + trial);
      const auto query = reference.query(rho);
      for (Index j = 0; j < p; ++j) {
        const double c = std::abs(X.col(j).dot(omega.cwiseProduct(rho))), bound = reference.bound(query, j);
        CHECK(bound >= c);
        if (trial % 4 != 3) CHECK(bound <= c + 0.05 * nu[j] * norm(rho) + 0.2 * errors[j] * norm(rho) / 1e-3);
      }
    }
  }
}

TEST_CASE("columns are decided by their bounds, alike for every instruction set") {
  const Index n = 25, p = 500;
  Setting s(check::random_matrix(n, p, 31), check::random_weights(n, 3, 31).col(1));
  std::mt19937_64 rng(5);
  for (unsigned block = 0; block < 50; ++block) {
    std::vector<Index> some;
    for (Index j = 0; j < p; ++j) {
      if (rng() % 5 == 0) some.push_back(j);
    }
    s.read(some, {check::random_matrix(n, 1, 40 + block), check::random_matrix(n, 1, 90 + block)});
  }
  for (Index j = 0; j < p; ++j) {
    if (j % 7 != 0) s.reference.set_limit(j, 1.0 + static_cast<double>(j % 3));
  }
  s.reference.clear_limit(4);
  const Vec rho = check::random_matrix(n, 1, 88);
  const auto query = s.reference.query(rho);
  const double threshold = 0.6 * s.norm(rho), promising = 0.05 * s.norm(rho);
  for (const char* isa : {"baseline", "avx2", "avx512"}) {
    if (!has_isa(isa)) continue;
    CAPTURE(isa);
    set_isa(isa);
    std::vector<std::uint8_t> flags(static_cast<std::size_t>(p - 3));
    s.reference.decide(query, threshold, promising, 3, flags);
    Index undecided = 0, likely = 0;
    for (Index j = 3; j < p; ++j) {
      const std::uint8_t flag = flags[static_cast<std::size_t>(j - 3)];
      CAPTURE(j);
      if (j % 7 == 0 || j == 4) {
        CHECK(flag == 0);
        continue;
      }
      const double limit = 1.0 + static_cast<double>(j % 3);
      if (flag != kUndecided) CHECK(s.reference.bound(query, j) <= threshold * limit * (1.0 + 1e-6));
      if (flag == kUndecided) {
        CHECK(s.reference.bound(query, j) >= threshold * limit * (1.0 - 4e-6));
        ++undecided;
      } else if (flag == kPromising) {
        CHECK(std::abs(s.reference.estimate(query, j)) >= promising * limit * (1.0 - 1e-5));
        ++likely;
      }
    }
    CHECK(undecided > 20);
    CHECK(likely > 20);
    s.reference.decide(query, -1.0, kInfinity, 3, flags);  // everything with a limit
    CHECK(std::count(flags.begin(), flags.end(), kUndecided) == p - 3 - 71 - 1);
  }
  set_isa("auto");
}

TEST_CASE("squares of bounds and estimates add up over several residuals, as bound() and estimate() give them") {
  const Index n = 30, p = 200, K = 3, first = 7;
  Setting s(check::random_matrix(n, p, 41), check::random_weights(n, 3, 41).col(2));
  std::vector<Reference> outputs(static_cast<std::size_t>(K));
  std::vector<ReferenceSubspace::Query> queries;
  Vec nu(p);
  for (Index j = 0; j < p; ++j) nu[j] = s.norm(s.X.col(j));
  Vec bounds = Vec::Zero(p - first), estimates = bounds, truth = bounds, want_bounds = bounds, want_estimates = bounds;
  double size = 0.0;
  for (Index k = 0; k < K; ++k) {
    Reference& mine = outputs[static_cast<std::size_t>(k)];
    mine.setup(s.omega, nu, 2e-14 * nu);
    const unsigned seed = 50 + static_cast<unsigned>(k);
    const Vec a = check::random_matrix(n, 1, seed), b = check::random_matrix(n, 1, seed + 10);
    const Mat sides = mine.open_block(std::vector<const Vec*>{&a, &b});
    for (Index j = 0; j < p; j += k + 1) {  // not all of them read, nor the same ones
      const Vec coordinates = sides.transpose() * s.X.col(j);
      mine.store(j, coordinates.data());
    }
    const Vec rho = std::pow(10.0, 3.0 * static_cast<double>(k) - 3.0) * (a - 0.3 * b) +
                    1e-3 * check::random_matrix(n, 1, seed + 20);
    const auto query = mine.query(rho);
    mine.add_squares(query, first, 1.0, bounds, estimates);
    size += std::pow(s.norm(rho), 2);
    for (Index i = 0; i < p - first; ++i) {
      const Index j = first + i;
      want_bounds[i] += std::pow(mine.bound(query, j), 2);
      want_estimates[i] += std::pow(mine.estimate(query, j), 2);
      truth[i] += std::pow(s.X.col(j).dot(s.omega.cwiseProduct(rho)), 2);
    }
  }
  for (Index i = 0; i < p - first; ++i) {
    CAPTURE(i);
    CHECK(bounds[i] >= truth[i]);
    CHECK(bounds[i] == doctest::Approx(want_bounds[i]).epsilon(3e-6));
    CHECK(std::abs(estimates[i] - want_estimates[i]) <= 1e-6 * size * std::pow(nu[first + i], 2));
    CHECK(estimates[i] <= bounds[i]);
  }
}

TEST_CASE("the limit of a column is what was set, rounded down; none is negative") {
  Setting s(check::random_matrix(9, 3, 42), Vec::Constant(9, 1.0 / 9.0));
  CHECK(s.reference.limit(1) < 0.0);
  s.reference.set_limit(1, 0.1);
  CHECK(s.reference.limit(1) <= 0.1);
  CHECK(s.reference.limit(1) == doctest::Approx(0.1).epsilon(1e-6));
  s.reference.clear_limit(1);
  CHECK(s.reference.limit(1) < 0.0);
}

TEST_CASE("a block that is taken back leaves everything as it was") {
  const Index n = 40, p = 30;
  Setting s(check::random_matrix(n, p, 71), check::random_weights(n, 3, 71).col(2));
  std::vector<Index> all(static_cast<std::size_t>(p));
  for (Index j = 0; j < p; ++j) all[static_cast<std::size_t>(j)] = j;
  const Vec a = check::random_matrix(n, 1, 72), b = check::random_matrix(n, 1, 73), c = check::random_matrix(n, 1, 74);
  const Vec rho = a - 0.2 * b + 0.1 * c;
  s.read(all, {a, b});
  const auto before = s.reference.query(rho);
  s.reference.open_block(std::vector<const Vec*>{&c, &b});  // one residual is known, one is not
  CHECK(s.reference.query(rho).unit.rest[2] < 1.0F);
  s.reference.rows.withdraw_block();
  const auto after = s.reference.query(rho);
  for (Index j = 0; j < p; ++j) CHECK(s.reference.bound(after, j) == s.reference.bound(before, j));
  CHECK(after.unit.rest[2] == before.unit.rest[2]);
  CHECK_FALSE(s.reference.rows.full());
  s.read(all, {c, b});
  Setting straight(s.X, s.omega);
  straight.read(all, {a, b});
  straight.read(all, {c, b});
  const auto found = s.reference.query(rho), expected = straight.reference.query(rho);
  for (Index j = 0; j < p; ++j) CHECK(s.reference.bound(found, j) == straight.reference.bound(expected, j));
}
