#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>

#include "path/checkpoint.hpp"
#include "path/column_reader.hpp"
#include "path/free_basis.hpp"
#include "path/latent_groups.hpp"
#include "path/path_problem.hpp"
#include "riata/error.hpp"
#include "riata/parallel.hpp"
#include "riata/path/lambda_grid.hpp"

namespace riata {
namespace {

// Lambdas solved ahead when every usable column is in the working set: as many, and numbers in one vector of each
// problem for each.
constexpr Index kMaxBatch = 32, kBatchNumbers = 1 << 21;
constexpr Index kWorthThreads = 1000000;  // rows x columns from which problems are spread over threads
constexpr double kUnexplained = 1e-3;     // share of the deviance that is left where a grid stops
constexpr double kLeastTotal = 1e-290;    // of weights: those of single rows keep their digits

using Clock = std::chrono::steady_clock;
double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

[[noreturn]] void refuse(const std::string& message) {
  throw std::invalid_argument(message);
}

bool several_outputs(const PathOptions& options) {
  return options.loss == "multigaussian" || options.loss == "multinomial";
}

/// Held by a problem for each column of X beside its state: what each output's reference subspace makes again counts,
/// and what penalties that tie features together know of every column.
double column_bytes(Index outputs, const PathOptions& options) {
  constexpr double kOutput = 12.0;
  const bool tied = options.penalty == "group" || options.penalty == "slope";
  const double known = tied ? 16.0 + 16.0 * static_cast<double>(outputs) : 0.0;
  return PathProblem::kColumnBytes + kOutput * static_cast<double>(outputs - 1) + known;
}

// Numbers held for each row and output of a problem: in all, those that its state (see path/archive.hpp) leaves out,
// and more for each lambda solved ahead.
constexpr double kRowNumbers = 20.0, kRowNumbersOutsideState = 12.0, kRowNumbersPending = 4.0;

/// Bytes of so many numbers for each row and output of all problems.
double row_bytes(const std::vector<Problem>& problems, double numbers) {
  return 8.0 * numbers * static_cast<double>(problems.front().y.size()) * static_cast<double>(problems.size());
}

/// Bytes that a fit holds beside X before any column is in its working set.
double least_memory(const Design& X, const std::vector<Problem>& problems, const Features& features,
                    const PathOptions& options) {
  const double columns = static_cast<double>(std::max(X.cols(), static_cast<Index>(features.column.size())));
  const Index outputs = X.rows() > 0 ? std::max<Index>(problems.front().y.size() / X.rows(), 1) : 1;
  return columns * (SharedPool::kColumnBytes + column_bytes(outputs, options) * static_cast<double>(problems.size())) +
         row_bytes(problems, kRowNumbers + kRowNumbersPending);
}

/// Members of groups: a column each, or those that `column` lists.
void check_members(Index p, const Features& features) {
  const std::vector<Index>& column = features.column;
  const std::string of = column.empty() ? "column of X" : "entry of column";
  const Index members = column.empty() ? p : static_cast<Index>(column.size());
  if (static_cast<Index>(features.group.size()) != members) refuse("group must have one number for each " + of);
  if (column.empty()) return;
  Index last = -1;
  for (const Index j : column) {
    if (j != last && j != last + 1) refuse("column must list every column of X and not decrease");
    last = j;
  }
  if (last != p - 1) refuse("column must list every column of X and not decrease");
}

void check_penalty(Index p, const Features& features, const PathOptions& o) {
  if (o.penalty != "group" && !features.column.empty())
    refuse("column must be left out with penalty \"" + o.penalty + "\"");
  if (o.penalty == "elastic_net") return;
  const bool group = o.penalty == "group", concave = o.penalty == "mcp" || o.penalty == "scad";
  const std::string quoted = "\"" + o.penalty + "\"";
  if (!group && !concave && o.penalty != "slope") {
    refuse("penalty must be one of \"elastic_net\", \"group\", \"mcp\", \"scad\", \"slope\", got " + quoted);
  }
  if (several_outputs(o) && !group) {
    refuse("penalty " + quoted + " needs a loss of one output, got \"" + o.loss + "\"");
  }
  if (several_outputs(o) && o.solver == "cd") {
    refuse("solver must be \"auto\" or \"prox\" with penalty " + quoted + " and several outputs, got \"cd\"");
  }
  if (features.lower.size() > 0 || features.upper.size() > 0) {
    refuse("lower and upper must be left out with penalty " + quoted);
  }
  if (o.solver == "homotopy") refuse("solver \"homotopy\" is not available with penalty " + quoted);
  if (!group && o.l1_ratio != 1.0) {
    refuse("l1_ratio must be 1 with penalty " + quoted + ", got " + std::to_string(o.l1_ratio));
  }
  const double least = o.penalty == "mcp" ? 1.0 : 2.0;
  if (concave && (!(o.gamma > least) || !std::isfinite(o.gamma))) {
    refuse("gamma must be finite and > " + std::to_string(static_cast<int>(least)) + " with penalty " + quoted +
           ", got " + std::to_string(o.gamma));
  }
  if (concave) return;
  for (const double factor : features.penalty_factor) {
    if (factor != 0.0 && factor != 1.0 && factor != kInfinity) {
      refuse("penalty_factor must be 0, 1 or infinity with penalty " + quoted + ", got " + std::to_string(factor));
    }
  }
  if (group) {
    if (!(o.sparse_share >= 0.0 && o.sparse_share <= 1.0)) {
      refuse("sparse_share must lie in [0, 1], got " + std::to_string(o.sparse_share));
    }
    if (o.l1_ratio == 0.0 && o.sparse_share == 1.0) refuse("l1_ratio must be > 0 where sparse_share is 1");
    check_members(p, features);
    for (const Index g : features.group) {
      if (g < 0 || g >= features.group_weights.size()) {
        refuse("group must hold numbers of group_weights, got " + std::to_string(g));
      }
    }
    if (!(features.group_weights.array() > 0.0).all() || !features.group_weights.allFinite()) {
      refuse("group_weights must be finite and > 0");
    }
    return;
  }
  const Vec& weights = features.sorted_weights;
  if (weights.size() != p) refuse("sorted_weights must have one value for each column of X");
  for (Index i = 0; i < p; ++i) {
    if (!(weights[i] >= 0.0) || !std::isfinite(weights[i]) || (i > 0 && weights[i] > weights[i - 1])) {
      refuse("sorted_weights must be finite, >= 0 and in decreasing order");
    }
  }
  if (!(weights[0] > 0.0)) refuse("sorted_weights must not all be zero");
}

void check(const Design& X, const std::vector<Problem>& problems, const Features& features, const PathOptions& o) {
  const Index n = X.rows(), p = X.cols();
  if (n < 1 || p < 1) refuse("X must have at least one row and one column");
  if (problems.empty()) refuse("problems must not be empty");
  const bool several = several_outputs(o);
  if (o.row_grouped && !several) refuse("row_grouped needs a loss with several outputs, got \"" + o.loss + "\"");
  if ((o.row_grouped || o.loss == "multigaussian") && (features.lower.size() > 0 || features.upper.size() > 0)) {
    refuse("lower and upper must be left out when the coefficients of a feature are grouped");
  }
  for (const Problem& problem : problems) {
    if (several &&
        (problem.y.size() == 0 || problem.y.size() % n != 0 || problem.y.size() != problems.front().y.size())) {
      refuse("y must have the same number of values for each row of X");
    }
    if (!several && problem.y.size() != n) refuse("y must have one value for each row of X");
    if (problem.weights.size() != n) refuse("weights must have one value for each row of X");
    if (problem.leader < 0 || problem.leader >= static_cast<Index>(problems.size()) ||
        problems[static_cast<std::size_t>(problem.leader)].leader != problem.leader) {
      refuse("leader must be the number of a problem that leads, got " + std::to_string(problem.leader));
    }
    if (problem.offset.size() != 0 && problem.offset.size() != problem.y.size())
      refuse(several ? "offset must have as many values as y" : "offset must have one value for each row of X");
    if (!(problem.weights.minCoeff() >= 0.0) || !problem.weights.allFinite()) refuse("weights must be finite and >= 0");
    const double total = problem.weights.sum();
    if (!(total > 0.0)) refuse("weights must not all be zero");
    if (!(total >= kLeastTotal && total <= 1.0 / kLeastTotal)) {
      refuse("weights must have a sum within [1e-290, 1e290]: rescale them");
    }
    for (Index e = 0; e < problem.y.size(); ++e) {
      const Index i = e % n;
      if (problem.weights[i] <= 0.0) continue;
      if (!std::isfinite(problem.y[e])) refuse("y must be finite, got NaN or infinity in row " + std::to_string(i));
      if (problem.offset.size() != 0 && !std::isfinite(problem.offset[e])) {
        refuse("offset must be finite, got NaN or infinity in row " + std::to_string(i));
      }
    }
  }
  const auto check_size = [&](const Vec& v, const char* name) {
    if (v.size() != 0 && v.size() != p) refuse(std::string(name) + " must have one value for each column of X");
  };
  check_size(features.penalty_factor, "penalty_factor");
  check_size(features.lower, "lower");
  check_size(features.upper, "upper");
  if (features.penalty_factor.size() > 0 && !(features.penalty_factor.array() >= 0.0).all()) {
    refuse("penalty_factor must be >= 0");
  }
  if (features.lower.size() > 0 && !(features.lower.array() <= 0.0).all()) refuse("lower must be <= 0");
  if (features.upper.size() > 0 && !(features.upper.array() >= 0.0).all()) refuse("upper must be >= 0");
  if (o.solver != "auto" && o.solver != "homotopy" && o.solver != "cd" && o.solver != "prox") {
    refuse("solver must be one of \"auto\", \"homotopy\", \"cd\", \"prox\", got \"" + o.solver + "\"");
  }
  check_penalty(p, features, o);
  if (!(o.l1_ratio >= 0.0 && o.l1_ratio <= 1.0))
    refuse("l1_ratio must lie in [0, 1], got " + std::to_string(o.l1_ratio));
  if (o.loss == "huber" && (!(o.huber_delta > 0.0) || !std::isfinite(o.huber_delta))) {
    refuse("huber_delta must be finite and > 0, got " + std::to_string(o.huber_delta));
  }
  if (!(o.tol > 0.0)) refuse("tol must be > 0, got " + std::to_string(o.tol));
  if (o.max_iter < 1) refuse("max_iter must be >= 1, got " + std::to_string(o.max_iter));
  if (!(o.checkpoint_seconds >= 0.0))
    refuse("checkpoint_seconds must be >= 0, got " + std::to_string(o.checkpoint_seconds));
  if (o.threads < 1) refuse("threads must be >= 1, got " + std::to_string(o.threads));
  if (o.alphas.empty() && o.n_alphas < 1) refuse("n_alphas must be >= 1, got " + std::to_string(o.n_alphas));
  if (!(o.eps >= 0.0 && o.eps < 1.0))
    refuse("eps must lie in (0, 1), or be 0 for the default, got " + std::to_string(o.eps));
  if (!(o.memory >= 0.0)) refuse("memory must be >= 0, got " + std::to_string(o.memory));
  if (const double least = least_memory(X, problems, features, o); o.memory > 0.0 && o.memory < least) {
    refuse("memory must be at least " + std::to_string(std::llround(least)) +
           " bytes for the rows and columns of X, got " + std::to_string(std::llround(o.memory)));
  }
  if (o.held_out && !o.keep_linear_predictor) refuse("held_out needs keep_linear_predictor");
  for (std::size_t k = 0; k < o.alphas.size(); ++k) {
    if (!(o.alphas[k] > 0.0) || !std::isfinite(o.alphas[k]))
      refuse("alphas must be finite and > 0, got " + std::to_string(o.alphas[k]));
    if (k > 0 && !(o.alphas[k] <= o.alphas[k - 1])) refuse("alphas must be in decreasing order");
  }
}

/// All problems of one call, moved down their grids in step.
class Driver {
 public:
  /// `asked` is the number of features of the fit, which some may stand for (see FreeBasis).
  Driver(const Design& X, const std::vector<Problem>& problems, const Features& features, const PathOptions& options,
         Index asked)
      : X_(X),
        asked_(asked),
        given_(problems),
        features_(features),
        options_(options),
        owner_(std::this_thread::get_id()),
        checkpoint_(X, problems, features, options),
        reader_(X, features.column, copy_for(X, problems, options), room_for_copy(X, problems, features, options),
                options.threads, counters_) {
    // Signals are the business of the thread that called; the others stop when it has thrown.
    inner_options_ = options;
    // Where no intercept can be told, centring columns as with one changes nothing but the rounding.
    if (options.loss == "cox") inner_options_.fit_intercept = true;
    if (options.loss == "multigaussian") inner_options_.row_grouped = true;
    inner_options_.poll = [this] {
      if (stop_) throw std::runtime_error("stopped by the calling thread");
      if (!options_.poll || std::this_thread::get_id() != owner_) return;
      try {
        options_.poll();
      } catch (...) {
        why_ = std::current_exception();
        stop_ = true;
        throw;
      }
    };
  }

  std::vector<PathResult> run() {
    const PollScope polling(inner_options_.poll);
    try {
      return run_to_end();
    } catch (...) {
      if (why_) std::rethrow_exception(why_);  // not the echo of it from another thread
      throw;
    }
  }

  /// See path/archive.hpp. Between lambdas; what setup() makes is there already.
  template <class Archive>
  void state(Archive& archive) {
    std::vector<Index> gathered = shared_->features(), batches = shared_->batches();
    archive(gathered, batches);
    if constexpr (Archive::reading) {  // as they came
      std::span<const Index> rest = gathered;
      for (const Index size : batches) {
        shared_->require(rest.first(static_cast<std::size_t>(size)), options_.threads, counters_);
        rest = rest.subspan(static_cast<std::size_t>(size));
      }
    }
    for (Group& group : groups_) archive(group.grid, group.told, group.kept);
    archive(counters_, largest_batch_);
    for (auto& problem : problems_) archive(*problem);
  }

 private:
  enum class Outcome { kGoesOn, kComplete, kInterrupted, kDeviance, kMaxActive, kMemory };

  /// A problem that leads, and those that follow it. What has ended is told again by a fit that goes on from here.
  struct Group {
    std::vector<PathProblem*> problems;  // the leader, then in order
    Index leader;
    std::vector<double> grid;
    Index told = 0, kept = 0;  // lambdas that progress has been told of, and those that stay in the result
    Outcome outcome = Outcome::kGoesOn;

    PathProblem& front() const { return *problems.front(); }
    bool goes_on() const { return outcome == Outcome::kGoesOn; }
    Index total() const { return static_cast<Index>(grid.size()); }
  };

  static const char* name_of(Outcome outcome) {
    switch (outcome) {
      case Outcome::kInterrupted:
        return "progress";
      case Outcome::kDeviance:
        return "deviance";
      case Outcome::kMaxActive:
        return "max_active";
      case Outcome::kMemory:
        return "memory";
      default:
        return "";
    }
  }

  /// The rest of what is allowed, once everything else that is known beforehand is there.
  static double room_for_copy(const Design& X, const std::vector<Problem>& problems, const Features& features,
                              const PathOptions& options) {
    return options.memory > 0.0 ? options.memory - least_memory(X, problems, features, options) : kInfinity;
  }

  /// Lambdas for which a copy of X may pay. Where every column is in the working set, nothing outside it is read again.
  static Index copy_for(const Design& X, const std::vector<Problem>& problems, const PathOptions& options) {
    if (options.l1_ratio == 0.0 || PathProblem::keeps_gram(X, options, problems.size() == 1)) return 0;
    return options.count();
  }

  /// The problems, ready for their null fits.
  void setup() {
    const auto start = Clock::now();
    const Index n = X_.rows(), p = X_.cols(), count = static_cast<Index>(given_.size());
    std::vector<Response> responses;
    std::vector<Vec> means, variances;
    // Null residuals are known beforehand unless unpenalised features take part in them, and no more of use to a fit
    // that goes on from a checkpoint.
    const bool known =
        !checkpoint_.found() && (features_.penalty_factor.size() == 0 || features_.penalty_factor.minCoeff() > 0.0);
    const Index outputs = given_.front().y.size() / n;
    Mat weights(n, count), null_u(n, known ? count * outputs : 0);
    for (Index f = 0; f < count; ++f) {
      const Problem& problem = given_[static_cast<std::size_t>(f)];
      weights.col(f) = problem.weights / problem.weights.sum();
      const Response& response = responses.emplace_back(problem, inner_options_);
      if (known) null_u.middleCols(f * outputs, outputs) = response.u.reshaped(n, outputs);
    }
    std::uint64_t digest = 0;
    reader_.first_pass(weights, null_u, means, variances, checkpoint_.wanted() ? &digest : nullptr);
    checkpoint_.identify_design(digest);
    // Below this size starting threads for each round costs more than it saves.
    problem_threads_ = count > 1 && n * p >= kWorthThreads ? options_.threads : 1;
    const int threads = count > 1 ? 1 : options_.threads;
    using Use = SharedPool::Use;
    const bool products = PathProblem::keeps_gram(X_, options_, count == 1);
    const Use use = products ? Use::kProducts : options_.l1_ratio == 0.0 || count > 1 ? Use::kMany : Use::kPart;
    shared_ = std::make_unique<SharedPool>(X_, inner_options_.fit_intercept, use, means.front(),
                                           variances.front().cwiseMax(0.0).cwiseSqrt());
    for (std::size_t f = 0; f < given_.size(); ++f) {
      problems_.push_back(std::make_unique<PathProblem>(*shared_, std::move(responses[f]), features_, inner_options_,
                                                        std::move(means[f]), std::move(variances[f]),
                                                        reader_.copy_errors(), count == 1, threads));
    }
    for (Index f = 0; f < count; ++f) {
      const Index leader = given_[static_cast<std::size_t>(f)].leader;
      if (leader != f) continue;
      Group& group = groups_.emplace_back();
      group.leader = leader;
      group.problems.push_back(problems_[static_cast<std::size_t>(f)].get());
      for (Index k = 0; k < count; ++k) {
        if (k != f && given_[static_cast<std::size_t>(k)].leader == leader) {
          group.problems.push_back(problems_[static_cast<std::size_t>(k)].get());
        }
      }
    }
    setup_seconds_ = since(start);
    counters_.seconds_stream += setup_seconds_;
  }

  std::vector<PathResult> run_to_end() {
    setup();
    start_ = Clock::now();
    if (checkpoint_.found()) {
      checkpoint_.load(*this);
      counters_.seconds_stream += setup_seconds_;
      seconds_before_ = counters_.seconds_total;
    } else {
      for (auto& problem : problems_) problem->fit_null();
      certify();
      for (Group& group : groups_) group.grid = make_grid(group);
    }
    go_down();
    for (const Group& group : groups_) refuse_empty(group);
    count_seconds();
    std::vector<const char*> stopped(problems_.size());
    for (std::size_t f = 0; f < problems_.size(); ++f) {
      const auto leads = [&](const Group& group) { return group.leader == given_[f].leader; };
      const Group& group = *std::find_if(groups_.begin(), groups_.end(), leads);
      problems_[f]->truncate(group.kept);
      add(problems_[f]->counters());
      stopped[f] = name_of(group.outcome);
    }
    counters_.passes = counters_.columns_streamed / static_cast<double>(X_.cols());
    std::vector<PathResult> results;
    for (std::size_t f = 0; f < problems_.size(); ++f) {
      results.push_back(problems_[f]->take_result());
      results.back().counters = counters_;
      results.back().stopped = stopped[f];
    }
    return results;
  }

  /// Fits one batch of lambdas after the other, as long as what has been fitted asks for more.
  void go_down() {
    for (;;) {
      bool goes_on = false;
      try {
        goes_on = report();
      } catch (...) {
        try {
          save();
        } catch (...) {  // what stopped the fit is what is to be told
        }
        throw;
      }
      const bool ends = !goes_on && !interrupted() && !options_.keep_checkpoint;
      if (ends) checkpoint_.remove();
      if (!ends && (!goes_on || checkpoint_.due())) save();
      if (!goes_on) return;
      fit_batch();
    }
  }

  bool interrupted() const {
    return std::any_of(groups_.begin(), groups_.end(),
                       [](const Group& group) { return group.outcome == Outcome::kInterrupted; });
  }

  void fit_batch() {
    for (Group& group : groups_) {
      if (!group.goes_on()) continue;
      const Index done = group.front().fitted(), total = group.total();
      const Index size = std::min(batch_size(group), total - done);
      const std::span<const double> batch(group.grid.data() + done, static_cast<std::size_t>(size));
      const Index after = std::min(done + 2 * size, total) - 1;
      const double following = after >= done + size ? group.grid[static_cast<std::size_t>(after)] : 0.0;
      largest_batch_ = std::max(largest_batch_, size);
      for (PathProblem* problem : group.problems) problem->select(batch, following);
    }
    solve();
    certify();
  }

  void count_seconds() { counters_.seconds_total = seconds_before_ + setup_seconds_ + since(start_); }

  void save() {
    if (!checkpoint_.wanted()) return;
    count_seconds();
    CheckpointProgress progress;
    for (const Group& group : groups_) {
      progress.done += group.told;
      progress.total += group.total();
    }
    checkpoint_.save(*this, progress);
  }

  std::vector<double> make_grid(const Group& group) const {
    if (!options_.alphas.empty()) return options_.alphas;
    const Index rows_used = (given_[static_cast<std::size_t>(group.leader)].weights.array() > 0.0).count();
    const double least = asked_ > rows_used ? 0.01 : 1e-4;  // of the largest lambda of a lasso, whatever the ratio
    const double eps =
        options_.eps > 0.0 ? options_.eps : least * std::max(options_.l1_ratio, PathProblem::kLeastRatio);
    const double lambda_max = group.front().lambda_max();
    // A response with nothing to explain: any positive value gives the null fit.
    return lambda_grid(lambda_max > 0.0 ? lambda_max : 1e-15, options_.n_alphas, eps);
  }

  Index batch_size(const Group& group) const {
    const bool all = std::all_of(group.problems.begin(), group.problems.end(),
                                 [](const PathProblem* p) { return p->everything_working(); });
    if (!all) return 1;
    const Index numbers = given_.front().y.size() * static_cast<Index>(problems_.size());
    const Index most = std::clamp<Index>(kBatchNumbers / numbers, 1, kMaxBatch);
    if (options_.memory == 0.0) return most;
    const double room = (options_.memory - memory()) / row_bytes(given_, kRowNumbersPending);
    return std::clamp<Index>(static_cast<Index>(std::min(room, static_cast<double>(kMaxBatch))), 1, most);
  }

  /// Problems are independent on the working set: one thread each.
  template <class F>
  void for_each_pending(F&& f) {
    parallel_for(static_cast<Index>(problems_.size()), problem_threads_, [&](Index i) {
      PathProblem& problem = *problems_[static_cast<std::size_t>(i)];
      if (problem.pending()) f(problem);
    });
  }

  void solve() {
    const auto start = Clock::now();
    for_each_pending([](PathProblem& problem) { problem.solve(); });
    counters_.seconds_inner += since(start);
  }

  /// Certifies what is pending, reading the columns that some problem cannot decide; repeated until everything is
  /// accepted.
  void certify() {
    for (;;) {
      ++counters_.rounds;
      const auto start = Clock::now();
      for_each_pending([](PathProblem& problem) { problem.begin_certify(); });
      reader_.serve(problems_);
      counters_.seconds_stream += since(start);
      bool again = false;
      for (auto& problem : problems_) {
        if (problem->pending()) again = problem->finish_certify() || again;
      }
      if (!again) return;
      solve();
    }
  }

  /// Tells what has been fitted since, applies the stopping rules; returns whether there is more to fit. A lambda at
  /// which progress stops or throws is told again by a fit that goes on from there.
  bool report() {
    bool heard = true;  // until progress wants no more: what has been fitted by then is kept all the same
    for (Group& group : groups_) {
      if (group.goes_on()) group.outcome = report(group, heard);
      heard = heard && group.outcome != Outcome::kInterrupted;
    }
    if (!heard) {
      end_all(Outcome::kInterrupted);
      return false;
    }
    const double held = memory(), with_next = held + row_bytes(given_, kRowNumbersPending);
    counters_.memory =
        std::max(counters_.memory, held + row_bytes(given_, kRowNumbersPending * static_cast<double>(largest_batch_)));
    for (Group& group : groups_) {
      if (group.goes_on() && group.told == group.total()) group.outcome = Outcome::kComplete;
    }
    if (options_.memory > 0.0 && with_next > options_.memory) end_all(Outcome::kMemory);
    return std::any_of(groups_.begin(), groups_.end(), [](const Group& group) { return group.goes_on(); });
  }

  /// A path without a single fit is of no use to anybody: a bound was below what the first lambda has.
  void refuse_empty(const Group& group) const {
    if (group.kept > 0) return;
    if (group.outcome == Outcome::kMemory) {
      refuse("memory must be at least " + std::to_string(std::llround(counters_.memory)) + " bytes for this fit, got " +
             std::to_string(std::llround(options_.memory)));
    }
    const PathResult& r = group.front().result();
    const std::string which = groups_.size() > 1 ? " of response " + std::to_string(&group - groups_.data()) : "";
    refuse("max_active must be at least " + std::to_string(r.n_active.front()) +
           ", the number of features active at the first alpha" + which + ", got " +
           std::to_string(options_.max_active));
  }

  void end_all(Outcome outcome) {
    for (Group& group : groups_) {
      if (group.goes_on()) group.outcome = outcome;
    }
  }

  Outcome report(Group& group, bool heard) {
    const PathResult& r = group.front().result();
    for (; group.told < group.front().fitted(); ++group.told) {
      const std::size_t i = static_cast<std::size_t>(group.told);
      group.kept = group.told;
      if (options_.max_active >= 0 && r.n_active[i] > options_.max_active) return Outcome::kMaxActive;
      group.kept = group.told + 1;
      if (heard && options_.held_out) tell_held_out(group);
      Index done = 1, total = 0;  // of all grids; what is left of those that have ended is done with
      for (const Group& other : groups_) {
        done += other.goes_on() ? other.told : other.total();
        total += other.total();
      }
      if (heard && options_.progress &&
          !options_.progress(done, total, r.alphas[i], r.n_active[i], r.dual_gaps[i],
                             counters_.columns_streamed / static_cast<double>(X_.cols()))) {
        return Outcome::kInterrupted;
      }
      if (options_.alphas.empty() && options_.stop_early && group.front().leaves_at_most(kUnexplained, i)) {
        return Outcome::kDeviance;
      }
    }
    return Outcome::kGoesOn;
  }

  void tell_held_out(const Group& group) const {
    const Index outputs = given_.front().y.size() / X_.rows();
    std::vector<Vec> predictors(problems_.size());
    for (std::size_t f = 0; f < problems_.size(); ++f) {
      if (given_[f].leader == group.leader) {
        const Mat& all = problems_[f]->result().linear_predictor;
        predictors[f] = all.middleCols(group.told * outputs, outputs).reshaped();
      }
    }
    options_.held_out(predictors);
  }

  /// Bytes held beside X, between batches. What is kept of held-out rows is copied once more as it is handed over.
  double memory() const {
    ArchiveCounter counter;
    for (auto& problem : problems_) counter(*problem);
    return counter.total() + reader_.memory() + shared_->memory() + row_bytes(given_, kRowNumbersOutsideState) +
           column_bytes(given_.front().y.size() / X_.rows(), options_) * static_cast<double>(X_.cols()) *
               static_cast<double>(problems_.size());
  }

  void add(const Counters& c) {
    counters_.columns_gathered += c.columns_gathered;
    counters_.violators += c.violators;
    counters_.newton_steps += c.newton_steps;
    counters_.factor_updates += c.factor_updates;
    counters_.cd_updates += c.cd_updates;
    counters_.prox_steps += c.prox_steps;
  }

  const Design& X_;
  Index asked_;
  const std::vector<Problem>& given_;
  const Features& features_;
  const PathOptions& options_;
  PathOptions inner_options_;
  std::thread::id owner_;
  std::atomic<bool> stop_{false};
  std::exception_ptr why_;
  double setup_seconds_ = 0.0;
  double seconds_before_ = 0.0;  // spent by the run that this one goes on from
  Clock::time_point start_;
  Counters counters_;
  Checkpoint checkpoint_;
  ColumnReader reader_;
  int problem_threads_ = 1;
  Index largest_batch_ = 1;
  std::unique_ptr<SharedPool> shared_;
  std::vector<std::unique_ptr<PathProblem>> problems_;
  std::vector<Group> groups_;
};

/// See fit_paths(); `asked` is the number of features of the fit.
std::vector<PathResult> fit_columns(const Design& X, const std::vector<Problem>& problems, const Features& features,
                                    const PathOptions& options, Index asked) {
  const auto basis = FreeBasis::find(X, problems, features, options);
  if (!basis) return Driver(X, problems, features, options, asked).run();
  std::vector<PathResult> results = Driver(basis->design(), problems, basis->features(), options, asked).run();
  for (PathResult& result : results) basis->restore(result, options);
  return results;
}

}  // namespace

std::vector<PathResult> fit_paths(const Design& X, const std::vector<Problem>& problems, const Features& features,
                                  const PathOptions& options) {
  check(X, problems, features, options);
  const auto latent = LatentGroups::find(X, features);
  if (!latent) return fit_columns(X, problems, features, options, X.cols());
  std::vector<PathResult> results = fit_columns(latent->design(), problems, latent->features(), options, X.cols());
  for (PathResult& result : results) latent->restore(result);
  return results;
}

}  // namespace riata
