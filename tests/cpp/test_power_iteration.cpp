#include <doctest/doctest.h>

#include <Eigen/QR>

#include "check_design.hpp"
#include "solver/power_iteration.hpp"

using namespace riata;

namespace {

double euclidean(const Vec& v) {
  return v.norm();
}

}  // namespace

TEST_CASE("the largest eigenvalue, and a twentieth more") {
  const Mat basis = Eigen::HouseholderQR<Mat>(check::random_matrix(6, 6, 3)).householderQ();
  Vec values(6);
  values << 5.0, 2.0, 1.0, 0.5, 0.1, 0.0;
  const Mat a = basis * values.asDiagonal() * basis.transpose();
  CHECK(largest_eigenvalue(6, [&](const Vec& v) { return Vec(a * v); }, euclidean) == doctest::Approx(1.05 * 5.0));

  // diag(d)^-1 A is symmetric in the inner product of d
  const Vec d = (Vec(6) << 1.0, 4.0, 0.25, 9.0, 2.0, 1.0).finished();
  const Mat scaled = d.asDiagonal() * a;  // so that its product with the inverse is A again
  const double same =
      largest_eigenvalue(6, [&](const Vec& v) { return Vec((scaled * v).cwiseQuotient(d)); }, euclidean);
  CHECK(same == doctest::Approx(1.05 * 5.0));
}

TEST_CASE("an operator that is zero has no positive eigenvalue") {
  CHECK(largest_eigenvalue(4, [](const Vec& v) { return Vec(0.0 * v); }, euclidean) == 0.0);
}

TEST_CASE("equal eigenvalues are found from any start") {
  CHECK(largest_eigenvalue(5, [](const Vec& v) { return Vec(3.0 * v); }, euclidean) == doctest::Approx(3.15));
}
