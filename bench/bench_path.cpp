// A whole path down to a hundredth of the largest alpha, alone and with its cross-validation folds, beside one plain
// read of X and one pass X'r: what a path costs at least.
//   bench_path [--n 500] [--p 20000] [--alphas 100] [--threads 1] [--seed 1] [--loss 0 (gaussian) or 1 (binomial)]
//              [--folds 0] [--runs 7]

#include <cmath>
#include <cstdint>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include "bench_support.hpp"
#include "riata/api.hpp"
#include "riata/design/dense.hpp"

namespace {

using riata::Index;
using riata::Mat;
using riata::Vec;
using riata::bench::require;

struct Options {
  Index n = 500, p = 20000, alphas = 100, threads = 1, seed = 1, loss = 0, folds = 0, runs = 7;
  bool binomial() const { return loss == 1; }
};

struct Data {
  Mat X;  // normal columns, neighbours correlated 0.5
  Vec y;
};

/// Twenty effects of either sign, evenly spread. Gaussian: their variance is twice that of the noise.
/// Binomial: classes drawn through the logit of three times the scaled signal.
Data simulate(const Options& o) {
  std::mt19937_64 rng(static_cast<std::uint64_t>(o.seed));
  std::normal_distribution<double> normal;
  Data data{Mat::NullaryExpr(o.n, o.p, [&] { return normal(rng); }), Vec::Zero(o.n)};
  for (Index j = 1; j < o.p; ++j) data.X.col(j) = 0.5 * data.X.col(j - 1) + std::sqrt(0.75) * data.X.col(j);

  constexpr Index effects = 20;
  for (Index k = 0; k < effects; ++k) data.y += (k % 2 == 0 ? 1.0 : -1.0) * data.X.col(k * o.p / effects);
  data.y.array() -= data.y.mean();
  data.y /= std::sqrt(data.y.squaredNorm() / static_cast<double>(o.n));
  if (o.binomial()) {
    std::uniform_real_distribution<double> uniform;
    for (double& y : data.y) y = uniform(rng) < 1.0 / (1.0 + std::exp(-3.0 * y)) ? 1.0 : 0.0;
  } else {
    for (double& y : data.y) y += std::sqrt(0.5) * normal(rng);
  }
  return data;
}

/// The problem on all rows, then one without each fold.
std::vector<riata::Problem> make_problems(const Vec& y, Index folds) {
  std::vector<riata::Problem> problems = {{y, Vec::Ones(y.size()), {}}};
  for (Index fold = 0; fold < folds; ++fold) {
    problems.push_back(problems.front());
    for (Index i = fold; i < y.size(); i += folds) problems.back().weights[i] = 0.0;
  }
  return problems;
}

double xlogx(double x) {
  return x > 0.0 ? x * std::log(x) : 0.0;
}

/// The relative duality gap of the last fit from X, y and the coefficients alone, by the definitions.
double plain_gap(const Data& data, const Vec& weights, const riata::PathResult& fit, bool binomial) {
  const Index n = data.X.rows(), p = data.X.cols();
  const std::size_t last = fit.alphas.size() - 1;
  const double alpha = fit.alphas[last], total = weights.sum(), mean_y = weights.dot(data.y) / total;
  Vec b = Vec::Zero(p), eta = Vec::Constant(n, fit.intercepts[last]);
  for (Index at = fit.coef_indptr[last]; at < fit.coef_indptr[last + 1]; ++at) {
    const std::size_t k = static_cast<std::size_t>(at);
    b[fit.coef_indices[k]] = fit.coef_values[k];
    eta += fit.coef_values[k] * data.X.col(fit.coef_indices[k]);
  }
  const Vec mu = binomial ? Vec(1.0 / (1.0 + (-eta.array()).exp())) : eta;
  const Vec u = weights.cwiseProduct(data.y - mu) / total;
  require(std::abs(u.sum()) <= 1e-12, "the intercept is not optimal");

  double penalty = 0.0, largest = 0.0;
  for (Index j = 0; j < p; ++j) {
    const double mean = weights.dot(data.X.col(j)) / total;
    const Vec centred = data.X.col(j).array() - mean;
    const double scale = std::sqrt(weights.dot(centred.cwiseAbs2()) / total);
    penalty += alpha * scale * std::abs(b[j]);
    if (scale > 0.0) largest = std::max(largest, std::abs(centred.dot(u)) / scale);
  }
  const double shrink = largest > alpha ? alpha / largest : 1.0;  // X'(shrink u) lies within alpha

  double primal = penalty, dual = 0.0, null = 0.0;
  for (Index i = 0; i < n; ++i) {
    const double w = weights[i] / total, y = data.y[i];
    if (w == 0.0) continue;
    const double v = shrink * u[i] / w;
    if (binomial) {
      primal += w * (std::max(eta[i], 0.0) + std::log1p(std::exp(-std::abs(eta[i]))) - y * eta[i]);
      dual -= w * (xlogx(y - v) + xlogx(1.0 - y + v));
    } else {
      primal += 0.5 * w * (y - eta[i]) * (y - eta[i]);
      dual += w * v * (y - 0.5 * v);
      null += 0.5 * w * (y - mean_y) * (y - mean_y);
    }
  }
  if (binomial) null = -xlogx(mean_y) - xlogx(1.0 - mean_y);
  return (primal - dual) / null;
}

void bench(const Options& o, Index folds, const Data& data, const riata::Design& X, double read_s, double pass_s,
           const riata::bench::Report& report) {
  riata::PathOptions options;
  options.loss = o.binomial() ? "binomial" : "gaussian";
  options.n_alphas = o.alphas;
  options.eps = 0.01;
  options.stop_early = false;
  options.threads = static_cast<int>(o.threads);
  const std::vector<riata::Problem> problems = make_problems(data.y, folds);

  std::vector<riata::PathResult> fits;
  std::vector<riata::Counters> runs;
  const auto run = [&] {
    fits = riata::fit_paths(X, problems, {}, options);
    runs.push_back(fits.front().counters);
  };
  const auto seconds = riata::bench::measure(run, o.runs);
  runs.erase(runs.begin());  // the warm-up
  std::sort(runs.begin(), runs.end(), [](const auto& a, const auto& b) { return a.seconds_total < b.seconds_total; });
  const riata::Counters& typical = runs[runs.size() / 2];

  double gap = 0.0;
  Index support = 0;
  for (std::size_t f = 0; f < fits.size(); ++f) {
    const riata::PathResult& fit = fits[f];
    require(static_cast<Index>(fit.alphas.size()) == o.alphas, "not every alpha was fitted");
    for (const double g : fit.dual_gaps) {
      require(g <= options.tol, "a gap is above tol");
      gap = std::max(gap, g);
    }
    for (const Index active : fit.n_active) support = std::max(support, active);
    const double plain = plain_gap(data, problems[f].weights, fit, o.binomial());
    require(std::abs(plain - fit.dual_gaps.back()) <= 1e-9, "the last gap is not what the data say");
  }
  report.row(folds > 0 ? "cross-validation" : "path", seconds,
             {options.loss.name().data(), o.alphas, folds, read_s, pass_s, seconds.median / pass_s, typical.passes,
              typical.products, typical.newton_steps, typical.factor_updates, typical.seconds_stream,
              typical.seconds_inner, gap, support});
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  riata::bench::parse_options(argc, argv,
                              {{"n", &o.n},
                               {"p", &o.p},
                               {"alphas", &o.alphas},
                               {"threads", &o.threads},
                               {"seed", &o.seed},
                               {"loss", &o.loss},
                               {"folds", &o.folds},
                               {"runs", &o.runs}});
  riata::bench::require_option(o.n > 1 && o.p > 0 && o.alphas > 0 && o.threads > 0 && o.loss < 2 && o.folds != 1,
                               "--n must be at least 2, --p, --alphas and --threads positive, --loss 0 or 1, and "
                               "--folds 0 or at least 2");
  const riata::bench::Report report(o.n, o.p, o.threads,
                                    "loss,alphas,folds,read_s,pass_s,median_over_pass,passes,products,newton_steps,"
                                    "factor_updates,stream_s,inner_s,largest_gap,largest_support");
  const int threads = static_cast<int>(o.threads);
  const Data data = simulate(o);
  const auto X = riata::dense_design(data.X.data(), o.n, o.p, 1, o.n);
  std::vector<Index> all(static_cast<std::size_t>(o.p));
  std::iota(all.begin(), all.end(), Index{0});
  const std::size_t bytes = static_cast<std::size_t>(data.X.size()) * sizeof(double);
  const auto read =
      riata::bench::measure([&] { riata::bench::sink = riata::bench::plain_read(data.X.data(), bytes, threads); });
  const Mat r = data.y.array() - data.y.mean();
  Mat c(o.p, 1);
  const auto pass = riata::bench::measure([&] { X->correlate(all, r, c, threads); });
  require((c - data.X.transpose() * r).norm() <= 1e-12 * c.norm(), "correlate");

  bench(o, 0, data, *X, read.median, pass.median, report);
  if (o.folds > 0) bench(o, o.folds, data, *X, read.median, pass.median, report);
}
