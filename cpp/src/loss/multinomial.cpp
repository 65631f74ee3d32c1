#include "loss/multinomial.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

#include "kernel/kernels.hpp"

namespace riata {
namespace {

constexpr int kNewtonSteps = 100;
constexpr int kHalvings = 40;

double xlogx(double x) {
  return x > 0.0 ? x * std::log(x) : 0.0;
}

/// Class probabilities of every row, without overflow.
struct Softmax {
  Softmax(const Vec& eta, Index n, Index classes) : likelier(Mat(n, classes)), highest(n), others(n) {
    const auto all = eta.reshaped(n, classes);
    highest = all.rowwise().maxCoeff();
    likelier = all.colwise() - highest;
    kernels().exponentials(likelier.data(), likelier.size(), likelier.data());
    leader.resize(static_cast<std::size_t>(n));
    for (Index i = 0; i < n; ++i) {
      Index best = 0;
      all.row(i).maxCoeff(&best);
      leader[static_cast<std::size_t>(i)] = best;
      double sum = 0.0;
      for (Index k = 0; k < classes; ++k) sum += k == best ? 0.0 : likelier(i, k);
      others[i] = sum;
    }
  }

  double probability(Index i, Index k) const { return likelier(i, k) / (1.0 + others[i]); }
  /// 1 - probability(), without cancellation.
  double complement(Index i, Index k) const {
    return k == leader[static_cast<std::size_t>(i)] ? others[i] / (1.0 + others[i]) : 1.0 - probability(i, k);
  }
  Mat probabilities() const { return (1.0 + others.array()).inverse().matrix().asDiagonal() * likelier; }

  Mat likelier;               // e^(eta - highest)
  Vec highest, others;        // largest eta of a row; sum of `likelier` over the other classes
  std::vector<Index> leader;  // class of the largest eta
};

/// sum_i omega_i (diag(pi_i) - pi_i pi_i'), made regular along the direction (1, ..., 1) that it maps to zero.
Mat information(const Mat& pi, const Vec& omega) {
  const Mat weighted = omega.asDiagonal() * pi;
  Mat out = -(pi.transpose() * weighted);
  out.diagonal() += weighted.colwise().sum().transpose();
  const double level = std::max(out.trace(), std::numeric_limits<double>::min());
  out.array() += level / static_cast<double>(out.rows() * out.rows());
  out.diagonal().array() += 1e-14 * level;
  return out;
}

/// F'' = omega (diag(pi) - pi pi') in each row, less what the intercepts take up.
class MultinomialCurvature : public Curvature {
 public:
  MultinomialCurvature(Mat pi, const Vec& omega, double floor, bool intercept)
      : pi_(std::move(pi)), omega_(omega), floor_(floor), intercept_(intercept) {
    if (intercept_) information_.compute(information(pi_, omega_));
  }

  void multiply(MatOut columns) const override {
    const Index n = pi_.rows(), classes = pi_.cols();
    Mat image(n, classes);
    Vec mean(n);
    for (Index c = 0; c < columns.cols(); ++c) {
      Eigen::Map<Mat> v(columns.col(c).data(), n, classes);
      apply_weights(v, image, mean);
      if (intercept_) {
        const Vec shift = information_.solve(image.colwise().sum().transpose());
        const Vec centre = v.transpose() * omega_;
        v.rowwise() -= shift.transpose();
        apply_weights(v, image, mean);
        if (floor_ > 0.0) image += floor_ * (omega_.asDiagonal() * (v.rowwise() + (shift - centre).transpose()));
      } else if (floor_ > 0.0) {
        image += floor_ * (omega_.asDiagonal() * v);
      }
      v = image;
    }
  }

 private:
  void apply_weights(const Eigen::Map<Mat>& v, Mat& image, Vec& mean) const {
    mean.setZero();
    for (Index k = 0; k < v.cols(); ++k) mean += pi_.col(k).cwiseProduct(v.col(k));
    for (Index k = 0; k < v.cols(); ++k) {
      image.col(k) = omega_.array() * pi_.col(k).array() * (v.col(k) - mean).array();
    }
  }

  Mat pi_;
  const Vec& omega_;
  double floor_;
  bool intercept_;
  Eigen::LDLT<Mat> information_;
};

}  // namespace

Multinomial::Multinomial(Vec y, Vec omega)
    : Loss(std::move(omega)), y_(y.reshaped(omega_.size(), y.size() / omega_.size())) {
  for (Index i = 0; i < y_.rows(); ++i) {
    if (omega_[i] <= 0.0) {
      y_.row(i).setConstant(1.0 / static_cast<double>(y_.cols()));
      continue;
    }
    const double sum = y_.row(i).sum();
    if (!(y_.row(i).minCoeff() >= 0.0) || !(std::abs(sum - 1.0) <= 1e-9)) {
      throw std::invalid_argument("y must hold shares of the classes that sum to 1 for the multinomial loss, got sum " +
                                  std::to_string(sum) + " in row " + std::to_string(i));
    }
    y_.row(i) /= sum;
    for (Index k = 0; k < y_.cols(); ++k) saturated_ -= omega_[i] * xlogx(y_(i, k));
  }
  const Vec share = y_.transpose() * omega_;
  const Index present = (share.array() > 0.0).count();
  if (y_.cols() < 2 || present < y_.cols()) {
    throw std::invalid_argument("y must hold every class of the multinomial loss, got " + std::to_string(present) +
                                " of " + std::to_string(y_.cols()) + " among rows with positive weight");
  }
}

double Multinomial::value(const Vec& eta) const {
  const Softmax at(eta, y_.rows(), y_.cols());
  double sum = 0.0;
  for (Index i = 0; i < y_.rows(); ++i) {
    if (omega_[i] <= 0.0) continue;
    double row = std::log1p(at.others[i]);
    for (Index k = 0; k < y_.cols(); ++k) row += y_(i, k) * (at.highest[i] - eta[k * y_.rows() + i]);
    sum += omega_[i] * row;
  }
  return sum;
}

void Multinomial::derivatives(const Vec& eta, Vec& u, Vec& h) const {
  const Softmax at(eta, y_.rows(), y_.cols());
  u.resize(eta.size());
  h.resize(eta.size());
  for (Index k = 0; k < y_.cols(); ++k) {
    for (Index i = 0; i < y_.rows(); ++i) {
      const double pi = at.probability(i, k), rest = at.complement(i, k), omega = omega_[i];
      // Never above omega y, as which dual() knows it.
      u[k * y_.rows() + i] =
          omega > 0.0 ? std::min(omega * (y_(i, k) * rest - (1.0 - y_(i, k)) * pi), omega * y_(i, k)) : 0.0;
      h[k * y_.rows() + i] = omega > 0.0 ? omega * pi * rest : 0.0;
    }
  }
}

double Multinomial::separation() const {
  if (saturated_ != 0.0) return 0.0;  // shares: their optimum is finite
  return (omega_.array() > 0.0).select(omega_.array(), 1.0).minCoeff() * std::log(2.0);
}

double Multinomial::dual(const Vec& u) const {
  double sum = 0.0;
  for (Index k = 0; k < y_.cols(); ++k) {
    for (Index i = 0; i < y_.rows(); ++i) {
      if (omega_[i] <= 0.0) continue;
      const double pi = (omega_[i] * y_(i, k) - u[k * y_.rows() + i]) / omega_[i];
      if (pi < 0.0) return -std::numeric_limits<double>::infinity();
      sum -= omega_[i] * xlogx(pi);
    }
  }
  return sum;
}

double Multinomial::scaling_gap(const Vec& eta, const Vec&, const Vec&, double scale) const {
  const Softmax at(eta, y_.rows(), y_.cols());
  double sum = 0.0;
  for (Index i = 0; i < y_.rows(); ++i) {
    if (omega_[i] <= 0.0) continue;
    double row = -1.0;
    for (Index k = 0; k < y_.cols(); ++k) {
      if (y_(i, k) > 0.0) row += y_(i, k) * y_(i, k) / at.probability(i, k);
    }
    sum += omega_[i] * std::max(row, 0.0);
  }
  return 0.5 * (1.0 - scale) * (1.0 - scale) * sum;
}

/// Newton with halved steps. Where the loss is nearly flat, so that a step would be long, it is one towards the
/// gradient instead, of a length that may double (Levenberg 1944).
Vec Multinomial::intercepts(const Vec& base, const Vec& start) const {
  const Index n = y_.rows(), classes = y_.cols();
  const auto shifted = [&](const Vec& g) {
    Vec eta = base;
    eta.reshaped(n, classes).rowwise() += g.transpose();
    return eta;
  };
  Vec g = start.array() - start.mean(), h;
  const auto excess_at = [&](const Vec& eta, double& size) {
    Vec u;
    derivatives(eta, u, h);
    size = u.lpNorm<1>();
    return Vec(u.reshaped(n, classes).colwise().sum().transpose());
  };
  double best = value(shifted(g)), longest = 5.0, size = 0.0;
  for (int step = 0; step < kNewtonSteps; ++step) {
    const Vec eta = shifted(g), excess = excess_at(eta, size);
    if (excess.lpNorm<Eigen::Infinity>() <= 1e-16 * size) break;
    Mat matrix = information(Softmax(eta, n, classes).probabilities(), omega_);
    Vec change = matrix.ldlt().solve(excess);
    if (!((matrix * change - excess).norm() <= 0.5 * excess.norm() && change.lpNorm<Eigen::Infinity>() <= longest)) {
      matrix.diagonal().array() += excess.lpNorm<Eigen::Infinity>() / longest;
      change = matrix.ldlt().solve(excess);
    }
    change.array() -= change.mean();
    if (!change.allFinite()) break;
    const double least = 1e-15 * (1.0 + g.lpNorm<Eigen::Infinity>());
    longest *= 2.0;
    bool moved = false;
    for (int halving = 0; halving < kHalvings && !moved && change.lpNorm<Eigen::Infinity>() > least;
         ++halving, change *= 0.5) {
      const Vec there = shifted(g + change);
      const double next = value(there);
      // Of changes within rounding the excess is the judge.
      if (next < best ||
          (next <= best + 1e-14 * std::abs(best) && excess_at(there, size).norm() < 0.5 * excess.norm())) {
        best = std::min(next, best);
        g += change;
        moved = true;
      } else {
        longest = std::max(change.lpNorm<Eigen::Infinity>(), 1.0);
      }
    }
    if (!moved) break;
  }
  g.array() -= g.mean();
  return g;
}

Vec Multinomial::model_curvature(const Vec&, const Vec& h, bool) const {
  const Vec mean = h.reshaped(y_.rows(), y_.cols()).rowwise().sum() / static_cast<double>(y_.cols() - 1);
  return mean.cwiseMax(kFlattest * omega_);
}

std::unique_ptr<Curvature> Multinomial::curvature(const Vec& eta, double floor, bool intercept) const {
  return std::make_unique<MultinomialCurvature>(Softmax(eta, y_.rows(), y_.cols()).probabilities(), omega_, floor,
                                                intercept);
}

}  // namespace riata
