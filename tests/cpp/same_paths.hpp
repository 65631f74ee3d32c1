#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "path_problems.hpp"

/// Whether whole paths are the same bits, and problems for which that is asked.
namespace riata::check {

/// Of penalties that are not convex the dual value is NaN.
inline bool same_numbers(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

inline bool same(const std::vector<PathResult>& left, const std::vector<PathResult>& right) {
  if (left.size() != right.size()) return false;
  for (std::size_t f = 0; f < left.size(); ++f) {
    const PathResult &a = left[f], &b = right[f];
    const Counters &x = a.counters, &y = b.counters;
    if (a.alphas != b.alphas || a.coef_indptr != b.coef_indptr || a.coef_indices != b.coef_indices ||
        a.coef_values != b.coef_values || a.intercepts != b.intercepts || a.primal != b.primal ||
        a.dual_gaps != b.dual_gaps || a.n_iter != b.n_iter || a.solver != b.solver || a.alpha_max != b.alpha_max ||
        !same_numbers(a.dual, b.dual) || !same_bits(a.mean, b.mean) || !same_bits(a.scale, b.scale) ||
        !same_bits(a.linear_predictor, b.linear_predictor) || x.rounds != y.rounds || x.violators != y.violators ||
        x.columns_gathered != y.columns_gathered) {
      return false;
    }
  }
  return true;
}

inline std::vector<Problem> with_folds(const Problem& full, Index count) {
  std::vector<Problem> out{full};
  for (Index f = 0; f < count; ++f) {
    out.push_back(full);
    for (Index i = f; i < full.weights.size(); i += count) out.back().weights[i] = 0.0;
  }
  return out;
}

inline PathOptions quick(const std::string& loss) {
  PathOptions options = options_of(loss);
  options.n_alphas = 20;
  options.eps = 0.08;
  return options;
}

}  // namespace riata::check
