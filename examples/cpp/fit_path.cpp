// Fits a lasso path on an Eigen matrix, prints the certified gap at a few alphas, and predicts.

#include <cstdio>
#include <exception>
#include <random>

#include "riata/eigen.hpp"

namespace {

struct Data {
  Eigen::MatrixXd X;
  Eigen::VectorXd y;
};

/// Standard normal columns; the response follows the first three of them, plus noise.
Data simulate(Eigen::Index n, Eigen::Index p) {
  std::mt19937_64 rng(1);
  std::normal_distribution<double> normal;
  Data data;
  data.X = Eigen::MatrixXd::NullaryExpr(n, p, [&] { return normal(rng); });
  data.y = 3.0 * data.X.col(0) - 2.0 * data.X.col(1) + data.X.col(2);
  data.y += Eigen::VectorXd::NullaryExpr(n, [&] { return normal(rng); });
  return data;
}

void run() {
  const Data data = simulate(100, 2000);

  riata::PathOptions options;
  options.n_alphas = 50;
  options.tol = 1e-8;
  const riata::PathResult path = riata::fit_path(data.X, {data.y}, options);

  std::printf("%10s %9s %12s %10s\n", "alpha", "features", "R squared", "gap");
  for (std::size_t k = 0; k < path.alphas.size(); k += 7) {
    std::printf("%10.4f %9td %12.4f %10.1e\n", path.alphas[k], path.n_active[k], path.deviance_ratio[k],
                path.dual_gaps[k]);
  }
  std::printf("%zu alphas in %.1f passes over X\n", path.alphas.size(), path.counters.passes);

  constexpr std::size_t kShown = 14;
  const Eigen::SparseVector<double> coef = path.coef(kShown);
  std::printf("at alpha = %.4f:", path.alphas[kShown]);
  for (Eigen::SparseVector<double>::InnerIterator entry(coef); entry; ++entry) {
    std::printf(" b[%d] = %.3f", entry.index(), entry.value());
  }
  const double error = (riata::predict(data.X, path, kShown) - data.y).norm() / data.y.norm();
  std::printf(", relative error %.3f\n", error);
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
