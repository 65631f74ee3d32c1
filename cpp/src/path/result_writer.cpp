#include "path/result_writer.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>
#include <utility>

namespace riata {
namespace {

/// How many different numbers there are.
Index count_distinct(std::vector<Index> numbers) {
  if (!std::is_sorted(numbers.begin(), numbers.end())) std::sort(numbers.begin(), numbers.end());
  return std::unique(numbers.begin(), numbers.end()) - numbers.begin();
}

/// Sorts values by their entries.
void sort_entries(std::span<Index> entries, std::span<double> values) {
  if (std::is_sorted(entries.begin(), entries.end())) return;
  std::vector<std::pair<Index, double>> pairs;
  pairs.reserve(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) pairs.push_back({entries[i], values[i]});
  std::sort(pairs.begin(), pairs.end());
  for (std::size_t i = 0; i < entries.size(); ++i) std::tie(entries[i], values[i]) = pairs[i];
}

}  // namespace

ResultWriter::ResultWriter(const Loss& loss, const PenaltyFamily& penalty, const StandardizedColumns& columns,
                           const Features& features, const PathOptions& options, Response& response)
    : loss_(loss),
      penalty_(penalty),
      columns_(columns),
      features_(features),
      options_(options),
      outer_offset_(std::move(response.outer_offset)),
      y_shift_(std::move(response.y_shift)),
      held_out_(std::move(response.held_out)),
      null_deviance_(response.deviance),
      spread_(response.spread) {
  if (options.tell_every_row) {
    every_row_.resize(static_cast<std::size_t>(loss.omega().size()));
    std::iota(every_row_.begin(), every_row_.end(), Index{0});
  }
  result_.outputs = loss.outputs();
  result_.saturated_objective = loss.saturated();
}

void ResultWriter::add(const PathPoint& p, std::span<const Index> features, const Mat& free_columns,
                       const Certificate& of) {
  PathResult& r = result_;
  const Index K = loss_.outputs();
  Vec unseen = Vec::Zero(K);  // what centring takes from eta
  add_coefficients(p, features, unseen);
  Vec intercept = p.g + y_shift_;
  intercept -= unseen;
  r.alphas.push_back(p.lambda);
  const bool has_intercept = options_.fit_intercept && !loss_.shift_invariant();
  const double common = loss_.symmetric() ? intercept.mean() : 0.0;  // adds nothing where outputs have no origin
  intercept.array() -= common;
  for (Index k = 0; k < K; ++k) r.intercepts.push_back(has_intercept ? intercept[k] : 0.0);
  r.primal.push_back(of.primal);
  r.dual.push_back(of.dual);
  r.dual_gaps.push_back(of.gap);
  const double deviance = loss_.value(p.eta) - loss_.saturated();
  r.deviance_ratio.push_back(null_deviance_ > 0.0 ? 1.0 - deviance / null_deviance_ : 0.0);
  r.converged.push_back(std::abs(of.gap) <= options_.tol);
  r.n_iter.push_back(p.iterations);
  r.solver.push_back(p.solver);
  if (!options_.keep_linear_predictor && every_row_.empty()) return;
  // An intercept that cannot be told is taken off too.
  const Vec taken = loss_.shift_invariant() ? Vec(-unseen) : Vec::Constant(K, common);
  const Vec centred = centred_away(p, features, free_columns);
  if (!every_row_.empty()) untold_.push_back(predictions(p, every_row_, taken, centred).reshaped());
  if (!options_.keep_linear_predictor) return;
  const Index first = (static_cast<Index>(r.alphas.size()) - 1) * K;
  r.linear_predictor.conservativeResize(static_cast<Index>(held_out_.size()), first + K);
  r.linear_predictor.rightCols(K) = predictions(p, held_out_, taken, centred);
}

/// Coefficients on the original scale, how many features have some, and of how many groups these are.
void ResultWriter::add_coefficients(const PathPoint& p, std::span<const Index> features, Vec& unseen) {
  PathResult& r = result_;
  const Index K = loss_.outputs();
  if (r.coef_indptr.empty()) r.coef_indptr.push_back(0);
  const std::size_t first = r.coef_indices.size();
  std::vector<Index> active, labels;
  active.reserve(features.size());
  for (std::size_t w = 0; w < features.size(); ++w) {
    const Index j = features[w];
    const auto all = p.b.segment(static_cast<Index>(w) * K, K);
    const double centre = loss_.symmetric() && penalty_.is_free(j) ? Vec(all).mean() : 0.0;
    bool any = false;
    for (Index k = 0; k < K; ++k) {
      const double b = all[k] - centre;
      if (b == 0.0) continue;
      any = true;
      double raw = b / columns_.scale()[j];  // may leave its bounds by a rounding
      if (features_.lower.size() > 0) raw = std::max(raw, features_.lower[j]);
      if (features_.upper.size() > 0) raw = std::min(raw, features_.upper[j]);
      r.coef_indices.push_back(j * K + k);
      r.coef_values.push_back(raw);
      if (options_.fit_intercept) unseen[k] += columns_.mean()[j] * b / columns_.scale()[j];
    }
    if (!any) continue;
    active.push_back(feature_of(j));
    if (const Index label = label_of(j); label >= 0) labels.push_back(label);
  }
  sort_entries(std::span(r.coef_indices).subspan(first), std::span(r.coef_values).subspan(first));
  r.coef_indptr.push_back(static_cast<Index>(r.coef_indices.size()));
  r.n_active.push_back(count_distinct(std::move(active)));
  if (!features_.label.empty()) r.n_groups.push_back(count_distinct(std::move(labels)));
}

/// Predictions of some rows.
Mat ResultWriter::predictions(const PathPoint& p, const std::vector<Index>& rows, const Vec& taken,
                              const Vec& centred) const {
  const Index K = loss_.outputs(), n = centred.size();
  Mat out(static_cast<Index>(rows.size()), K);
  for (Index k = 0; k < K; ++k) {
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const Index i = k * n + rows[row];
      const double extra = outer_offset_.size() > 0 ? outer_offset_[i] : 0.0;
      out(static_cast<Index>(row), k) = p.eta[i] + y_shift_[k] + extra - taken[k] - centred[rows[row]];
    }
  }
  return out;
}

Vec ResultWriter::predicted(Index point) const {
  const Index K = loss_.outputs(), count = static_cast<Index>(result_.alphas.size());
  if (every_row_.empty()) return result_.linear_predictor.middleCols(point * K, K).reshaped();
  return untold_[static_cast<std::size_t>(point - count) + untold_.size()];
}

void ResultWriter::told(Index point) {
  if (point + 1 == static_cast<Index>(result_.alphas.size())) untold_.clear();
}

/// What eta loses in every output when the coefficients of free features are centred over classes, as
/// add_coefficients() does.
Vec ResultWriter::centred_away(const PathPoint& p, std::span<const Index> features, const Mat& free_columns) const {
  const Index K = loss_.outputs();
  Vec out = Vec::Zero(p.eta.size() / K);
  if (!loss_.symmetric()) return out;
  Index column = 0;
  for (std::size_t w = 0; w < features.size() && column < free_columns.cols(); ++w) {
    if (!penalty_.is_free(features[w])) continue;
    out += p.b.segment(static_cast<Index>(w) * K, K).mean() * free_columns.col(column++);
  }
  return out;
}

PathResult ResultWriter::take(StandardizedColumns& columns) {
  columns.release(result_.mean, result_.scale);
  return std::move(result_);
}

void ResultWriter::truncate(Index count) {
  PathResult& r = result_;
  if (count >= static_cast<Index>(r.alphas.size())) return;
  const std::size_t keep = static_cast<std::size_t>(count);
  const auto cut = [keep](auto& v) { v.resize(keep); };
  cut(r.alphas);
  r.intercepts.resize(keep * static_cast<std::size_t>(loss_.outputs()));
  cut(r.primal);
  cut(r.dual);
  cut(r.dual_gaps);
  cut(r.deviance_ratio);
  cut(r.converged);
  if (!r.locally_convex.empty()) cut(r.locally_convex);
  cut(r.n_active);
  if (!r.n_groups.empty()) cut(r.n_groups);
  cut(r.n_iter);
  cut(r.solver);
  r.coef_indptr.resize(keep + 1);
  r.coef_indices.resize(static_cast<std::size_t>(r.coef_indptr.back()));
  r.coef_values.resize(r.coef_indices.size());
  if (options_.keep_linear_predictor) r.linear_predictor.conservativeResize(Eigen::NoChange, count * loss_.outputs());
}

}  // namespace riata
