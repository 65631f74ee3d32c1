#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "kernel/kernels.hpp"
#include "parallel.hpp"
#include "riata/knockoff/gaussian.hpp"

namespace riata {
namespace {

using Block = Eigen::Map<const Mat>;

constexpr double kLeastGamma = 1e-12;  // below which 2 Sigma - S is as good as 2 Sigma

/// What does not change about a group of more than one column: L L' = Sigma_gg and tr Sigma_gg^-1.
struct Group {
  std::vector<Index> members;
  Mat factor;
  double inverse_trace = 1.0;
};

/// The gammas of one block and D = (2 Sigma - S)^-1, of which the lower triangle is kept.
class Distances {
 public:
  Distances(const Block& sigma, std::span<const Index> group, Distance method)
      : sigma_(sigma), method_(method), column_(sigma.rows()) {
    for (std::size_t k = 0; k < group.size(); ++k) {
      const std::size_t g = static_cast<std::size_t>(group[k]);
      if (g >= groups_.size()) groups_.resize(g + 1);
      groups_[g].members.push_back(static_cast<Index>(k));
    }
    for (Group& one : groups_) factor(one);
    gamma_ = Vec::Ones(static_cast<Index>(groups_.size()));
    lower_until_definite(0.5);
    gamma_ *= 0.9;
  }

  const Vec& gamma() const { return gamma_; }

  /// One step of every gamma; returns the largest, relative to the gamma.
  double sweep() {
    lower_until_definite(0.99);  // the sweep before went to the edge, by rounding
    double largest = 0.0;
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      if (g % 64 == 0) PollScope::check();
      const double before = gamma_[static_cast<Index>(g)];
      const double step = groups_[g].members.size() == 1 ? step_single(g) : step_group(g);
      largest = std::max(largest, std::abs(step) / before);
    }
    return largest;
  }

 private:
  void factor(Group& one) const {
    const Index size = static_cast<Index>(one.members.size());
    if (size == 1) return;
    const Eigen::LLT<Mat> llt(sigma_(one.members, one.members));
    if (llt.info() != Eigen::Success) throw std::invalid_argument("sigma must hold positive definite matrices");
    one.factor = llt.matrixL();
    one.inverse_trace = llt.solve(Mat::Identity(size, size)).trace();
  }

  /// Makes D, for gammas that are multiplied by `factor` until there is one.
  void lower_until_definite(double factor) {
    while (!invert()) {
      PollScope::check();
      gamma_ *= factor;
      if (!(gamma_.maxCoeff() > kLeastGamma)) throw std::invalid_argument("sigma must hold positive definite matrices");
    }
  }

  bool invert() {
    Mat inside = 2.0 * sigma_;
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      const double gamma = gamma_[static_cast<Index>(g)];
      for (const Index b : groups_[g].members) {
        for (const Index a : groups_[g].members) inside(a, b) -= gamma * sigma_(a, b);
      }
    }
    const Eigen::LLT<Mat> llt(inside);
    if (llt.info() != Eigen::Success) return false;
    D_ = llt.solve(Mat::Identity(sigma_.rows(), sigma_.rows()));
    return D_.allFinite();
  }

  /// Column j of D, from its lower triangle.
  void fill_column(Index j, double* out) const {
    for (Index k = 0; k < j; ++k) out[k] = D_(j, k);
    std::copy(D_.col(j).data() + j, D_.col(j).data() + D_.rows(), out + j);
  }

  void add_outer(double weight, const double* w) {
    const Index m = D_.rows();
    for (Index k = 0; k < m; ++k) kernels().axpy(weight * w[k], w + k, D_.col(k).data() + k, m - k);
  }

  double step_single(std::size_t g) {
    const Index j = groups_[g].members[0];
    double& gamma = gamma_[static_cast<Index>(g)];
    fill_column(j, column_.data());
    const double own = column_[j], norm = std::sqrt(kernels().dot(column_.data(), column_.data(), column_.size()));
    const double step =
        method_ == Distance::mvr ? (1.0 - gamma * norm) / (own + norm) : (1.0 - gamma * own) / (2.0 * own);
    gamma += step;
    add_outer(step / (1.0 - step * own), column_.data());
    return step;
  }

  /// (2 Sigma - S - t Sigma_gg)^-1 = D + sum_k t / (1 - t l_k) w_k w_k' for the eigenvalues l of L' D_gg L.
  double step_group(std::size_t g) {
    const Group& one = groups_[g];
    const Index size = static_cast<Index>(one.members.size());
    Mat wide(D_.rows(), size);
    for (Index k = 0; k < size; ++k) fill_column(one.members[static_cast<std::size_t>(k)], wide.col(k).data());
    const Mat inner = one.factor.transpose() * wide(one.members, Eigen::all) * one.factor;
    const Eigen::SelfAdjointEigenSolver<Mat> eigen(inner);
    const Vec values = eigen.eigenvalues();
    wide = (wide * one.factor * eigen.eigenvectors()).eval();
    const Vec squares = wide.colwise().squaredNorm().transpose();
    double& gamma = gamma_[static_cast<Index>(g)];
    const double step = minimum(values, squares, gamma, one.inverse_trace);
    gamma += step;
    for (Index k = 0; k < size; ++k) add_outer(step / (1.0 - step * values[k]), wide.col(k).data());
    return step;
  }

  /// Where the increasing derivative of the objective along the step is 0, by halving.
  double minimum(const Vec& values, const Vec& squares, double gamma, double inverse_trace) const {
    double low = -gamma, high = 1.0 / values.maxCoeff();
    for (int round = 0; round < 60; ++round) {
      const double t = 0.5 * (low + high);
      const Eigen::ArrayXd left = 1.0 - t * values.array();
      const double slope = method_ == Distance::mvr
                               ? (squares.array() / left.square()).sum() - inverse_trace / ((gamma + t) * (gamma + t))
                               : (values.array() / left).sum() - static_cast<double>(values.size()) / (gamma + t);
      (slope > 0.0 ? high : low) = t;
    }
    return low;
  }

  Block sigma_;
  Distance method_;
  std::vector<Group> groups_;
  Vec gamma_, column_;
  Mat D_;
};

}  // namespace

Vec knockoff_distances(const BlockOrder& blocks, std::span<const double> sigma, std::span<const Index> group,
                       const DistanceOptions& options, const KnockoffRun& run) {
  const PollScope polling(run.poll);
  const std::vector<Index> at = blocks.offsets();
  Vec out(static_cast<Index>(blocks.order.size()));
  parallel_for(blocks.blocks(), run.threads, [&](Index b) {
    const Index first = blocks.first[static_cast<std::size_t>(b)], size = blocks.size(b);
    const auto mine = group.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(size));
    Distances distances(Block(sigma.data() + at[static_cast<std::size_t>(b)], size, size), mine, options.method);
    for (Index sweep = 0; sweep < options.max_sweeps; ++sweep) {
      if (distances.sweep() <= options.tol) break;
    }
    for (Index k = 0; k < size; ++k) out[first + k] = distances.gamma()[mine[static_cast<std::size_t>(k)]];
  });
  return out;
}

}  // namespace riata
