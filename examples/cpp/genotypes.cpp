// genotypes PREFIX: a lasso path on PLINK's PREFIX.bed, .bim and .fam, for a trait simulated from ten of the variants.

#include <cstdio>
#include <exception>
#include <random>
#include <string_view>
#include <vector>

#include "riata/design/bfile.hpp"
#include "riata/eigen.hpp"

namespace {

void run(const char* prefix) {
  const riata::Bfile study = riata::open_bfile(prefix);
  const riata::PlinkDesign& X = *study.genotypes;
  std::vector<riata::Index> causal;
  for (riata::Index k = 0; k < 10; ++k) causal.push_back(k * X.cols() / 10);
  Eigen::MatrixXd y(X.rows(), 1);
  X.multiply(causal, Eigen::MatrixXd::Ones(10, 1), y, 1);
  std::mt19937_64 rng(3);
  std::normal_distribution<double> normal;
  y += 0.5 * Eigen::MatrixXd::NullaryExpr(y.rows(), 1, [&] { return normal(rng); });

  riata::PathOptions options;
  options.n_alphas = 20;
  options.eps = 0.2;
  const riata::PathResult path = riata::fit_path(X, {y.col(0)}, options);
  const std::size_t last = path.alphas.size() - 1;
  std::printf("%td samples, %td variants, %.1f passes; at alpha = %.4f, gap %.1e:\n", X.rows(), X.cols(),
              path.counters.passes, path.alphas[last], path.dual_gaps[last]);
  const Eigen::SparseVector<double> coef = path.coef(last);
  const riata::Texts names = study.variant.view(), alleles = study.a1.view();
  for (Eigen::SparseVector<double>::InnerIterator entry(coef); entry; ++entry) {
    const std::string_view name = names[entry.index()], allele = alleles[entry.index()];
    std::printf("%.*s %.*s %.3f\n", static_cast<int>(name.size()), name.data(), static_cast<int>(allele.size()),
                allele.data(), entry.value());
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: genotypes PREFIX\n");
    return 2;
  }
  try {
    run(arguments[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "genotypes: %s\n", error.what());
    return 1;
  }
}
