#include "solver/cluster_face.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace riata;

namespace {

Mat random_matrix(Index rows, Index cols, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal;
  return Mat::NullaryExpr(rows, cols, [&] { return normal(engine); });
}

Clusters clusters_of(const Sorted& penalty, const Vec& b) {
  Clusters out;
  find_clusters(penalty, b, out);
  return out;
}

/// |y - X b|^2 / 2 plus a sorted norm.
struct Problem {
  Mat X;
  Vec y, weights;

  Sorted penalty(Index free = 0) const { return {SortedL1(weights), free, X.cols()}; }
  double objective(const Vec& b, Index free = 0) const {
    return 0.5 * (y - X * b).squaredNorm() + SortedL1(weights).value(b.tail(b.size() - free));
  }
  ClusterFace face(const Vec& b, Index free = 0) const {
    const Clusters clusters = clusters_of(penalty(free), b);
    Mat U = Mat::Zero(b.size(), static_cast<Index>(clusters.size()));
    for (std::size_t r = 0; r < clusters.size(); ++r) {
      for (std::size_t i = clusters.begin(r); i < clusters.end(r); ++i) {
        U(clusters.entries[i], static_cast<Index>(r)) = clusters.signs[i];
      }
    }
    const Mat Z = X * U;
    ClusterFace out;
    out.begin(clusters, Z.transpose() * Z, X.transpose() * (y - X * b));
    return out;
  }
};

/// Steps until the last one; the objective never rises. Returns how many.
int descend(const Problem& problem, ClusterFace& face, Vec& b, Index free = 0) {
  for (int steps = 1;; ++steps) {
    const bool last = face.step();
    Vec next(b.size());
    face.coefficients(next);
    CHECK(problem.objective(next, free) <= problem.objective(b, free) + 1e-12 * problem.objective(b, free));
    b = next;
    if (last) return steps;
  }
}

/// Sums over clusters of the gradient less the weights, which vanish in the minimum over the sizes.
double pull(const Problem& problem, const Vec& b, Index free = 0) {
  const Vec c = problem.X.transpose() * (problem.y - problem.X * b);
  double worst = 0.0;
  const Clusters clusters = clusters_of(problem.penalty(free), b);
  for (std::size_t r = 0; r < clusters.size(); ++r) {
    double sum = -clusters.all[r].weight;
    for (std::size_t i = clusters.begin(r); i < clusters.end(r); ++i) sum += clusters.signs[i] * c[clusters.entries[i]];
    worst = std::max(worst, std::abs(sum));
  }
  return worst;
}

}  // namespace

TEST_CASE("clusters are coefficients of one size, the largest first") {
  const Sorted penalty{SortedL1(Vec{{5.0, 4.0, 3.0, 2.0, 1.0}}), 1, 6};
  const auto clusters = clusters_of(penalty, Vec{{-7.0, 2.0, 0.0, -3.0, -2.0, 0.5}});
  REQUIRE(clusters.size() == 4);
  CHECK(clusters.all[0].free);
  CHECK(clusters.all[0].size == -7.0);
  CHECK(clusters.entries == std::vector<Index>{0, 3, 1, 4, 5});
  CHECK(clusters.signs == std::vector<double>{1.0, -1.0, 1.0, -1.0, 1.0});
  CHECK(clusters.begin(1) == 1);
  CHECK(clusters.all[1].weight == 5.0);
  CHECK(clusters.begin(2) == 2);
  CHECK(clusters.all[2].weight == 4.0 + 3.0);
  CHECK(clusters.begin(3) == 4);
  CHECK(clusters.end(3) == 5);
  CHECK(clusters.all[3].size == 0.5);
  CHECK(clusters.all[3].weight == 2.0);
}

TEST_CASE("steps end in the minimum over the sizes of clusters that are left") {
  for (unsigned seed = 0; seed < 40; ++seed) {
    const Index free = seed % 3;
    Problem problem{random_matrix(12, 9, seed), random_matrix(12, 1, seed + 100), Vec::LinSpaced(9, 2.0, 0.5)};
    problem.y *= 5.0;
    Vec b = random_matrix(9, 1, seed + 200);
    if (seed % 2 == 1) b.tail(4).setConstant(0.25);
    ClusterFace face = problem.face(b, free);
    CHECK(descend(problem, face, b, free) <= 10);
    CHECK(pull(problem, b, free) < 1e-7);
  }
}

TEST_CASE("more clusters than columns are independent: sizes go on until enough of them meet") {
  for (unsigned seed = 0; seed < 40; ++seed) {
    Problem problem{random_matrix(4, 9, seed), random_matrix(4, 1, seed + 100), Vec::LinSpaced(9, 0.2, 0.1)};
    if (seed % 2 == 1) problem.X.rightCols(4) = -problem.X.leftCols(4);  // columns of which some sums are zero
    Vec b = random_matrix(9, 1, seed + 200);
    ClusterFace face = problem.face(b);
    CHECK(descend(problem, face, b) <= 30);
    ClusterFace again = problem.face(b);
    descend(problem, again, b);
    CHECK(pull(problem, b) < 1e-6);
    CHECK(clusters_of(problem.penalty(), b).size() <= 5);
  }
}
