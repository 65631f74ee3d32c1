#include "riata/cross_validation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>

#include "loss/loss.hpp"

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

/// The rows of a fold, to be predicted by the fit without them.
class HeldOut {
 public:
  /// `problem` is that of all rows.
  HeldOut(const Problem& problem, const std::vector<Index>& fold, Index f, const PathOptions& options) {
    const Index n = static_cast<Index>(fold.size()), K = problem.y.size() / n;
    std::vector<Index> rows;  // of X, while linear predictors have those without weight too
    Index place = 0;
    for (Index i = 0; i < n; ++i) {
      const bool mine = fold[static_cast<std::size_t>(i)] == f;
      if (!mine && problem.weights[i] > 0.0) continue;
      if (problem.weights[i] > 0.0) {
        rows.push_back(i);
        places_.push_back(place);
      }
      ++place;
    }
    if (rows.empty()) return;
    const Vec weights = problem.weights(rows);
    weight_ = weights.sum();
    const Mat y = problem.y.reshaped(n, K)(rows, Eigen::all);
    loss_ = make_loss(options.loss, y.reshaped(), weights / weight_);
  }

  double weight() const { return weight_; }
  /// Mean loss at linear predictors of every row that the fit leaves out.
  template <class Predictors>
  double loss(const Predictors& eta) const {
    if (!loss_) return 0.0;
    const Mat mine = eta(places_, Eigen::all);
    return loss_->value(mine.reshaped());
  }

 private:
  std::vector<Index> places_;
  double weight_ = 0.0;
  std::unique_ptr<Loss> loss_;
};

/// The mean of the scores of folds, and its standard error.
HeldOutScore summary(const Vec& scores, const Vec& weights) {
  const double total = weights.sum(), folds = static_cast<double>((weights.array() > 0.0).count());
  const double mean = scores.dot(weights) / total;
  const double variance = (scores.array() - mean).square().matrix().dot(weights) / total;
  return {mean, std::sqrt(variance / std::max(folds - 1.0, 1.0))};
}

void choose(CvResult& cv, const Vec& weights) {
  cv.mean.resize(cv.scores.cols());
  cv.error.resize(cv.scores.cols());
  for (Index k = 0; k < cv.scores.cols(); ++k) {
    const HeldOutScore of = summary(cv.scores.col(k), weights);
    cv.mean[k] = of.cost;
    cv.error[k] = of.error;
  }
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
  std::vector<HeldOut> held;  // the folds of one problem after those of the other
  for (const Problem& whole : all) {
    if (&whole != &all[static_cast<std::size_t>(whole.leader)]) continue;
    for (Index f = 0; f < folds; ++f) held.emplace_back(whole, fold, f, options);
  }
  const auto of = [&](Index leader, Index f) -> const HeldOut& {
    return held[static_cast<std::size_t>(leader / (folds + 1) * folds + f)];
  };
  const auto weights_of = [&](Index leader) {
    return Vec::NullaryExpr(folds, [&](Index f) { return of(leader, f).weight(); }).eval();
  };
  PathOptions keeping = options;
  keeping.keep_linear_predictor = true;
  if (options.patience > 0) {
    keeping.held_out = [&](Index leader, double, const std::vector<Vec>& predictors) {
      const Index K = all.front().y.size() / n;
      const auto score = [&](Index f) {
        const Vec& eta = predictors[static_cast<std::size_t>(leader + 1 + f)];
        return of(leader, f).loss(eta.reshaped(eta.size() / K, K));
      };
      return summary(Vec::NullaryExpr(folds, score), weights_of(leader));
    };
  }
  std::vector<PathResult> fits = fit_paths(*X, all, features, keeping);
  std::vector<CvResult> out;
  for (Index leader = 0; leader < static_cast<Index>(fits.size()); leader += folds + 1) {
    PathResult& whole = fits[static_cast<std::size_t>(leader)];
    CvResult& cv = out.emplace_back();
    cv.scores.resize(folds, static_cast<Index>(whole.alphas.size()));
    for (Index f = 0; f < folds; ++f) {
      const PathResult& fit = fits[static_cast<std::size_t>(leader + 1 + f)];
      for (Index k = 0; k < cv.scores.cols(); ++k) {
        const Index K = whole.outputs;
        cv.scores(f, k) = of(leader, f).loss(fit.linear_predictor.middleCols(k * K, K));
      }
    }
    choose(cv, weights_of(leader));
    cv.path = std::move(whole);
  }
  return out;
}

}  // namespace riata
