// Fits a lasso path on an Eigen matrix and prints the certified gap at a few alphas.

#include <cstdio>
#include <exception>
#include <random>

#include "riata/api.hpp"
#include "riata/design/dense.hpp"

namespace {

struct Data {
  riata::Mat X;
  riata::Vec y;
};

/// Standard normal columns; the response follows the first three of them, plus noise.
Data simulate(riata::Index n, riata::Index p) {
  std::mt19937_64 rng(1);
  std::normal_distribution<double> normal;
  Data data;
  data.X = riata::Mat::NullaryExpr(n, p, [&] { return normal(rng); });
  data.y = 3.0 * data.X.col(0) - 2.0 * data.X.col(1) + data.X.col(2);
  data.y += riata::Vec::NullaryExpr(n, [&] { return normal(rng); });
  return data;
}

void run() {
  const Data data = simulate(100, 2000);
  const auto X = riata::dense_design(data.X.data(), data.X.rows(), data.X.cols(), 1, data.X.outerStride());

  riata::PathOptions options;
  options.n_alphas = 50;
  options.tol = 1e-8;
  const riata::Problem problem{data.y, riata::Vec::Ones(data.y.size()), {}};
  const riata::PathResult path = riata::fit_paths(*X, {problem}, {}, options).front();

  std::printf("%10s %9s %12s %10s\n", "alpha", "features", "R squared", "gap");
  for (std::size_t k = 0; k < path.alphas.size(); k += 7) {
    std::printf("%10.4f %9td %12.4f %10.1e\n", path.alphas[k], path.n_active[k], path.deviance_ratio[k],
                path.dual_gaps[k]);
  }
  std::printf("%zu alphas in %.1f passes over X\n", path.alphas.size(), path.counters.passes);
}

}  // namespace

int main() {
  try {
    run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fit_path: %s\n", error.what());
    return 1;
  }
}
