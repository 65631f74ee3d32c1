#include "path/ridge_fit.hpp"

#include <algorithm>
#include <utility>

#include "path/asked_grid.hpp"

namespace riata {
namespace {

constexpr double kEnough = 1e-2;  // of the tolerance, for what solutions leave of the gap

}  // namespace

DistinctWeights::DistinctWeights(const std::vector<Problem>& problems) : of(problems.front().weights.size(), 0) {
  for (const Problem& problem : problems) {
    const Vec mine = problem.weights / problem.weights.sum();
    Index g = 0;
    while (g < of.cols() && of.col(g) != mine) ++g;
    if (g == of.cols()) {
      of.conservativeResize(Eigen::NoChange, g + 1);
      of.col(g) = mine;
    }
    group.push_back(g);
  }
}

RidgeFit::RidgeFit(const SharedPool& shared, Response response, const Features& features, const PathOptions& options,
                   Vec mean, Vec variance)
    : RidgeFit(shared, response, features, options, mean, variance,
               ColumnNorms(options, features, 1.0, mean, variance, {})) {}

RidgeFit::RidgeFit(const SharedPool& shared, Response& response, const Features& features, const PathOptions& options,
                   Vec& mean, Vec& scale, ColumnNorms norms)
    : loss(std::move(response.loss)),
      columns(shared, options.fit_intercept, 1, 1, std::move(mean), std::move(scale)),
      penalty(options, features, 1, columns.scale()),
      none(0),
      predictor(*loss, columns, none, options.fit_intercept, std::move(response.offset)),
      gap(*loss, predictor, norms.largest_norm),
      writer(*loss, penalty, columns, features, options, response),
      free(std::move(norms.unpenalised)) {
  writer.result().spread = std::move(norms.spread);
  for (Index j = 0; j < columns.scale().size(); ++j) {
    if (norms.usable[static_cast<std::size_t>(j)]) usable.push_back(j);
  }
}

RidgeFit::Scaling RidgeFit::scaling(const Features& features, Index first, Index size) const {
  Scaling out;
  out.centre = out.inverse = out.factor = out.over = Vec::Zero(size);
  for (auto at = std::lower_bound(usable.begin(), usable.end(), first); at != usable.end() && *at < first + size;
       ++at) {
    const Index k = *at - first;
    out.factor[k] = features.factor(*at);
    out.centre[k] = columns.centre(*at);
    out.inverse[k] = 1.0 / columns.scale()[*at];
    if (out.factor[k] > 0.0) {
      out.over[k] = 1.0 / out.factor[k];
    } else {
      out.free.push_back(k);
    }
  }
  return out;
}

void RidgeFit::start(const Features& features, const PathOptions& options, const Mat& raw,
                     const std::vector<Index>& unpenalised, const RidgeNull& null, const Vec& null_c,
                     const Mat& kernel) {
  Mat z(raw.rows(), static_cast<Index>(free.size()));
  Vec gamma(z.cols()), g = Vec::Zero(1), coef;
  if (!free.empty()) coef = null.fit->coef(0);
  for (std::size_t k = 0; k < free.size(); ++k) {
    const Index j = free[k];
    const Index from = std::lower_bound(unpenalised.begin(), unpenalised.end(), j) - unpenalised.begin();
    const double scale = columns.scale()[j];
    z.col(static_cast<Index>(k)) = (raw.col(from).array() - columns.centre(j)) / scale;
    gamma[static_cast<Index>(k)] = coef[j] * scale;
  }
  Vec base = z * gamma;
  if (predictor.offset().size() > 0) base += predictor.offset();
  for (Index i = 0; i < base.size(); ++i) {
    if (loss->omega()[i] > 0.0) {
      g[0] = null.eta[i] - base[i];
      break;
    }
  }
  gap.set_free_columns(std::move(z));
  PathResult& r = writer.result();
  r.null_objective = loss->value(null.eta);
  r.coef_indices.reserve(usable.size() * static_cast<std::size_t>(options.count()));
  r.coef_values.reserve(r.coef_indices.capacity());
  std::vector<Index> penalised;
  for (const Index j : usable) {
    if (features.factor(j) > 0.0) penalised.push_back(j);
  }
  Vec c(static_cast<Index>(penalised.size()));
  for (Index k = 0; k < c.size(); ++k) c[k] = null_c[penalised[static_cast<std::size_t>(k)]];
  r.alpha_max = penalty.lambda_max(penalised, c, kLeastRatio);
  gap_unit = r.null_objective - r.saturated_objective;
  ridge.emplace(*loss, predictor, gap, kernel, kEnough * options.tol * gap_unit, options.poll);
  ridge->start_at(gamma, g);
}

}  // namespace riata
