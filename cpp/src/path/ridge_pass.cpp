#include "path/ridge_pass.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "kernel/kernels.hpp"
#include "parallel.hpp"
#include "path/sample_kernel.hpp"

namespace riata {
namespace {

constexpr Index kColumns = 1024;  // of X at a time
constexpr Index kFewPoints = 8;   // fewer have no basis that is smaller
constexpr Index kRows = 256;      // of a product with a small matrix, that a thread makes

/// out = A B for a B with few rows.
void multiply_blocks(const MatIn& A, const MatIn& B, int threads, Mat& out) {
  const Index n = A.rows(), inner = A.cols();
  std::vector<const double*> lines(static_cast<std::size_t>(inner));
  const double work = static_cast<double>(n) * static_cast<double>(inner * B.cols());
  out.setZero();
  for (Index k = 0; k < inner; ++k) lines[static_cast<std::size_t>(k)] = A.col(k).data();
  parallel_for((n + kRows - 1) / kRows, worth_threads(threads, work), [&](Index c) {
    const Index first = c * kRows, rows = std::min(kRows, n - first);
    std::vector<const double*> mine = lines;
    for (const double*& line : mine) line += first;
    kernels().multiply_f64(mine.data(), inner, rows, B.data(), B.outerStride(), B.cols(), out.data() + first, n);
  });
}

}  // namespace

/// What a pass makes of the points of one problem.
struct RidgePass::Reading {
  Mat side, weights;       // side * weights = a, and the dual points where these are not lambda a
  bool common = false;     // whether side has fewer columns than that
  Vec sums;                // of side
  Mat b, eta;              // scaled coefficients, p x points; Xs b, over the first weights where side is common
  Mat slope;               // of free columns, those of the dual points
  Vec penalty, conjugate;  // of each point, over lambda and times lambda
};

void RidgePass::certify(const std::vector<RidgeFit*>& fits) {
  const Index p = X_.cols(), step = columns_at_a_time(X_, kColumns);
  std::vector<Reading> readings;
  bool all_kept = true;
  for (const RidgeFit* fit : fits) {
    const bool kept = fit->basis && fit->basis->columns_kept() > 0;
    readings.push_back(kept ? recall(*fit) : begin(*fit));
    all_kept = all_kept && kept;
  }
  for (Index first = 0; first < p && !all_kept; first += step) {
    const Index size = std::min(step, p - first);
    std::vector<Index> columns(static_cast<std::size_t>(size));
    std::iota(columns.begin(), columns.end(), first);
    for (std::size_t f = 0; f < fits.size(); ++f) read(*fits[f], columns, readings[f]);
  }
  if (!all_kept) counters_.columns_streamed += static_cast<double>(p);
  for (std::size_t f = 0; f < fits.size(); ++f) {
    combine(*fits[f], readings[f]);
    finish(*fits[f], readings[f]);
  }
}

/// Whether Xs b can be had from the images of a basis: not where b is a small difference of those.
bool RidgePass::accurate(const RidgeFit& fit, const CommonBasis& of) {
  const Mat& K = fit.ridge->kernel();
  const double largest = (K.selfadjointView<Eigen::Lower>() * of.basis).cwiseProduct(of.basis).sum();
  for (std::size_t k = 0; k < fit.points.size(); ++k) {
    const SampleRidge::Point& at = fit.points[k];
    const double here = largest * of.weights.col(static_cast<Index>(k)).squaredNorm();
    if (!(here <= kMostAmplified * kMostAmplified * at.a.dot(at.Ka))) return false;
  }
  return true;
}

RidgePass::Reading RidgePass::begin(const RidgeFit& fit) {
  const Index n = X_.rows(), m = static_cast<Index>(fit.points.size());
  const bool squares = fit.loss->quadratic();
  Reading out;
  out.side.resize(n, squares ? m : 2 * m);
  for (Index k = 0; k < m; ++k) {
    const SampleRidge::Point& at = fit.points[static_cast<std::size_t>(k)];
    out.side.col(k) = at.a;
    if (!squares) out.side.col(m + k) = at.dual_u;
  }
  if (fit.basis) {
    out.common = true;
    out.side = fit.basis->sides();
    out.weights = fit.in_basis;
  } else if (m >= kFewPoints) {
    CommonBasis of(out.side);
    out.common = 2 * of.basis.cols() <= m && accurate(fit, of);
    if (out.common) {
      out.side = std::move(of.basis);
      out.weights = std::move(of.weights);
    }
  }
  out.sums = out.side.colwise().sum().transpose();
  out.b = Mat::Zero(X_.cols(), m);
  out.eta = Mat::Zero(n, out.common ? out.side.cols() : m);
  out.slope = Mat::Zero(static_cast<Index>(fit.free.size()), m);
  out.penalty = out.conjugate = Vec::Zero(m);
  counters_.products += static_cast<double>(out.side.cols() + out.eta.cols());
  return out;
}

/// From what a basis has kept: all of it was made from the data.
RidgePass::Reading RidgePass::recall(const RidgeFit& fit) const {
  const RidgeBasis& basis = *fit.basis;
  const Index m = static_cast<Index>(fit.points.size());
  Reading out;
  out.common = true;
  out.weights = fit.in_basis;
  out.eta = basis.images();
  out.b.resize(X_.cols(), m);
  multiply_blocks(basis.column_images(), out.weights, threads_, out.b);
  out.slope = fit.gap.free_columns().transpose() * Mat(basis.sides() * out.weights);
  out.penalty.resize(m);
  const Vec factor = fit.scaling(features_, 0, X_.cols()).factor;
  for (Index q = 0; q < m; ++q) {
    auto b = out.b.col(q);
    out.penalty[q] = 0.5 * factor.dot(b.cwiseAbs2());
    for (std::size_t k = 0; k < fit.free.size(); ++k) {
      b[fit.free[k]] = fit.points[static_cast<std::size_t>(q)].gamma[static_cast<Index>(k)];
    }
  }
  out.conjugate = out.penalty;
  return out;
}

void RidgePass::read(const RidgeFit& fit, const std::vector<Index>& columns, Reading& out) const {
  const Index size = static_cast<Index>(columns.size()), m = out.b.cols(), n = X_.rows(), first = columns.front();
  Mat side(size, out.side.cols());
  X_.correlate(columns, out.side, side, threads_);
  const auto [centre, inverse, factor, over, free] = fit.scaling(features_, first, size);
  for (Index q = 0; q < side.cols(); ++q) {
    side.col(q) = inverse.cwiseProduct(side.col(q) - out.sums[q] * centre);
  }
  Mat products;
  if (out.common) {
    products.resize(size, out.weights.cols());
    multiply_blocks(side, out.weights, threads_, products);
  } else {
    products.swap(side);
  }
  for (const Index k : free) {
    const Index place = std::lower_bound(fit.free.begin(), fit.free.end(), first + k) - fit.free.begin();
    out.slope.row(place) = products.row(k).tail(m);
    products.row(k).setZero();
  }
  for (Index q = 0; q < m; ++q) {
    auto b = out.b.col(q).segment(first, size);
    b = over.cwiseProduct(products.col(q));
    out.penalty[q] += 0.5 * factor.dot(b.cwiseAbs2());
    out.conjugate[q] += 0.5 * over.dot(products.col(products.cols() - m + q).cwiseAbs2());
    for (const Index k : free) {
      const Index place = std::lower_bound(fit.free.begin(), fit.free.end(), first + k) - fit.free.begin();
      b[k] = fit.points[static_cast<std::size_t>(q)].gamma[place];
    }
  }
  Mat weights = out.common ? side : Mat(out.b.middleRows(first, size));
  if (out.common) weights.array().colwise() *= over.array();
  weights.array().colwise() *= inverse.array();
  const Vec shift = weights.transpose() * centre;
  Mat part(n, weights.cols());
  X_.multiply(columns, weights, part, threads_);
  out.eta += part;
  out.eta.rowwise() -= shift.transpose();
}

/// From the images of a basis to those of the points.
void RidgePass::combine(const RidgeFit& fit, Reading& out) const {
  if (!out.common) return;
  const Index m = out.b.cols();
  Mat eta(out.eta.rows(), m);
  multiply_blocks(out.eta, out.weights.leftCols(m), threads_, eta);
  if (!fit.free.empty()) {
    for (Index q = 0; q < m; ++q) eta.col(q) += fit.gap.free_columns() * fit.points[static_cast<std::size_t>(q)].gamma;
  }
  out.eta = std::move(eta);
}

void RidgePass::finish(RidgeFit& fit, Reading& reading) const {
  const bool squares = fit.loss->quadratic();
  PathResult& r = fit.writer.result();
  for (std::size_t k = 0; k < fit.points.size(); ++k) {
    SampleRidge::Point& at = fit.points[k];
    const Index q = static_cast<Index>(k);
    PathPoint p;
    p.lambda = at.lambda;
    p.g = at.g;
    p.solver = Solver::kSamples;
    p.iterations = at.steps;
    p.eta = reading.eta.col(q);
    if (fit.predictor.offset().size() > 0) p.eta += fit.predictor.offset();
    fit.predictor.add_intercepts(p.eta, p.g);
    p.b.resize(static_cast<Index>(fit.usable.size()));
    for (std::size_t w = 0; w < fit.usable.size(); ++w) {
      p.b[static_cast<Index>(w)] = reading.b(fit.usable[w], q);
    }
    const Vec u = squares ? Vec(at.lambda * at.a) : at.dual_u;
    const double conjugate = squares ? reading.conjugate[q] * at.lambda : reading.conjugate[q] / at.lambda;
    ResultWriter::Certificate of{fit.loss->value(p.eta) + at.lambda * reading.penalty[q], 0.0, 0.0};
    of.dual = fit.loss->dual_at(at.dual_eta.size() > 0 ? at.dual_eta : at.eta, u, 1.0) - conjugate;
    if (fit.predictor.offset().size() > 0) of.dual -= fit.predictor.offset().dot(u);
    const double unit = squares ? at.lambda : 1.0;
    for (Index j = 0; j < at.gamma.size(); ++j) {
      of.dual -= fit.gap.free_conjugate(std::abs(unit * reading.slope(j, q)), std::abs(at.gamma[j]), u);
    }
    of.dual = std::max(of.dual, r.saturated_objective);
    of.gap = (of.primal - of.dual) / fit.gap_unit;
    fit.writer.add(p, fit.usable, fit.gap.free_columns(), of);
  }
  fit.points.clear();
}

}  // namespace riata
