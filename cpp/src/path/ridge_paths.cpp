#include "path/ridge_paths.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <memory>
#include <numeric>
#include <span>
#include <string>

#include "certify/duality_gap.hpp"
#include "design/shared_pool.hpp"
#include "path/asked_grid.hpp"
#include "path/grid_group.hpp"
#include "path/memory_budget.hpp"
#include "path/poll_relay.hpp"
#include "path/result_writer.hpp"
#include "path/sample_kernel.hpp"
#include "path/sample_ridge.hpp"
#include "riata/parallel.hpp"
#include "solver/column_norms.hpp"

namespace riata {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Index kMostRows = 12000;        // K of 1.2 GB, and a few hours for its tridiagonal form beyond
constexpr double kMostKernelBytes = 4e9;  // of all weight vectors
constexpr double kBatchBytes = 128e6;     // of the coefficients of one pass
constexpr double kLeastNull = 1e-20;      // see Certifier: what is left is rounding
constexpr double kEnough = 1e-2;          // of the tolerance, for what solutions leave of the gap
constexpr double kKernelCopies = 3.0;     // of K, while it is made tridiagonal
constexpr double kFreeReach = 2.0;        // as in DualityGap
constexpr Index kColumns = 1024;          // of X at a time

double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double factor_of(const Features& features, Index j) {
  return features.penalty_factor.size() > 0 ? features.penalty_factor[j] : 1.0;
}

bool bounded(const Features& features) {
  const auto some = [](const Vec& v) { return v.size() > 0 && v.array().isFinite().any(); };
  return some(features.lower) || some(features.upper);
}

/// Weight vectors that differ, n x groups, and which of them each problem has.
struct Weights {
  explicit Weights(const std::vector<Problem>& problems) : of(problems.front().weights.size(), 0) {
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
  Mat of;
  std::vector<Index> group;
};

/// One problem.
struct Fit {
  Fit(const SharedPool& shared, Response response, const Features& features, const PathOptions& options, Vec mean,
      Vec variance)
      : Fit(shared, response, features, options, mean, variance,
            ColumnNorms(options, features, 1.0, mean, variance, {})) {}
  Fit(const SharedPool& shared, Response& response, const Features& features, const PathOptions& options, Vec& mean,
      Vec& scale, ColumnNorms norms)
      : loss(std::move(response.loss)),
        columns(shared, options.fit_intercept, 1, 1, std::move(mean), std::move(scale)),
        penalty(options, features, 1, columns.scale()),
        none(0),
        predictor(*loss, columns, none, options.fit_intercept, std::move(response.offset)),
        gap(*loss, predictor, norms.largest_norm),
        writer(*loss, penalty, columns, features, options, response),
        free(std::move(norms.unpenalised)),
        largest_norm(norms.largest_norm) {
    writer.result().spread = std::move(norms.spread);
    for (Index j = 0; j < columns.scale().size(); ++j) {
      if (norms.usable[static_cast<std::size_t>(j)]) usable.push_back(j);
    }
  }

  std::unique_ptr<Loss> loss;
  StandardizedColumns columns;
  PenaltyFamily penalty;
  WorkingSet none;
  LinearPredictor predictor;
  DualityGap gap;
  ResultWriter writer;
  std::vector<Index> free, usable;
  double largest_norm, gap_unit = 0.0;
  std::optional<SampleRidge> ridge;
  std::vector<SampleRidge::Point> points;  // solved, not certified yet
};

/// What a pass makes of the points of one problem.
struct Reading {
  Mat rhs;                 // a, and the dual points where these are not lambda a
  Vec sums;                // of its columns
  Mat b, eta;              // scaled coefficients, p x points; Xs b
  Mat slope;               // of free columns, those of the dual points
  Vec penalty, conjugate;  // of each point, over lambda and times lambda
};

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
        threads_(X.traits().concurrent ? options.threads : 1) {
    if (options.loss.is<losses::Cox>()) inner_options_.fit_intercept = true;
    inner_options_.poll = [this] { relay_.check(); };
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
  struct Group {
    Index leader;
    std::vector<Fit*> fits;  // the leader, then in order
    std::vector<std::size_t> problems;
    std::vector<double> grid;
    Index solved = 0, reported = 0, retained = 0;
    Outcome outcome = Outcome::kGoesOn;

    bool goes_on() const { return outcome == Outcome::kGoesOn; }
    Index total() const { return static_cast<Index>(grid.size()); }
    const PathResult& result() const { return fits.front()->writer.result(); }
  };

  double memory() const {
    const double p = static_cast<double>(X_.cols()), problems = static_cast<double>(given_.size());
    const double n = static_cast<double>(X_.rows()), count = static_cast<double>(options_.count());
    return beside_ + SampleKernels::memory(X_, weights_.of.cols()) + kKernelCopies * 8.0 * n * n +
           least_memory(X_, given_, features_, options_) + 16.0 * p * count * problems +
           8.0 * problems * (5.0 * n * count + p * std::min(count, static_cast<double>(batch_size())));
  }

  Index batch_size() const {
    const double numbers = static_cast<double>(X_.cols()) * static_cast<double>(given_.size());
    return std::clamp<Index>(static_cast<Index>(kBatchBytes / (8.0 * numbers)), 1, options_.count());
  }

  std::optional<std::vector<PathResult>> run_to_end(const NullFits& null_fits) {
    const auto start = Clock::now();
    if (!setup(null_fits)) return std::nullopt;
    counters_.seconds_stream += since(start);
    counters_.memory = memory();
    while (std::any_of(groups_.begin(), groups_.end(), [](const Group& group) { return group.goes_on(); })) {
      fit_batch();
      report();
    }
    counters_.seconds_total = since(start);
    counters_.passes = counters_.columns_streamed / static_cast<double>(X_.cols());
    std::vector<PathResult> results(given_.size());
    for (Group& group : groups_) {
      for (std::size_t i = 0; i < group.fits.size(); ++i) {
        Fit& fit = *group.fits[i];
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
    for (const Problem& problem : given_) responses.emplace_back(problem, inner_options_);
    std::vector<Index> free;
    for (Index j = 0; j < p; ++j) {
      if (factor_of(features_, j) == 0.0) free.push_back(j);
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
      if (!(left > kLeastNull * response.deviance) || left < response.loss->separation()) return false;
      null_eta.push_back(std::move(eta));
    }
    SampleKernels made = sample_kernels(X_, features_, inner_options_, weights_.of, weights_.group, null_u, counters_);
    kernels_ = std::move(made.kernel);
    shared_ = std::make_unique<SharedPool>(X_, inner_options_.fit_intercept, SharedPool::Use::kPart, made.mean.front(),
                                           made.variance.front().cwiseMax(0.0).cwiseSqrt());
    for (Index f = 0; f < count; ++f) {
      const std::size_t at = static_cast<std::size_t>(f), g = static_cast<std::size_t>(weights_.group[at]);
      fits_.push_back(std::make_unique<Fit>(*shared_, std::move(responses[at]), features_, inner_options_, made.mean[g],
                                            made.variance[g]));
      make_ready(*fits_.back(), raw, free, nulls.empty() ? nullptr : &nulls[at], null_eta[at],
                 made.null_products.col(f), kernels_[g]);
    }
    make_groups();
    return true;
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

  void make_ready(Fit& fit, const Mat& raw, const std::vector<Index>& free, const PathResult* null, const Vec& null_eta,
                  const Vec& null_c, const Mat& kernel) {
    Mat z(X_.rows(), static_cast<Index>(fit.free.size()));
    Vec gamma(z.cols()), g = Vec::Zero(1);
    for (std::size_t k = 0; k < fit.free.size(); ++k) {
      const Index j = fit.free[k], from = std::lower_bound(free.begin(), free.end(), j) - free.begin();
      const double scale = fit.columns.scale()[j];
      z.col(static_cast<Index>(k)) = (raw.col(from).array() - fit.columns.centre(j)) / scale;
      gamma[static_cast<Index>(k)] = null->coef(0).coeff(j) * scale;
    }
    Vec base = z * gamma;
    if (fit.predictor.offset().size() > 0) base += fit.predictor.offset();
    for (Index i = 0; i < base.size(); ++i) {
      if (fit.loss->omega()[i] > 0.0) {
        g[0] = null_eta[i] - base[i];
        break;
      }
    }
    fit.gap.set_free_columns(std::move(z));
    PathResult& r = fit.writer.result();
    r.null_objective = fit.loss->value(null_eta);
    std::vector<Index> penalised;
    for (const Index j : fit.usable) {
      if (factor_of(features_, j) > 0.0) penalised.push_back(j);
    }
    Vec c(static_cast<Index>(penalised.size()));
    for (Index k = 0; k < c.size(); ++k) c[k] = null_c[penalised[static_cast<std::size_t>(k)]];
    r.alpha_max = fit.penalty.lambda_max(penalised, c, kLeastRatio);
    fit.gap_unit = r.null_objective - r.saturated_objective;
    fit.ridge.emplace(*fit.loss, fit.predictor, fit.gap, kernel, kEnough * options_.tol * fit.gap_unit,
                      inner_options_.poll);
    fit.ridge->start_at(gamma, g);
  }

  void make_groups() {
    for (std::size_t f = 0; f < given_.size(); ++f) {
      if (given_[f].leader != static_cast<Index>(f)) continue;
      Group& group = groups_.emplace_back();
      group.leader = static_cast<Index>(f);
      const auto take = [&](std::size_t k) {
        group.fits.push_back(fits_[k].get());
        group.problems.push_back(k);
      };
      take(f);
      for (std::size_t k = 0; k < given_.size(); ++k) {
        if (k != f && given_[k].leader == group.leader) take(k);
      }
      const Index rows = (given_[f].weights.array() > 0.0).count();
      group.grid = asked_grid(options_, asked_, rows, group.result().alpha_max);
    }
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
    std::vector<Fit*> solved;
    for (Group& group : groups_) {
      if (!group.goes_on()) continue;
      const Index size = std::min(batch_size(), group.total() - group.solved);
      const std::span<const double> lambdas(group.grid.data() + group.solved, static_cast<std::size_t>(size));
      for (Fit* fit : group.fits) {
        fit->points = fit->ridge->solve(lambdas);
        for (const auto& point : fit->points) counters_.newton_steps += point.steps;
        solved.push_back(fit);
      }
      group.solved += size;
    }
    counters_.seconds_inner += since(start);
    const auto reading = Clock::now();
    certify(solved);
    ++counters_.rounds;
    counters_.seconds_stream += since(reading);
  }

  /// Coefficients and certificates of the points, from the data: one pass.
  void certify(const std::vector<Fit*>& fits) {
    const Index p = X_.cols(), step = columns_at_a_time(X_, kColumns);
    std::vector<Reading> readings;
    for (const Fit* fit : fits) readings.push_back(begin(*fit));
    for (Index first = 0; first < p; first += step) {
      const Index size = std::min(step, p - first);
      std::vector<Index> columns(static_cast<std::size_t>(size));
      std::iota(columns.begin(), columns.end(), first);
      for (std::size_t f = 0; f < fits.size(); ++f) read(*fits[f], columns, readings[f]);
    }
    counters_.columns_streamed += static_cast<double>(p);
    for (std::size_t f = 0; f < fits.size(); ++f) finish(*fits[f], readings[f]);
  }

  Reading begin(const Fit& fit) {
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

  void read(const Fit& fit, const std::vector<Index>& columns, Reading& out) const {
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
      factor[k] = factor_of(features_, j);
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

  void finish(Fit& fit, Reading& reading) {
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
      for (Index j = 0; j < at.gamma.size(); ++j)
        of.dual -= kFreeReach * unit * std::abs(reading.slope(j, q) * at.gamma[j]);
      of.dual = std::max(of.dual, r.saturated_objective);
      of.gap = (of.primal - of.dual) / fit.gap_unit;
      fit.writer.add(p, fit.usable, fit.gap.free_columns(), of);
    }
    fit.points.clear();
  }

  /// Tells what has been fitted since, and applies the stopping rules.
  void report() {
    bool wanted = true;
    for (Group& group : groups_) {
      if (!group.goes_on()) continue;
      group.outcome = report(group, wanted);
      wanted = wanted && group.outcome != Outcome::kInterrupted;
    }
    for (Group& group : groups_) {
      if (!wanted && group.goes_on()) group.outcome = Outcome::kInterrupted;
      if (group.goes_on() && group.reported == group.total()) group.outcome = Outcome::kComplete;
    }
  }

  Outcome report(Group& group, bool wanted) {
    const PathResult& r = group.result();
    for (; group.reported < group.solved; ++group.reported) {
      const std::size_t i = static_cast<std::size_t>(group.reported);
      group.retained = group.reported + 1;
      if (wanted && options_.held_out) tell_held_out(group);
      Index done = 1, total = 0;
      for (const Group& other : groups_) {
        done += other.goes_on() ? other.reported : other.total();
        total += other.total();
      }
      if (wanted && options_.progress &&
          !options_.progress(done, total, r.alphas[i], r.n_active[i], r.dual_gaps[i],
                             counters_.columns_streamed / static_cast<double>(X_.cols()))) {
        return Outcome::kInterrupted;
      }
      if (options_.alphas.empty() && options_.stop_early &&
          group.fits.front()->writer.leaves_at_most(kUnexplained, i)) {
        return Outcome::kDeviance;
      }
    }
    return Outcome::kGoesOn;
  }

  void tell_held_out(const Group& group) const {
    std::vector<Vec> predictors(given_.size());
    for (std::size_t i = 0; i < group.fits.size(); ++i) {
      predictors[group.problems[i]] = group.fits[i]->writer.result().linear_predictor.col(group.reported);
    }
    options_.held_out(predictors);
  }

  const Design& X_;
  const std::vector<Problem>& given_;
  const Features& features_;
  const PathOptions& options_;
  PathOptions inner_options_;
  Index asked_;
  double beside_;
  Weights weights_;
  PollRelay relay_;
  int threads_;
  Counters counters_;
  std::vector<Mat> kernels_;
  std::unique_ptr<SharedPool> shared_;
  std::vector<std::unique_ptr<Fit>> fits_;
  std::vector<Group> groups_;
};

/// Whether the problem is one that has a solution in the space of samples, and more columns than rows.
bool suits(const Design& X, const std::vector<Problem>& problems, const Features& features,
           const PathOptions& options) {
  if (options.l1_ratio != 0.0 || !options.penalty.is<penalties::ElasticNet>() || options.solver != Solver::kAuto)
    return false;
  if (options.loss.is<losses::Multigaussian>() || options.loss.is<losses::Multinomial>()) return false;
  if (options.max_active >= 0 || X.rows() > kMostRows || problems.empty() || bounded(features)) return false;
  // A state that is there already is that of the other way.
  if (!options.checkpoint.empty() && std::filesystem::exists(std::filesystem::path(options.checkpoint))) return false;
  Index penalised = 0;
  for (Index j = 0; j < X.cols(); ++j) {
    const double v = factor_of(features, j);
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
