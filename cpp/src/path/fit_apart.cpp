#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "parallel.hpp"
#include "path/memory_budget.hpp"
#include "path/response.hpp"
#include "path/validate.hpp"

namespace riata {
namespace {

/// Some rows of n x K numbers, or none of none.
Vec rows_of(const Vec& values, Index n, const std::vector<Index>& rows) {
  if (values.size() == 0) return {};
  const Index outputs = values.size() / n;
  const Mat taken = values.reshaped(n, outputs)(rows, Eigen::all);
  return taken.reshaped();
}

/// A problem on the rows that it weighs, which it lists.
struct OwnRows {
  std::vector<Index> rows;
  Problem problem;

  OwnRows(const Problem& given, const Problem& response) {
    const Index n = given.weights.size();
    for (Index i = 0; i < n; ++i) {
      if (given.weights[i] > 0.0) rows.push_back(i);
    }
    problem.y = rows_of(response.y, n, rows);
    problem.weights = rows_of(given.weights, n, rows);
    problem.offset = rows_of(response.offset, n, rows);
    problem.survival.event = rows_of(response.survival.event, n, rows);
    problem.survival.start = rows_of(response.survival.start, n, rows);
    problem.survival.stratum = rows_of(response.survival.stratum, n, rows);
    problem.survival.efron = response.survival.efron;
  }
};

std::vector<Problem> weighted(const Design& X, const std::vector<Problem>& problems) {
  std::vector<Problem> out = problems;
  for (Problem& problem : out) {
    if (problem.weights.size() == 0) problem.weights = Vec::Ones(X.rows());
  }
  return out;
}

void check(const Design& X, const std::vector<Problem>& problems, const Features& features,
           const PathOptions& options) {
  PathOptions unbounded = options;
  unbounded.memory = 0.0;
  validate(X, problems, features, unbounded);
  for (std::size_t f = 0; f < problems.size(); ++f) {
    if (problems[f].leader != static_cast<Index>(f)) {
      throw std::invalid_argument("problems that are fitted apart must lead themselves, got leader " +
                                  std::to_string(problems[f].leader) + " of problem " + std::to_string(f));
    }
  }
  if (!X.traits().concurrent) throw std::invalid_argument("X must be safe to read from several threads for fits apart");
  if (!options.checkpoint.empty()) throw std::invalid_argument("checkpoint must be empty for fits apart");
  if (options.keep_linear_predictor || options.tell_every_row) {
    throw std::invalid_argument("keep_linear_predictor and tell_every_row must be false for fits apart");
  }
}

/// Fits apart, each taken by one of several threads. The one that called looks after signals and progress meanwhile.
class FitsApart {
 public:
  FitsApart(const Design& X, const std::vector<Problem>& problems, const Features& features, const PathOptions& options)
      : X_(X), problems_(problems), features_(features), options_(options) {}

  std::vector<PathResult> run() {
    std::vector<PathResult> results(problems_.size());
    const auto work = [&] {
      parallel_for(static_cast<Index>(problems_.size()), options_.threads, [&](Index f) {
        results[static_cast<std::size_t>(f)] = fit(problems_[static_cast<std::size_t>(f)]);
      });
    };
    watch();
    on_fresh_thread(work, [this] { watch(); }, [this] { failed_ = true; });
    watch();                                          // what came since
    if (ended_) results.back().stopped = "progress";  // if by the last word, of fits that are complete
    return results;
  }

 private:
  struct Report {
    Index done, total;
    double alpha;
    Index active;
    double gap, passes;
  };

  PathResult fit(const Problem& given) {
    if (ended_) return without_fit("progress");
    const OwnRows own(given, response_of(problems_, given));
    const std::shared_ptr<const Design> rows = X_.rows_subset(own.rows);
    const std::vector<Problem> alone{own.problem};
    PathOptions asking = options_;
    asking.threads = 1;
    asking.poll = [this] {
      if (failed_) throw std::runtime_error("stopped by the calling thread");
    };
    asking.progress = [this](Index done, Index total, double alpha, Index active, double gap, double passes) {
      const std::lock_guard lock(mutex_);
      latest_ = Report{done, total, alpha, active, gap, passes};
      return !ended_;
    };
    if (options_.memory > 0.0) {
      asking.memory = options_.memory / static_cast<double>(problems_.size()) - rows->bytes();
      if (asking.memory < least_memory(*rows, alone, features_, asking)) return without_fit("memory");
    }
    return std::move(fit_paths(*rows, alone, features_, asking).front());
  }

  static PathResult without_fit(const char* why) {
    PathResult out;
    out.stopped = why;
    return out;
  }

  void watch() {
    if (options_.poll) options_.poll();
    std::optional<Report> report;
    {
      const std::lock_guard lock(mutex_);
      report = std::exchange(latest_, std::nullopt);
    }
    if (!report || !options_.progress || ended_) return;
    ended_ =
        !options_.progress(report->done, report->total, report->alpha, report->active, report->gap, report->passes);
  }

  const Design& X_;
  const std::vector<Problem>& problems_;
  const Features& features_;
  const PathOptions& options_;
  std::mutex mutex_;
  std::optional<Report> latest_;
  std::atomic<bool> ended_{false}, failed_{false};  // by progress, and by what the calling thread threw
};

}  // namespace

std::vector<PathResult> fit_paths_apart(const Design& X, const std::vector<Problem>& problems, const Features& features,
                                        const PathOptions& options) {
  const std::vector<Problem> all = weighted(X, problems);
  check(X, all, features, options);
  return FitsApart(X, all, features, options).run();
}

}  // namespace riata
