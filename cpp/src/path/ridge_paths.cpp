#include "path/ridge_paths.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <memory>
#include <span>

#include "design/shared_pool.hpp"
#include "parallel.hpp"
#include "path/asked_grid.hpp"
#include "path/certifier.hpp"
#include "path/elapsed.hpp"
#include "path/grid_report.hpp"
#include "path/memory_budget.hpp"
#include "path/poll_relay.hpp"
#include "path/ridge_bases.hpp"
#include "path/ridge_fit.hpp"
#include "path/ridge_pass.hpp"
#include "path/sample_kernel.hpp"

namespace riata {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Index kMostRows = 12000;        // K of 1.2 GB, and minutes for its tridiagonal form
constexpr double kMostKernelBytes = 4e9;  // of all weight vectors
constexpr double kBatchBytes = 128e6;     // of the coefficients of one pass
constexpr double kNumbersAPoint = 5.0;    // for each row, of a solution
constexpr double kKernelCopies = 3.0;     // of K, while it is made tridiagonal

bool bounded(const Features& features) {
  const auto some = [](const Vec& v) { return v.size() > 0 && v.array().isFinite().any(); };
  return some(features.lower) || some(features.upper);
}

class RidgePaths {
 public:
  RidgePaths(const Design& X, const std::vector<Problem>& problems, const Features& features,
             const PathOptions& options, Index asked, double beside)
      : X_(X),
        given_(problems),
        features_(features),
        options_(options),
        inner_options_(options),
        asked_(asked),
        beside_(beside),
        weights_(problems),
        relay_(options.poll),
        threads_(X.traits().concurrent ? options.threads : 1),
        plan_(X, static_cast<Index>(problems.size()), weights_.of.cols(), options.count()) {
    if (options.loss.is<losses::Cox>()) inner_options_.fit_intercept = true;
    inner_options_.poll = [this] { relay_.check(); };
    // Not where passes over X are dear: products of rows take one.
    const bool suits = options.loss.is<losses::Gaussian>() && options.alphas_per_pass <= 1 && options.tol > 0.0;
    if (!suits || (options.memory > 0.0 && memory() > options.memory)) plan_.most = 0;
  }

  /// Whether K fits.
  bool fits() const {
    const double kernels = SampleKernels::memory(X_, weights_.of.cols());
    return kernels <= kMostKernelBytes && (options_.memory == 0.0 || memory() <= options_.memory);
  }

  std::optional<std::vector<PathResult>> run(const NullFits& null_fits) {
    const PollScope polling(inner_options_.poll);
    try {
      return run_to_end(null_fits);
    } catch (...) {
      relay_.rethrow();
      throw;
    }
  }

 private:
  double memory() const {
    const double p = static_cast<double>(X_.cols()), problems = static_cast<double>(given_.size());
    const double n = static_cast<double>(X_.rows()), count = static_cast<double>(options_.count());
    const double rows_held = kNumbersAPoint + (options_.tell_every_row ? 1.0 : 0.0);
    return beside_ + SampleKernels::memory(X_, weights_.of.cols()) + kKernelCopies * 8.0 * n * n +
           least_memory(X_, given_, features_, options_) + 16.0 * p * count * problems +
           8.0 * problems * (rows_held * n * count + p * std::min(count, static_cast<double>(batch_size()))) +
           (plan_.most > 0 ? plan_.memory : 0.0);
  }

  double passes() const { return counters_.columns_streamed / static_cast<double>(X_.cols()); }

  Index batch_size() const {
    const double numbers = static_cast<double>(X_.cols()) * static_cast<double>(given_.size());
    return std::clamp<Index>(static_cast<Index>(kBatchBytes / (8.0 * numbers)), 1, options_.count());
  }

  std::optional<std::vector<PathResult>> run_to_end(const NullFits& null_fits) {
    const auto start = Clock::now();
    if (!setup(null_fits)) return std::nullopt;
    counters_.seconds_stream += since(start);
    counters_.memory = memory();
    while (any_goes_on(groups_)) {
      fit_batch();
      GridReport(options_, given_, passes()).tell(groups_);
    }
    counters_.seconds_total = since(start);
    counters_.passes = passes();
    std::vector<PathResult> results(given_.size());
    for (auto& group : groups_) {
      for (std::size_t i = 0; i < group.fits.size(); ++i) {
        RidgeFit& fit = *group.fits[i];
        fit.writer.truncate(group.retained);
        PathResult& result = results[group.problems[i]] = fit.writer.take(fit.columns);
        result.counters = counters_;
        result.stopped = name_of(group.outcome);
      }
    }
    return results;
  }

  /// Reads X for K and makes every problem ready; false where the null fits explain all there is, or separate.
  bool setup(const NullFits& null_fits) {
    const Index n = X_.rows(), p = X_.cols(), count = static_cast<Index>(given_.size());
    std::vector<Response> responses;
    for (const Problem& problem : given_) {
      responses.emplace_back(response_of(given_, problem), problem.weights, inner_options_);
    }
    std::vector<Index> free;
    for (Index j = 0; j < p; ++j) {
      if (features_.factor(j) == 0.0) free.push_back(j);
    }
    Mat raw(n, static_cast<Index>(free.size())), null_u(n, count);
    if (!free.empty()) X_.gather(free, raw, threads_);
    std::vector<PathResult> nulls;
    if (!free.empty()) nulls = fit_nulls(null_fits);
    std::vector<Vec> null_eta;
    for (Index f = 0; f < count; ++f) {
      const Response& response = responses[static_cast<std::size_t>(f)];
      Vec eta = response.eta;
      if (!free.empty()) {
        const PathResult& null = nulls[static_cast<std::size_t>(f)];
        if (null.exhausted || null.separated || null.alphas.empty()) return false;
        eta.setConstant(null.intercepts.front() - response.y_shift[0]);
        const Vec coef = null.coef(0);
        for (std::size_t k = 0; k < free.size(); ++k) eta += coef[free[k]] * raw.col(static_cast<Index>(k));
        if (response.offset.size() > 0) eta += response.offset;
      }
      Vec u, h;
      response.loss->derivatives(eta, u, h);
      null_u.col(f) = u;
      const double left = response.loss->value(eta) - response.loss->saturated();
      if (!(left > kNothingLeft * response.deviance) || left < response.loss->separation()) return false;
      null_eta.push_back(std::move(eta));
    }
    const auto read = [&](bool with_kernel) {
      return sample_kernels(X_, features_, inner_options_, weights_.of, weights_.group, null_u, with_kernel, counters_);
    };
    SampleKernels made = read(plan_.most == 0);
    kernels_ = std::move(made.kernel);
    shared_ = std::make_unique<SharedPool>(X_, inner_options_.fit_intercept, SharedPool::Use::kPart, made.mean.front(),
                                           made.variance.front().cwiseMax(0.0).cwiseSqrt());
    for (Index f = 0; f < count; ++f) {
      const std::size_t at = static_cast<std::size_t>(f), g = static_cast<std::size_t>(weights_.group[at]);
      fits_.push_back(std::make_unique<RidgeFit>(*shared_, std::move(responses[at]), features_, inner_options_,
                                                 made.mean[g], made.variance[g]));
      fits_.back()->start(features_, inner_options_, raw, free,
                          {std::move(null_eta[at]), nulls.empty() ? nullptr : &nulls[at]}, made.null_products.col(f),
                          kernels_[g]);
    }
    make_groups();
    if (plan_.most > 0 && !make_bases()) {
      SampleKernels again = read(true);
      for (std::size_t g = 0; g < kernels_.size(); ++g) kernels_[g].swap(again.kernel[g]);
      plan_.most = 0;
    }
    if (plan_.most == 0) share_factors();
    return true;
  }

  bool make_bases() {
    std::vector<RidgeFit*> fits;
    std::vector<const std::vector<double>*> lambdas;
    for (auto& group : groups_) {
      for (RidgeFit* fit : group.fits) {
        fits.push_back(fit);
        lambdas.push_back(&group.grid);
      }
    }
    return find_bases(X_, features_, inner_options_, threads_, plan_, fits, lambdas, counters_);
  }

  std::vector<PathResult> fit_nulls(const NullFits& null_fits) const {
    Features alone = features_;
    for (double& v : alone.penalty_factor) v = v > 0.0 ? kInfinity : 0.0;
    PathOptions options;
    options.loss = options_.loss;
    options.fit_intercept = options_.fit_intercept;
    options.standardize = options_.standardize;
    options.tol = options_.tol;
    options.threads = options_.threads;
    options.alphas = {1.0};
    options.poll = options_.poll;
    return null_fits(alone, options);
  }

  void make_groups() {
    groups_ = grid_groups(given_, fits_);
    for (auto& group : groups_) {
      const Index rows = (given_[group.problems.front()].weights.array() > 0.0).count();
      group.grid = asked_grid(options_, asked_, rows, group.front().result().alpha_max);
    }
  }

  void share_factors() {
    if (!options_.loss.is<losses::Gaussian>()) return;
    std::vector<std::shared_ptr<const SampleFactor>> factors(kernels_.size());
    for (std::size_t f = 0; f < fits_.size(); ++f) {
      auto& factor = factors[static_cast<std::size_t>(weights_.group[f])];
      if (factor) fits_[f]->ridge->share(factor);
      factor = fits_[f]->ridge->factor_of_squares();
    }
  }

  void fit_batch() {
    const auto start = Clock::now();
    std::vector<RidgeFit*> solved;
    for (auto& group : groups_) {
      if (!group.goes_on()) continue;
      const Index size = std::min(batch_size(), group.total() - group.front().fitted());
      const std::span<const double> lambdas(group.grid.data() + group.front().fitted(), static_cast<std::size_t>(size));
      for (RidgeFit* fit : group.fits) {
        if (fit->basis) {
          fit->in_basis = fit->basis->solutions(lambdas);
          fit->points = fit->ridge->solutions(*fit->basis, fit->in_basis, lambdas);
        } else {
          fit->points = fit->ridge->solve(lambdas);
        }
        for (const auto& point : fit->points) counters_.newton_steps += point.steps;
        solved.push_back(fit);
      }
    }
    counters_.seconds_inner += since(start);
    const auto reading = Clock::now();
    RidgePass(X_, features_, threads_, counters_).certify(solved);
    ++counters_.rounds;
    counters_.seconds_stream += since(reading);
  }

  const Design& X_;
  const std::vector<Problem>& given_;
  const Features& features_;
  const PathOptions& options_;
  PathOptions inner_options_;
  Index asked_;
  double beside_;
  DistinctWeights weights_;
  PollRelay relay_;
  int threads_;
  BasisPlan plan_;
  Counters counters_;
  std::vector<Mat> kernels_;
  std::unique_ptr<SharedPool> shared_;
  std::vector<std::unique_ptr<RidgeFit>> fits_;
  std::vector<GridGroup<RidgeFit>> groups_;
};

/// Whether the problem is one that has a solution in the space of samples, and more columns than rows.
bool suits(const Design& X, const std::vector<Problem>& problems, const Features& features,
           const PathOptions& options) {
  if (options.l1_ratio != 0.0 || !options.penalty.is<penalties::ElasticNet>() || options.solver != Solver::kAuto)
    return false;
  if (options.loss.is<losses::Multigaussian>() || options.loss.is<losses::Multinomial>()) return false;
  if (options.max_active >= 0 || options.max_groups >= 0) return false;
  if (X.rows() > kMostRows || problems.empty() || bounded(features)) return false;
  // A state that is there already is that of the other way.
  if (!options.checkpoint.empty() && std::filesystem::exists(std::filesystem::path(options.checkpoint))) return false;
  Index penalised = 0;
  for (Index j = 0; j < X.cols(); ++j) {
    const double v = features.factor(j);
    if (v > 0.0 && v < kInfinity) ++penalised;
  }
  return penalised > X.rows();
}

}  // namespace

std::optional<std::vector<PathResult>> ridge_paths(const Design& X, const std::vector<Problem>& problems,
                                                   const Features& features, const PathOptions& options, Index asked,
                                                   double beside, const NullFits& null_fits) {
  if (!suits(X, problems, features, options)) return std::nullopt;
  RidgePaths paths(X, problems, features, options, asked, beside);
  if (!paths.fits()) return std::nullopt;
  return paths.run(null_fits);
}

}  // namespace riata
