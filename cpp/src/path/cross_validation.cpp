#include "riata/cross_validation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>

#include "riata/loss/loss.hpp"

namespace riata {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw std::invalid_argument(message);
}

/// The number of folds, once every row has one.
Index count_folds(const std::vector<Index>& fold, Index n) {
  if (static_cast<Index>(fold.size()) != n) refuse("fold must have one number for each row of X");
  const Index folds = *std::max_element(fold.begin(), fold.end()) + 1;
  if (folds < 2) refuse("fold must hold two folds at least, numbered from 0");
  std::vector<Index> rows(static_cast<std::size_t>(folds), 0);
  for (const Index f : fold) {
    if (f < 0) refuse("fold must be >= 0, got " + std::to_string(f));
    ++rows[static_cast<std::size_t>(f)];
  }
  for (std::size_t f = 0; f < rows.size(); ++f) {
    if (rows[f] == 0)
      refuse("fold must number the folds without gaps, but none of the rows is in " + std::to_string(f));
  }
  return folds;
}

/// Losses of a fold's rows at every alpha, and their weight, from the fit without them.
struct Held {
  Vec losses;
  double weight = 0.0;
};

Held held_out(const Problem& problem, const PathResult& fit, const std::vector<Index>& fold, Index f,
              const PathOptions& options) {
  const Index n = static_cast<Index>(fold.size()), K = problem.y.size() / n;
  std::vector<Index> rows, places;  // of X, and of the linear predictor, which has those without weight too
  Index place = 0;
  for (Index i = 0; i < n; ++i) {
    const bool mine = fold[static_cast<std::size_t>(i)] == f;
    if (!mine && problem.weights[i] > 0.0) continue;
    if (problem.weights[i] > 0.0) {
      rows.push_back(i);
      places.push_back(place);
    }
    ++place;
  }
  Held held;
  held.losses = Vec::Zero(static_cast<Index>(fit.alphas.size()));
  if (rows.empty()) return held;
  const Vec weights = problem.weights(rows);
  held.weight = weights.sum();
  const Mat y = problem.y.reshaped(n, K)(rows, Eigen::all);
  const auto loss = make_loss(options.loss, y.reshaped(), weights / held.weight);
  for (Index k = 0; k < held.losses.size(); ++k) {
    const Mat eta = fit.linear_predictor.middleCols(k * K, K)(places, Eigen::all);
    held.losses[k] = loss->value(eta.reshaped());
  }
  return held;
}

void choose(CvResult& cv, const Vec& weights) {
  const double total = weights.sum(), folds = static_cast<double>((weights.array() > 0.0).count());
  cv.mean = cv.scores.transpose() * weights / total;
  const Mat away = (cv.scores.rowwise() - cv.mean.transpose()).cwiseAbs2();
  cv.error = (away.transpose() * weights / (total * std::max(folds - 1.0, 1.0))).cwiseSqrt();
  Index best = 0;
  const double bound = cv.mean.minCoeff(&best) + cv.error[best];
  const auto within = std::find_if(cv.mean.begin(), cv.mean.end(), [&](double score) { return score <= bound; });
  cv.best = static_cast<std::size_t>(best);
  cv.one_se = static_cast<std::size_t>(within - cv.mean.begin());
}

}  // namespace

std::vector<Index> deal_folds(Index n, Index folds, std::uint64_t seed) {
  if (folds < 2 || folds > n) {
    refuse("folds must lie in [2, " + std::to_string(n) + "], the number of rows, got " + std::to_string(folds));
  }
  std::vector<Index> fold(static_cast<std::size_t>(n));
  for (Index i = 0; i < n; ++i) fold[static_cast<std::size_t>(i)] = i % folds;
  std::mt19937_64 rng(seed);
  for (std::size_t i = fold.size() - 1; i > 0; --i) std::swap(fold[i], fold[rng() % (i + 1)]);  // the same everywhere
  return fold;
}

std::vector<CvResult> cv_paths(const DesignRef& X, const std::vector<Problem>& problems, const std::vector<Index>& fold,
                               const PathOptions& options, const Features& features) {
  if (options.loss.is<losses::Cox>()) refuse("loss must not be \"cox\" here: rows have no loss of their own");
  const Index n = X->rows(), folds = count_folds(fold, n);
  std::vector<Problem> all;
  for (std::size_t r = 0; r < problems.size(); ++r) {
    Problem whole = problems[r];
    if (whole.leader != 0 && whole.leader != static_cast<Index>(r)) refuse("problems must not follow others here");
    if (whole.response >= 0) refuse("problems must have responses of their own here");
    if (whole.weights.size() == 0) whole.weights = Vec::Ones(n);
    if (whole.weights.size() != n) refuse("weights must have one value for each row of X");
    const Index leader = whole.leader = static_cast<Index>(all.size());
    const Problem part_of{{}, whole.weights, {}, {}, leader, leader};
    all.push_back(std::move(whole));
    for (Index f = 0; f < folds; ++f) {
      Problem& part = all.emplace_back(part_of);
      for (Index i = 0; i < n; ++i) {
        if (fold[static_cast<std::size_t>(i)] == f) part.weights[i] = 0.0;
      }
    }
  }
  PathOptions keeping = options;
  keeping.keep_linear_predictor = true;
  std::vector<PathResult> fits = fit_paths(*X, all, features, keeping);
  std::vector<CvResult> out;
  for (std::size_t at = 0; at < fits.size(); at += static_cast<std::size_t>(folds) + 1) {
    CvResult& cv = out.emplace_back();
    cv.scores.resize(folds, static_cast<Index>(fits[at].alphas.size()));
    Vec weights(folds);
    for (Index f = 0; f < folds; ++f) {
      const Held held = held_out(all[at], fits[at + 1 + static_cast<std::size_t>(f)], fold, f, options);
      cv.scores.row(f) = held.losses.transpose();
      weights[f] = held.weight;
    }
    choose(cv, weights);
    cv.path = std::move(fits[at]);
  }
  return out;
}

}  // namespace riata
