#include <doctest/doctest.h>

#include <Eigen/Cholesky>
#include <algorithm>
#include <random>
#include <vector>

#include "check_design.hpp"
#include "solver/gram_factor.hpp"

using namespace riata;

namespace {

/// A factor beside the list of features it should hold, all with Gram matrix `gram`.
struct Mirror {
  Mirror(Mat g, bool keep_gram) : gram(std::move(g)), factor(keep_gram) {}

  std::vector<Index> append(const std::vector<Index>& features, double l2) {
    const std::vector<double> more(features.size(), l2);
    const auto accepted = factor.append(gram(held, features), gram(features, features), more);
    for (const Index r : accepted) {
      held.push_back(features[static_cast<std::size_t>(r)]);
      ridge.push_back(l2);
    }
    return accepted;
  }

  void remove(Index i) {
    factor.remove(i);
    held.erase(held.begin() + i);
    ridge.erase(ridge.begin() + i);
  }

  Mat system() const {
    Mat a = gram(held, held);
    a.diagonal() += Eigen::Map<const Vec>(ridge.data(), static_cast<Index>(ridge.size()));
    return a;
  }

  /// Relative residual of a solve.
  double residual() const {
    const Vec rhs = check::random_matrix(factor.size(), 1, 5);
    Vec x = rhs;
    factor.solve(x);
    return (system() * x - rhs).norm() / rhs.norm();
  }

  Mat gram;
  GramFactor factor;
  std::vector<Index> held;
  std::vector<double> ridge;
};

Mat random_gram(Index features, Index rows, unsigned seed) {
  const Mat x = check::random_matrix(rows, features, seed);
  return x.transpose() * x / static_cast<double>(rows);
}

}  // namespace

TEST_CASE("5,000 random arrivals and departures leave a factor as good as a fresh one") {
  constexpr Index features = 220, most = 200;
  for (const bool keep_gram : {true, false}) {
    Mirror mirror(random_gram(features, 400, 1), keep_gram);
    std::mt19937_64 rng(2);
    std::vector<Index> outside(features);
    for (Index j = 0; j < features; ++j) outside[static_cast<std::size_t>(j)] = j;
    Index largest = 0;
    // The factor fills up slowly and drains again, so that every size is seen.
    for (int step = 0; step < 5000; ++step) {
      const Index size = mirror.factor.size(), target = (step / 50) % 4 < 2 ? step % 1250 / 6 : 20;
      if (size < std::min(target, most)) {
        std::vector<Index> arriving;
        for (std::size_t k = rng() % 5; k <= 4 && outside.size() > 20; ++k) {
          const std::size_t at = rng() % outside.size();
          arriving.push_back(outside[at]);
          outside.erase(outside.begin() + static_cast<Index>(at));
        }
        const auto accepted = mirror.append(arriving, 0.01 * static_cast<double>(rng() % 2));
        REQUIRE(accepted.size() == arriving.size());
      } else if (size > 0) {
        const Index i = static_cast<Index>(rng() % static_cast<std::size_t>(size));
        outside.push_back(mirror.held[static_cast<std::size_t>(i)]);
        mirror.remove(i);
      }
      largest = std::max(largest, mirror.factor.size());
      if (step % 25 == 0 && mirror.factor.size() > 0) REQUIRE(mirror.residual() <= 1e-10);
      if (step % 1000 == 999 && mirror.factor.size() > 0) {
        GramFactor fresh(false);
        const Mat block = mirror.gram(mirror.held, mirror.held);
        REQUIRE(static_cast<Index>(fresh.append(Mat(0, block.cols()), block, mirror.ridge).size()) == block.cols());
        Vec x = check::random_matrix(block.cols(), 1, 3), y = x;
        mirror.factor.solve(x);
        fresh.solve(y);
        CHECK((x - y).norm() <= 1e-10 * y.norm());
      }
    }
    CHECK(largest >= 190);
    CHECK(mirror.factor.updates() >= 5000);
  }
}

TEST_CASE("large blocks enter together") {
  Mirror mirror(random_gram(150, 300, 3), false);
  std::vector<Index> first(33), second(100);
  for (std::size_t k = 0; k < first.size(); ++k) first[k] = static_cast<Index>(k);
  for (std::size_t k = 0; k < second.size(); ++k) second[k] = static_cast<Index>(k) + 40;
  CHECK(mirror.append({}, 0.0).empty());
  mirror.append(first, 0.0);
  mirror.append(second, 0.5);
  CHECK(mirror.factor.size() == 133);
  CHECK(mirror.residual() <= 1e-12);
}

TEST_CASE("collinear features are left out and do no harm") {
  Mat x = check::random_matrix(50, 12, 4);
  x.col(3) = x.col(1);                        // a copy
  x.col(5) = -2.0 * x.col(0);                 // a multiple
  x.col(8) = x.col(2) + x.col(4) - x.col(6);  // a combination
  x.col(9).setZero();                         // nothing at all
  x.col(11) = x.col(10) + 1e-8 * x.col(7);    // nearly a copy: below the threshold
  const Mat gram = x.transpose() * x;
  Mirror mirror(gram, true);
  CHECK(mirror.append({1, 3, 0, 2}, 0.0) == std::vector<Index>{0, 2, 3});  // within a block
  CHECK(mirror.append({3, 5, 4, 6}, 0.0) == std::vector<Index>{2, 3});     // against those before it
  CHECK(mirror.append({9, 8, 10, 11}, 0.0) == std::vector<Index>{2});
  CHECK(mirror.held == std::vector<Index>{1, 0, 2, 4, 6, 10});
  CHECK(mirror.residual() <= 1e-12);
  CHECK(mirror.append({8}, 0.1) == std::vector<Index>{0});  // a ridge makes room
  CHECK(mirror.residual() <= 1e-12);
  mirror.remove(6);
  mirror.remove(2);  // without feature 2, feature 8 is independent
  CHECK(mirror.append({8}, 0.0) == std::vector<Index>{0});
  CHECK(mirror.append({2}, 0.0).empty());
  CHECK(mirror.residual() <= 1e-12);
}

TEST_CASE("collinear features are left out of large blocks too") {
  Mat x = check::random_matrix(100, 90, 6);
  for (Index j = 0; j < 90; j += 3) x.col(j) = x.col((j + 31) % 90 / 3 * 3 + 1);
  Mirror mirror(x.transpose() * x, false);
  std::vector<Index> all(90);
  for (std::size_t j = 0; j < all.size(); ++j) all[j] = static_cast<Index>(j);
  const auto accepted = mirror.append(all, 0.0);
  CHECK(mirror.factor.size() == 60);
  CHECK(accepted.size() == 60);
  CHECK(mirror.residual() <= 1e-10);
}

TEST_CASE("the ridge can change where the Gram matrix is kept") {
  Mirror mirror(random_gram(80, 200, 7), true);
  std::vector<Index> all(80);
  for (std::size_t j = 0; j < all.size(); ++j) all[j] = static_cast<Index>(j);
  mirror.append(all, 0.5);
  for (const Index i : {70, 3, 0, 40}) mirror.remove(i);
  const Index updates = mirror.factor.updates();
  CHECK(mirror.factor.set_ridge(mirror.ridge));  // the same: nothing to do
  CHECK(mirror.factor.updates() == updates);
  for (std::size_t i = 0; i < mirror.ridge.size(); ++i) mirror.ridge[i] = 0.01 * static_cast<double>(i);
  CHECK(mirror.factor.set_ridge(mirror.ridge));
  CHECK(mirror.factor.updates() == 0);
  CHECK(mirror.residual() <= 1e-12);
  mirror.remove(10);
  CHECK(mirror.factor.refactor());
  CHECK(mirror.factor.size() == 75);
  CHECK(mirror.residual() <= 1e-12);
}

TEST_CASE("a ridge that goes away can leave a factor without a pivot") {
  Mat x = check::random_matrix(30, 4, 8);
  x.col(2) = x.col(0);
  Mirror mirror(x.transpose() * x, true);
  CHECK(mirror.append({0, 1, 2, 3}, 1.0).size() == 4);
  CHECK_FALSE(mirror.factor.set_ridge(std::vector<double>(4, 0.0)));
  mirror.factor.clear();
  mirror.held.clear();
  mirror.ridge.clear();
  CHECK(mirror.append({0, 1, 2, 3}, 0.0) == std::vector<Index>{0, 1, 3});
  CHECK(mirror.residual() <= 1e-12);
}

TEST_CASE("without the Gram matrix a factor must be built again") {
  Mirror mirror(random_gram(10, 40, 9), false);
  mirror.append({0, 1, 2}, 0.25);
  CHECK(mirror.factor.set_ridge(mirror.ridge));
  CHECK_FALSE(mirror.factor.refactor());
  CHECK_FALSE(mirror.factor.set_ridge(std::vector<double>(3, 0.5)));
}

TEST_CASE("an empty factor solves nothing") {
  GramFactor factor(true);
  Vec nothing(0);
  factor.solve(nothing);
  CHECK(factor.size() == 0);
  CHECK(factor.set_ridge({}));
}
