#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "check_design.hpp"
#include "riata/api.hpp"
#include "riata/design/csc.hpp"
#include "riata/design/dense.hpp"
#include "riata/design/plink.hpp"

/// Problems for tests of whole paths.
namespace riata::check {

/// Genotype-like columns (0, 1, 2 with runs of correlation), so that one matrix fits every storage.
inline Mat dosages(Index n, Index p, unsigned seed) {
  const Mat z = random_matrix(n, p, seed);
  Mat x(n, p);
  for (Index j = 0; j < p; ++j) {
    for (Index i = 0; i < n; ++i) {
      const double value = j % 5 == 0 ? z(i, j) : 0.6 * z(i, j / 5 * 5) + 0.8 * z(i, j);
      x(i, j) = value > 1.0 ? 2.0 : value > 0.2 ? 1.0 : 0.0;
    }
  }
  return x;
}

/// A matrix in each storage.
struct Storages {
  explicit Storages(Mat x) : X(std::move(x)) {
    const Index n = X.rows(), p = X.cols();
    indptr.push_back(0);
    std::ofstream out(bed, std::ios::binary);
    for (const int magic : {0x6c, 0x1b, 0x01}) out.put(static_cast<char>(magic));
    for (Index j = 0; j < p; ++j) {
      unsigned byte = 0;
      for (Index i = 0; i < n; ++i) {
        if (X(i, j) != 0.0) {
          indices.push_back(static_cast<std::int32_t>(i));
          values.push_back(X(i, j));
        }
        byte |= (X(i, j) == 2.0 ? 0u : X(i, j) == 1.0 ? 2u : 3u) << (2 * (i % 4));
        if (i % 4 == 3 || i + 1 == n) {
          out.put(static_cast<char>(byte));
          byte = 0;
        }
      }
      indptr.push_back(static_cast<std::int32_t>(values.size()));
    }
    out.close();
    designs.push_back(dense_design(X.data(), n, p, 1, n));
    designs.push_back(csc_design(n, p, indptr.back(), indptr.data(), indices.data(), values.data()));
    designs.push_back(std::make_unique<PlinkDesign>(bed, n, p, CountedAllele::A1, std::vector<std::uint8_t>{}, 1));
  }
  ~Storages() {
    designs.clear();
    std::filesystem::remove(bed);
  }
  Storages(const Storages&) = delete;
  Storages& operator=(const Storages&) = delete;

  Mat X;
  std::string bed =
      (std::filesystem::temp_directory_path() / ("riata_" + std::to_string(std::random_device{}()) + ".bed")).string();
  std::vector<std::int32_t> indptr, indices;
  std::vector<double> values;
  std::vector<std::unique_ptr<Design>> designs;
};

constexpr Index kOutputs = 3;  // of the losses that have several

/// The options of a loss; "multinomial grouped" is "multinomial" with a norm for the coefficients of each feature.
inline PathOptions options_of(const std::string& name) {
  PathOptions options;
  const bool grouped = name == "multinomial grouped";
  options.penalty = penalties::ElasticNet{grouped};
  options.loss = grouped ? "multinomial" : name;
  return options;
}

inline Problem make_problem(const Mat& X, const std::string& loss, unsigned seed) {
  const Index n = X.rows();
  Vec b = Vec::Zero(X.cols());
  for (Index j = 3; j < std::min<Index>(X.cols(), 200); j += 20) b[j] = j % 40 == 3 ? 0.8 : -0.6;
  Vec eta = X * b + random_matrix(n, 1, seed);
  eta.array() -= eta.mean();
  Problem problem;
  problem.weights = Vec::Ones(n);
  if (loss.starts_with("multi")) {
    Mat etas(n, kOutputs);
    for (Index k = 0; k < kOutputs; ++k) {
      Vec mine = b;
      for (Index j = 0; j < b.size(); ++j) mine[j] *= (j / 20 + k) % 3 == 0 ? -1.0 : 0.7;
      etas.col(k) = X * mine + random_matrix(n, 1, seed + 10 + static_cast<unsigned>(k));
      etas.col(k).array() -= etas.col(k).mean();
    }
    problem.y = etas.reshaped();
    if (loss == "multigaussian") return problem;
    problem.y.setZero();
    for (Index i = 0; i < n; ++i) {
      Index best = 0;
      etas.row(i).maxCoeff(&best);
      problem.y[best * n + i] = 1.0;
    }
    return problem;
  }
  if (loss == "cox") {
    problem.y = (10.0 * (-eta).array().exp()).ceil();  // some of them tied
    problem.survival.event = (random_matrix(n, 1, seed + 1).array() < 0.8).cast<double>();
    problem.survival.stratum = Vec::LinSpaced(n, 0.0, 1.99).array().floor();
    problem.survival.efron = true;
    return problem;
  }
  if (loss == "poisson") {
    problem.y = (0.5 * eta).array().exp().round();
    return problem;
  }
  if (loss == "huber") {
    problem.y = eta.array() + 30.0 * (random_matrix(n, 1, seed + 1).array() > 0.8).cast<double>();
    return problem;
  }
  problem.y = loss == "gaussian" ? eta : Vec((eta.array() > 0.0).cast<double>());
  return problem;
}

}  // namespace riata::check
