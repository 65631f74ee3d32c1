#include "path/point_evaluator.hpp"

#include <algorithm>
#include <vector>

#include "loss/residual.hpp"

namespace riata {
namespace {

constexpr double kGramShare = 0.1;  // of the tolerance, for the rounding of c that comes from a Gram matrix

}  // namespace

void PointEvaluator::evaluate(std::span<PathPoint> points, double c_error, bool first_try) {
  std::vector<PathPoint*> open;
  for (PathPoint& p : points) {
    if (!p.evaluated) open.push_back(&p);
  }
  if (open.empty()) return;
  const Index m = static_cast<Index>(open.size()), n = fit_.loss.omega().size(), K = fit_.loss.outputs();
  std::vector<const Vec*> coefficients;
  for (const PathPoint* p : open) coefficients.push_back(&p->b);
  const Mat base = fit_.predictor.without_intercepts(coefficients);
  Mat u(n, m * K);
  Vec h;
  for (Index q = 0; q < m; ++q) {
    PathPoint& p = *open[static_cast<std::size_t>(q)];
    p.eta = base.middleCols(q * K, K).reshaped();
    fit_.predictor.add_intercepts(p.eta, p.g);
    fit_.loss.derivatives(p.eta, p.u, h);
    u.middleCols(q * K, K) = p.u.reshaped(n, K);
    p.evaluated = true;
  }
  if (fit_.solver.model().has_gram() && first_try && correlate_by_gram(open, c_error)) return;
  if (m == 1 && open.front()->correlated) return correct_correlations(*open.front(), c_error);
  Mat c(fit_.work.size(), m * K);
  fit_.columns.correlate(fit_.work.features(), u, c);
  for (Index q = 0; q < m; ++q) {
    PathPoint& p = *open[static_cast<std::size_t>(q)];
    p.c = c.middleCols(q * K, K).transpose().reshaped();
    p.c_error = fit_.columns.centring_error(fit_.work.features(), p.u);
  }
}

/// The model's gradient and u differ by rounding, and so does c.
void PointEvaluator::correct_correlations(PathPoint& p, double c_error) const {
  const Vec change = p.u - fit_.solver.model().gradient();
  p.c_error = (p.b == fit_.solver.model().b0() ? c_error : 0.0) +
              residual_norm(fit_.loss, change) * fit_.rule.largest_norm() * (1.0 + 1e-9) +
              fit_.columns.centring_error(fit_.work.features(), change);
}

/// c = c0 - G (b - b0) with a bound of its rounding, where that is far below what the tolerance asks for; else false
/// (so also where an unpenalised feature asks for c = 0).
bool PointEvaluator::correlate_by_gram(std::span<PathPoint* const> points, double c_error) {
  Quadratic& model = fit_.solver.model();
  double least = kInfinity;  // penalty factor
  for (Index j : fit_.work.features()) least = std::min(least, fit_.penalty.factor(j));
  Mat change(fit_.work.size(), static_cast<Index>(points.size()));
  Vec error(change.cols());
  const double norm = fit_.rule.residual_norm(), largest = fit_.rule.largest_norm();
  for (Index q = 0; q < change.cols(); ++q) {
    const PathPoint& p = *points[static_cast<std::size_t>(q)];
    change.col(q) = p.b - model.b0();
    const double moved = largest * change.col(q).lpNorm<1>();
    const double reached = largest * (p.b.lpNorm<1>() + model.b0().lpNorm<1>());  // for the rounding of eta
    error[q] = c_error + fit_.rule.largest_noise() * (2.0 * moved + norm) +       // |rho| <= norm + moved
               2.3e-16 * static_cast<double>(fit_.work.size()) * largest * (moved + reached);
    if (!(p.lambda < kInfinity) ||
        !(error[q] <= kGramShare * fit_.options.tol * p.lambda * fit_.options.l1_ratio * least)) {
      return false;
    }
  }
  Mat gradient_change(change.rows(), change.cols());
  model.gram_product(change, gradient_change);
  for (Index q = 0; q < change.cols(); ++q) {
    points[static_cast<std::size_t>(q)]->c = model.c0() - gradient_change.col(q);
    points[static_cast<std::size_t>(q)]->c_error = error[q];
  }
  return true;
}

}  // namespace riata
