#include <doctest/doctest.h>

#include <random>
#include <stdexcept>

#include "path/tridiagonal_form.hpp"

using namespace riata;

namespace {

Mat symmetric(Index n) {
  std::mt19937 rng(7);
  std::normal_distribution<double> normal;
  Mat A(n, n);
  for (double& v : A.reshaped()) v = normal(rng);
  return A + A.transpose().eval();
}

}  // namespace

TEST_CASE("Q T Q' is the matrix, and Q orthogonal") {
  for (const Index n : {1, 2, 3, 40}) {
    const Mat A = symmetric(n);
    const TridiagonalForm form(A, {});
    Mat T = form.diagonal().asDiagonal();
    const Vec beside = form.beside();
    for (Index i = 0; i + 1 < n; ++i) T(i, i + 1) = T(i + 1, i) = beside[i];
    const Mat Q = form.q() * Mat::Identity(n, n);
    CHECK((Q * T * Q.transpose() - A).norm() <= 1e-13 * A.norm());
    CHECK((Q.transpose() * Q - Mat::Identity(n, n)).norm() <= 1e-13 * static_cast<double>(n));
  }
}

TEST_CASE("It can be stopped at every column") {
  int polls = 0;
  const auto poll = [&polls] {
    if (++polls == 17) throw std::runtime_error("stop");
  };
  CHECK_THROWS_WITH_AS(TridiagonalForm(symmetric(40), poll), "stop", std::runtime_error);
  CHECK(polls == 17);
}
