#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernel/kernels.hpp"
#include "solver/block_newton.hpp"

/// The problem of BlockNewton cut down to the features it works on, and the Newton equations of those.
namespace riata {

/// out = G R for a symmetric G.
inline void symmetric_product(const MatMap& G, const MatMap& R, MatMap& out, std::vector<const double*>& lines) {
  lines.clear();
  for (Index j = 0; j < G.cols(); ++j) lines.push_back(G.col(j).data());
  if (out.size() == 0) return;
  kernels().correlate_f64(lines.data(), G.cols(), G.rows(), R.data(), R.outerStride(), R.cols(), out.data(),
                          out.outerStride());
}

/// The features worked on, a x K.
struct BlockNewton::Local {
  Scratch& scratch;
  std::span<const Index> features;
  std::span<const GroupNorm> rows;      // the penalty of each,
  std::span<const ElasticNet> entries;  // or of each of its coefficients
  MatMap B, C;
  bool held;   // whether G is known
  bool exact;  // and is what the model has
  MatMap G;

  // Counted multiplications.
  double size() const { return static_cast<double>(B.rows()); }
  double sweep_cost() const { return size() * static_cast<double>(B.size()); }
  double build_cost() const { return 2.5 * size() * size() * size(); }
  double iteration_cost(Index samples) const {
    const double product = exact ? size() : 2.0 * static_cast<double>(samples);
    return (product + 2.0 * size()) * static_cast<double>(B.size());
  }

  const GroupNorm& row(Index i) const { return rows[static_cast<std::size_t>(i)]; }
  const ElasticNet& entry(Index i) const { return entries[static_cast<std::size_t>(i)]; }
  bool grouped() const { return !rows.empty(); }
  double l2(Index i) const { return grouped() ? row(i).l2 : entry(i).l2; }
  /// l1 / |b| of a row that is not zero.
  double norm_curvature(Index i) const {
    const double norm = grouped() ? B.row(i).norm() : 0.0;
    return norm > 0.0 ? row(i).l1 / norm : 0.0;
  }

  double worst() const {
    double out = 0.0;
    for (Index i = 0; i < B.rows(); ++i) {
      if (grouped()) {
        out = std::max(out, row(i).kkt_violation(B.row(i), C.row(i)));
        continue;
      }
      for (Index k = 0; k < B.cols(); ++k) out = std::max(out, entry(i).kkt_violation(B(i, k), C(i, k)));
    }
    return out;
  }
  /// Row i of B where it minimises the penalty and a quadratic with this curvature and minimum z.
  void minimise(Index i, double curvature, VecMap& z) const {
    if (grouped()) {
      z *= row(i).shrinkage(z.norm(), 1.0 / curvature);
    } else {
      for (double& value : z) value = entry(i).prox(value, 1.0 / curvature);
    }
  }
  /// Whether a coefficient is where its penalty is smooth, and may stay there.
  bool moves(Index i, Index k) const {
    if (grouped()) return row(i).l1 == 0.0 || (B.row(i).array() != 0.0).any();
    const ElasticNet& net = entry(i);
    if (net.l1 == 0.0) return net.kkt_violation(B(i, k), C(i, k)) > 0.0 || (B(i, k) > net.lower && B(i, k) < net.upper);
    return B(i, k) != 0.0 && B(i, k) > net.lower && B(i, k) < net.upper;
  }
  /// Where coefficient (i, k) stops that goes to `to`: at the end of the side on which its penalty is smooth.
  double stop(Index i, Index k, double to) const {
    const double end = std::clamp(to, entry(i).lower, entry(i).upper);
    return entry(i).l1 > 0.0 && B(i, k) * end < 0.0 ? 0.0 : end;
  }
  /// Cuts the step D of coefficients that would pass their stop. Whether any was.
  bool cut(MatMap& D) const {
    if (grouped()) return false;
    bool any = false;
    for (Index k = 0; k < D.cols(); ++k) {
      for (Index i = 0; i < D.rows(); ++i) {
        const double to = B(i, k) + D(i, k), end = stop(i, k, to);
        if (end == to) continue;
        D(i, k) = end - B(i, k);
        any = true;
      }
    }
    return any;
  }
  /// Takes the median from rows that are active in every output: of a symmetric loss that lowers the penalty alone.
  void centre_rows() {
    std::vector<double>& sorted = scratch.sorted;
    sorted.resize(static_cast<std::size_t>(B.cols()));
    for (Index i = 0; i < B.rows(); ++i) {
      const ElasticNet& net = entry(i);
      if (net.l1 == 0.0 || net.l2 > 0.0 || net.lower > -kInfinity || net.upper < kInfinity) continue;
      if ((B.row(i).array() == 0.0).any()) continue;
      for (Index k = 0; k < B.cols(); ++k) sorted[static_cast<std::size_t>(k)] = B(i, k);
      const auto middle = sorted.begin() + B.cols() / 2;
      std::nth_element(sorted.begin(), middle, sorted.end());
      B.row(i).array() -= *middle;
    }
  }
  /// t in [0, 1] where the objective along B + t D is least. `slope` = C'D, `curvature` = D'G D of the quadratic.
  double best_length(const MatMap& from, const MatMap& D, double slope, double curvature) const {
    auto bb = scratch.line.from_norms.shape(D.rows()), bd = scratch.line.products.shape(D.rows());
    auto dd = scratch.line.step_norms.shape(D.rows());
    bb = from.rowwise().squaredNorm();
    bd = from.cwiseProduct(D).rowwise().sum();
    dd = D.rowwise().squaredNorm();
    const auto rate = [&](double t) {
      double sum = t * curvature - slope;
      for (Index i = 0; i < bb.size(); ++i) {
        const double along = bd[i] + t * dd[i];
        sum += l2(i) * along;
        if (grouped()) {
          const double norm = std::sqrt(std::max(bb[i] + t * (2.0 * bd[i] + t * dd[i]), 0.0));
          if (norm > 0.0) sum += row(i).l1 * along / norm;
          continue;
        }
        for (Index k = 0; k < D.cols(); ++k) {
          const double at = from(i, k) + t * D(i, k), d = D(i, k);
          sum += entry(i).l1 * (at > 0.0 ? d : at < 0.0 ? -d : t > 0.0 ? -std::abs(d) : std::abs(d));
        }
      }
      return sum;
    };
    if (rate(1.0) <= 0.0) return 1.0;
    double low = 0.0, high = 1.0;
    for (int halving = 0; halving < 30; ++halving) {
      const double middle = 0.5 * (low + high);
      (rate(middle) > 0.0 ? high : low) = middle;
    }
    return low;
  }
  /// What C falls by when B moves by D.
  void hessian_product(Quadratic& model, const MatMap& D, MatMap& out) const {
    if (exact) return symmetric_product(G, D, out, scratch.lines);
    model.hessian_product(features, D, out);
  }
};

/// The Newton equations of the features that move.
struct BlockNewton::System {
  explicit System(const Local& at);

  Scratch& scratch;
  std::span<const Index> moving;  // rows of Local
  MatMap gradient;                // with its sign changed
  MatMap direction;               // of the rows that have a norm
  MatMap mask;                    // 1 for coefficients that take part, else 0
  VecMap norm_curvature, ridge;

  Index size() const { return static_cast<Index>(moving.size()); }
  Index row(Index i) const { return moving[static_cast<std::size_t>(i)]; }
  /// Rows of those that move, in their places among all.
  void spread(const MatMap& D, MatMap& whole) const {
    for (Index i = 0; i < size(); ++i) whole.row(row(i)) = D.row(i);
  }
  /// The matrix times D, given the quadratic's part of it for all rows.
  void product(const MatMap& D, const MatMap& curved, MatMap& out) const {
    for (Index i = 0; i < size(); ++i) out.row(i) = curved.row(row(i));
    auto along = scratch.system.along.shape(size());
    along = D.cwiseProduct(direction).rowwise().sum().cwiseProduct(norm_curvature);
    out += (ridge + norm_curvature).asDiagonal() * D;
    out -= along.asDiagonal() * direction;
    out = out.cwiseProduct(mask);
  }

 private:
  static std::span<const Index> moving_of(const Local& at) {
    std::vector<Index>& out = at.scratch.moving;
    out.clear();
    for (Index i = 0; i < at.B.rows(); ++i) {
      bool any = false;
      for (Index k = 0; k < at.B.cols(); ++k) any = any || at.moves(i, k);
      if (any) out.push_back(i);
    }
    return out;
  }
};

inline BlockNewton::System::System(const Local& at)
    : scratch(at.scratch),
      moving(moving_of(at)),
      gradient(scratch.system.gradient.shape(size(), at.B.cols())),
      direction(scratch.system.direction.shape(size(), at.B.cols())),
      mask(scratch.system.mask.shape(size(), at.B.cols())),
      norm_curvature(scratch.system.norm_curvature.shape(size())),
      ridge(scratch.system.ridge.shape(size())) {
  const Index K = at.B.cols(), m = size();
  direction.setZero();
  mask.setOnes();
  for (Index i = 0; i < m; ++i) {
    const Index w = row(i);
    norm_curvature[i] = at.norm_curvature(w);
    ridge[i] = at.l2(w);
    if (norm_curvature[i] > 0.0) direction.row(i) = at.B.row(w) / at.B.row(w).norm();
    gradient.row(i) = at.C.row(w) - (ridge[i] + norm_curvature[i]) * at.B.row(w);
    if (at.grouped()) continue;
    for (Index k = 0; k < K; ++k) {
      mask(i, k) = at.moves(w, k) ? 1.0 : 0.0;
      const double b = at.B(w, k), l1 = at.entry(w).l1;
      gradient(i, k) = mask(i, k) * (gradient(i, k) - (b > 0.0 ? l1 : b < 0.0 ? -l1 : 0.0));
    }
  }
}

}  // namespace riata
