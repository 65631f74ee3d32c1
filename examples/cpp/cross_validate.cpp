// Cross-validates a logistic lasso on a sparse matrix of Eigen's.

#include <cmath>
#include <cstdio>
#include <exception>
#include <random>
#include <utility>
#include <vector>

#include "riata/cross_validation.hpp"

namespace {

struct Data {
  Eigen::SparseMatrix<double> X;
  Eigen::VectorXd y;
};

/// Words in documents, a twentieth of all possible; ten of the words decide the class.
Data simulate(Eigen::Index documents, Eigen::Index words) {
  std::mt19937_64 rng(2);
  std::uniform_real_distribution<double> uniform;
  std::vector<Eigen::Triplet<double>> counts;
  Eigen::VectorXd score = Eigen::VectorXd::Zero(documents);
  for (int i = 0; i < documents; ++i) {
    for (int j = 0; j < words; ++j) {
      if (uniform(rng) > 0.05) continue;
      counts.emplace_back(i, j, 1.0 + (uniform(rng) < 0.3 ? 1.0 : 0.0));
      if (j < 10) score[i] += j % 2 == 0 ? 3.0 : -3.0;
    }
  }
  Data data{Eigen::SparseMatrix<double>(documents, words), Eigen::VectorXd(documents)};
  data.X.setFromTriplets(counts.begin(), counts.end());
  for (int i = 0; i < documents; ++i) data.y[i] = uniform(rng) < 1.0 / (1.0 + std::exp(-score[i])) ? 1.0 : 0.0;
  return data;
}

void run() {
  const Data data = simulate(600, 3000);
  riata::PathOptions options;
  options.loss = "binomial";
  options.n_alphas = 40;
  options.eps = 0.1;
  const auto fold = riata::deal_folds(data.X.rows(), 5);
  const riata::CvResult cv = riata::cv_paths(data.X, {{data.y}}, fold, options).front();
  for (const auto& [name, k] : {std::pair{"best", cv.best}, std::pair{"one standard error", cv.one_se}}) {
    const auto at = static_cast<Eigen::Index>(k);
    std::printf("%-18s alpha %.4f: held-out loss %.4f (%.4f), %td words\n", name, cv.path.alphas[k], cv.mean[at],
                cv.error[at], cv.path.coef(k).nonZeros());
  }
}

}  // namespace

int main() {
  try {
    run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cross_validate: %s\n", error.what());
    return 1;
  }
}
