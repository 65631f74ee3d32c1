#include "path/ridge_pass.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "path/sample_kernel.hpp"

namespace riata {
namespace {

constexpr Index kColumns = 1024;  // of X at a time

}  // namespace

/// What a pass makes of the points of one problem.
struct RidgePass::Reading {
  Mat rhs;                 // a, and the dual points where these are not lambda a
  Vec sums;                // of its columns
  Mat b, eta;              // scaled coefficients, p x points; Xs b
  Mat slope;               // of free columns, those of the dual points
  Vec penalty, conjugate;  // of each point, over lambda and times lambda
};

void RidgePass::certify(const std::vector<RidgeFit*>& fits) {
  const Index p = X_.cols(), step = columns_at_a_time(X_, kColumns);
  std::vector<Reading> readings;
  for (const RidgeFit* fit : fits) readings.push_back(begin(*fit));
  for (Index first = 0; first < p; first += step) {
    const Index size = std::min(step, p - first);
    std::vector<Index> columns(static_cast<std::size_t>(size));
    std::iota(columns.begin(), columns.end(), first);
    for (std::size_t f = 0; f < fits.size(); ++f) read(*fits[f], columns, readings[f]);
  }
  counters_.columns_streamed += static_cast<double>(p);
  for (std::size_t f = 0; f < fits.size(); ++f) finish(*fits[f], readings[f]);
}

RidgePass::Reading RidgePass::begin(const RidgeFit& fit) {
  const Index n = X_.rows(), m = static_cast<Index>(fit.points.size());
  const bool squares = fit.loss->quadratic();
  Reading out;
  out.rhs.resize(n, squares ? m : 2 * m);
  for (Index k = 0; k < m; ++k) {
    const SampleRidge::Point& at = fit.points[static_cast<std::size_t>(k)];
    out.rhs.col(k) = at.a;
    if (!squares) out.rhs.col(m + k) = at.dual_u;
  }
  out.sums = out.rhs.colwise().sum().transpose();
  out.b = Mat::Zero(X_.cols(), m);
  out.eta = Mat::Zero(n, m);
  out.slope = Mat::Zero(static_cast<Index>(fit.free.size()), m);
  out.penalty = out.conjugate = Vec::Zero(m);
  counters_.products += static_cast<double>(out.rhs.cols() + m);
  return out;
}

void RidgePass::read(const RidgeFit& fit, const std::vector<Index>& columns, Reading& out) const {
  const Index size = static_cast<Index>(columns.size()), m = out.b.cols(), n = X_.rows(), first = columns.front();
  Mat products(size, out.rhs.cols());
  X_.correlate(columns, out.rhs, products, threads_);
  Vec centre = Vec::Zero(size), inverse = centre, factor = centre;
  std::vector<Index> free;
  for (Index k = 0; k < size; ++k) {
    const Index j = first + k;
    if (!std::binary_search(fit.usable.begin(), fit.usable.end(), j)) continue;
    centre[k] = fit.columns.centre(j);
    inverse[k] = 1.0 / fit.columns.scale()[j];
    factor[k] = features_.factor(j);
    if (factor[k] == 0.0) free.push_back(k);
  }
  for (Index q = 0; q < products.cols(); ++q) {
    products.col(q) = inverse.cwiseProduct(products.col(q) - out.sums[q] * centre);
  }
  for (const Index k : free) {
    const Index place = std::lower_bound(fit.free.begin(), fit.free.end(), first + k) - fit.free.begin();
    out.slope.row(place) = products.row(k).tail(m);
    products.row(k).setZero();
  }
  const Vec over = (factor.array() > 0.0).select(factor.cwiseInverse(), 0.0);
  Mat weights(size, m), part(n, m);
  Vec shift(m);
  for (Index q = 0; q < m; ++q) {
    auto b = out.b.col(q).segment(first, size);
    b = over.cwiseProduct(products.col(q));
    out.penalty[q] += 0.5 * factor.dot(b.cwiseAbs2());
    out.conjugate[q] += 0.5 * over.dot(products.col(products.cols() - m + q).cwiseAbs2());
    for (const Index k : free) {
      const Index place = std::lower_bound(fit.free.begin(), fit.free.end(), first + k) - fit.free.begin();
      b[k] = fit.points[static_cast<std::size_t>(q)].gamma[place];
    }
    weights.col(q) = inverse.cwiseProduct(b);
    shift[q] = centre.dot(weights.col(q));
  }
  X_.multiply(columns, weights, part, threads_);
  out.eta += part;
  out.eta.rowwise() -= shift.transpose();
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
