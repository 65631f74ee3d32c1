#include <doctest/doctest.h>

#include <stdexcept>
#include <vector>

#include "check_design.hpp"
#include "riata/design/dense.hpp"
#include "riata/eigen.hpp"

using namespace riata;

namespace {

struct Data {
  Mat X = check::random_matrix(60, 90, 1);
  Vec y = 2.0 * X.col(3) - X.col(40) + 0.3 * check::random_matrix(60, 1, 2);
  PathOptions options;
  Data() {
    X = (X.array().abs() > 1.0).select(X, 0.0).eval();
    options.n_alphas = 15;
    options.eps = 0.05;
    options.tol = 1e-10;
  }
};

}  // namespace

TEST_CASE("Eigen's matrices and the designs that view them give the same bits") {
  const Data data;
  const auto design = dense_design(data.X.data(), 60, 90, 1, 60);
  const PathResult path = fit_path(data.X, {data.y}, data.options);
  CHECK(path.coef_values == fit_path(*design, {data.y}, data.options).coef_values);
  CHECK(path.coef_values == fit_paths(data.X, {{data.y}}, {}, data.options).front().coef_values);
  REQUIRE(path.alphas.size() == 15);

  const SparseMat sparse = data.X.sparseView();
  const PathResult same = fit_path(sparse, {data.y}, data.options);
  for (std::size_t k = 0; k < path.alphas.size(); ++k) {
    CHECK(Vec(path.coef(k) - same.coef(k)).cwiseAbs().maxCoeff() < 1e-5);
  }
}

TEST_CASE("a sparse matrix must be compressed") {
  SparseMat X(4, 3);
  X.reserve(Eigen::VectorXi::Constant(3, 2));
  X.insert(1, 1) = 1.0;
  CHECK_THROWS_WITH_AS(fit_path(X, {Vec::Ones(4)}), "X must be a compressed sparse matrix: call X.makeCompressed()",
                       std::invalid_argument);
}

TEST_CASE("no weights are weights of one") {
  const Data data;
  const PathResult bare = fit_path(data.X, {data.y}, data.options);
  CHECK(bare.coef_values == fit_path(data.X, {data.y, Vec::Ones(60)}, data.options).coef_values);
  CHECK(bare.coef_values != fit_path(data.X, {data.y, Vec::LinSpaced(60, 1.0, 2.0)}, data.options).coef_values);
  CHECK_THROWS_WITH_AS(fit_path(data.X, {data.y, Vec::Ones(7)}), "weights must have one value for each row of X",
                       std::invalid_argument);
}

TEST_CASE("coefficients and predictions are those of the stored parts") {
  const Data data;
  PathOptions options = data.options;
  options.loss = "multigaussian";
  Vec y(180);
  y << data.y, -data.y, data.X.col(7) + 0.1 * data.y;
  const PathResult path = fit_path(data.X, {y}, options);
  REQUIRE(path.outputs == 3);
  const std::size_t last = path.alphas.size() - 1;
  Mat coef = Mat::Zero(90, 3);
  for (Index e = path.coef_indptr[last]; e < path.coef_indptr[last + 1]; ++e) {
    const Index place = path.coef_indices[static_cast<std::size_t>(e)];
    coef(place / 3, place % 3) = path.coef_values[static_cast<std::size_t>(e)];
  }
  Mat expected = data.X * coef;
  for (Index k = 0; k < 3; ++k) {
    CHECK(Vec(path.coef(last, k)) == coef.col(k));
    expected.col(k).array() += path.intercepts[last * 3 + static_cast<std::size_t>(k)];
  }
  check::close(predict(data.X, path, last), expected, 1e-12);
  check::close(predict(SparseMat(data.X.sparseView()), path, last), expected, 1e-12);
  check::close(predict(data.X, path, 0).rowwise() - predict(data.X, path, 0).row(0), Mat::Zero(60, 3), 1e-9);

  CHECK_THROWS_WITH_AS(path.coef(15), "k must be below the number of alphas, 15, got 15", std::invalid_argument);
  CHECK_THROWS_WITH_AS(path.coef(0, 3), "output must lie in [0, 3), got 3", std::invalid_argument);
  CHECK_THROWS_WITH_AS(predict(Mat(data.X.leftCols(89)), path, 0), "X must have the 90 columns of the fit, got 89",
                       std::invalid_argument);
}
