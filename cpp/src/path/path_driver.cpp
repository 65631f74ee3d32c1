#include "path/path_driver.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "parallel.hpp"
#include "path/asked_grid.hpp"
#include "path/elapsed.hpp"
#include "path/expected_fits.hpp"
#include "path/grid_report.hpp"
#include "path/memory_budget.hpp"
#include "path/validate.hpp"

namespace riata {
namespace {

// Lambdas solved ahead when every usable column is in the working set: as many, and numbers in one vector of each
// problem for each.
constexpr Index kMaxBatch = 32, kBatchNumbers = 1 << 21;
constexpr Index kFirstBatch = 8;          // to begin with, where a pass is dear
constexpr double kAheadShare = 0.5;       // of the memory left; the rest is for what comes into the working set
constexpr Index kWorthThreads = 1000000;  // rows x columns from which problems are spread over threads

[[noreturn]] void throw_invalid(const std::string& message) {
  throw std::invalid_argument(message);
}

/// Lambdas for which a copy of X may pay. Where every column is in the working set, nothing outside it is read again.
Index copy_for(const Design& X, const std::vector<Problem>& problems, const Features& features,
               const PathOptions& options) {
  if (options.l1_ratio == 0.0 || PathFit::keeps_gram(X, options, problems.size() == 1)) return 0;
  return expected_fits(X, problems.front(), features, options);
}

PathOptions inner_options(const PathOptions& options) {
  PathOptions inner = options;
  // Where no intercept can be told, centring columns as with one changes nothing but the rounding.
  if (options.loss.is<losses::Cox>()) inner.fit_intercept = true;
  if (auto* net = inner.penalty.as<penalties::ElasticNet>(); options.loss.is<losses::Multigaussian>() && net) {
    net->row_grouped = true;
  }
  return inner;
}

/// The most lambdas that one pass may certify while columns are outside. A sorted norm is judged with all of its
/// columns, of one lambda at a time.
Index lambdas_a_pass(const PathOptions& options) {
  return options.penalty.is<penalties::Slope>() ? 1 : std::min(options.alphas_per_pass, kMaxBatch);
}

/// What the fit of a problem counts by itself.
void add(const Counters& c, Counters& total) {
  total.columns_gathered += c.columns_gathered;
  total.inserted += c.inserted;
  total.violators += c.violators;
  total.newton_steps += c.newton_steps;
  total.factor_updates += c.factor_updates;
  total.cd_updates += c.cd_updates;
  total.prox_steps += c.prox_steps;
}

}  // namespace

PathDriver::PathDriver(const Design& X, const std::vector<Problem>& problems, const Features& features,
                       const PathOptions& options, Index asked, Index parts, double beside)
    : X_(X),
      asked_(asked),
      beside_(beside),
      given_(problems),
      features_(features),
      options_(options),
      inner_options_(inner_options(options)),
      relay_(options.poll),
      checkpoint_(options, options.checkpoint.empty() ? Identity() : identity_of(X, problems, features, options)),
      columns_(column_parts(X, inner_options_, features, parts, copy_for(X, problems, features, options),
                            room_for_copy(X, problems, features, options), counters_)),
      ahead_(std::min(kFirstBatch, lambdas_a_pass(options))) {
  validate_parts(columns_->cuts(), features, options);
  inner_options_.poll = [this] { relay_.check(); };
}

std::vector<PathResult> PathDriver::run() {
  const PollScope polling(inner_options_.poll);
  try {
    return run_to_end();
  } catch (...) {
    relay_.rethrow();
    throw;
  }
}

/// The problems, ready for their null fits.
void PathDriver::setup() {
  const auto start = Clock::now();
  const Index n = X_.rows(), p = X_.cols(), count = static_cast<Index>(given_.size());
  std::vector<Response> responses;
  std::vector<Vec> means, variances;
  // Null residuals are known beforehand unless unpenalised features take part in them. A fit that goes on from a
  // checkpoint may be told of columns by what they were read against, these among it.
  const bool known = features_.penalty_factor.size() == 0 || features_.penalty_factor.minCoeff() > 0.0;
  const Index outputs = given_.front().y.size() / n;
  Mat weights(n, count), null_u(n, known ? count * outputs : 0);
  for (Index f = 0; f < count; ++f) {
    const Problem& problem = given_[static_cast<std::size_t>(f)];
    weights.col(f) = problem.weights / problem.weights.sum();
    const Response& response = responses.emplace_back(response_of(given_, problem), problem.weights, inner_options_);
    if (known) null_u.middleCols(f * outputs, outputs) = response.u.reshaped(n, outputs);
  }
  std::uint64_t digest = 0;
  columns_->first_pass(weights, null_u, means, variances, checkpoint_.wanted() ? &digest : nullptr);
  checkpoint_.identify_design(digest);
  // Below this size starting threads for each round costs more than it saves.
  problem_threads_ = count > 1 && n * p >= kWorthThreads ? options_.threads : 1;
  const int threads = count > 1 ? 1 : options_.threads;
  using Use = SharedPool::Use;
  const bool products = PathFit::keeps_gram(X_, options_, count == 1);
  const Use use = products ? Use::kProducts : options_.l1_ratio == 0.0 || count > 1 ? Use::kMany : Use::kPart;
  shared_ = std::make_unique<SharedPool>(X_, inner_options_.fit_intercept, use, means.front(),
                                         variances.front().cwiseMax(0.0).cwiseSqrt());
  for (std::size_t f = 0; f < given_.size(); ++f) {
    problems_.push_back(std::make_unique<PathFit>(*columns_, *shared_, std::move(responses[f]), features_,
                                                  inner_options_, std::move(means[f]), std::move(variances[f]),
                                                  count == 1, threads));
  }
  groups_ = grid_groups(given_, problems_);
  setup_seconds_ = since(start);
  counters_.seconds_stream += setup_seconds_;
}

std::vector<PathResult> PathDriver::run_to_end() {
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
  run_grid();
  for (const Group& group : groups_) require_some_fit(group);
  count_seconds();
  return take_results();
}

std::vector<PathResult> PathDriver::take_results() {
  std::vector<const char*> stopped(problems_.size());
  for (std::size_t f = 0; f < problems_.size(); ++f) {
    const auto leads = [&](const Group& group) { return group.leader == given_[f].leader; };
    const Group& group = *std::find_if(groups_.begin(), groups_.end(), leads);
    problems_[f]->truncate(group.retained);
    add(problems_[f]->counters(), counters_);
    stopped[f] = name_of(group.outcome);
  }
  counters_.passes = passes();
  std::vector<PathResult> results;
  for (std::size_t f = 0; f < problems_.size(); ++f) {
    results.push_back(problems_[f]->take_result());
    results.back().counters = counters_;
    results.back().stopped = stopped[f];
  }
  return results;
}

/// Fits one batch of lambdas after the other, as long as what has been fitted asks for more.
void PathDriver::run_grid() {
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

bool PathDriver::interrupted() const {
  return std::any_of(groups_.begin(), groups_.end(),
                     [](const Group& group) { return group.outcome == Outcome::kInterrupted; });
}

void PathDriver::fit_batch() {
  Index longest = 1;
  for (Group& group : groups_) {
    if (!group.goes_on()) continue;
    const Batch batch = next_batch(group);
    longest = std::max(longest, static_cast<Index>(batch.lambdas.size()));
    for (PathFit* problem : group.fits) {
      problem->select(batch.lambdas, batch.inserted, batch.following);
      if (problem != &group.front()) problem->follow(group.front());
    }
  }
  // Where several go ahead, their number may fall again, as batch_size() finds less memory left.
  largest_batch_ = options_.alphas_per_pass > 1 ? longest : std::max(largest_batch_, longest);
  solve();
  adapt(longest, certify());
}

/// As many lambdas ahead as working sets allow for: more while the first round certifies all of them, fewer where some
/// want several more.
void PathDriver::adapt(Index batch, Index rounds) {
  constexpr Index kMostRounds = 2;
  if (batch < ahead_) return;
  if (rounds == 1) ahead_ = std::min(2 * ahead_, lambdas_a_pass(options_));
  if (rounds > kMostRounds) ahead_ = std::max<Index>(ahead_ / 2, 1);
}

/// Puts lambdas before the next one of a grid where some problem wants them.
void PathDriver::plan_continuation(Group& group) {
  const Index next = group.front().fitted();
  if (group.way.target == next) return;
  group.way.target = next;
  const double lambda = group.grid[static_cast<std::size_t>(next)];
  double start = 0.0;
  for (PathFit* problem : group.fits) start = std::max(start, problem->first_stop(lambda));
  const bool leaps = std::any_of(group.fits.begin(), group.fits.end(),
                                 [&](const PathFit* problem) { return problem->lambda() > start; });
  group.way.lambdas = lambdas_between(start, lambda);
  if (leaps && start > lambda) group.way.lambdas.insert(group.way.lambdas.begin(), start);
}

/// What is fitted next of a grid: lambdas on the way, then those asked for.
PathDriver::Batch PathDriver::next_batch(Group& group) const {
  plan_continuation(group);
  std::vector<double>& way = group.way.lambdas;
  const Index done = group.front().fitted(), most = batch_size(group);
  const auto inserted = std::min(most, static_cast<Index>(way.size()));
  std::vector<double> ahead = way;
  for (auto next = group.grid.begin() + done; next != group.grid.end(); ++next) {
    // Beyond a long step it is not known yet what will be fitted next.
    if (!ahead.empty() && next != group.grid.begin() + done && group.front().wants_steps(ahead.back(), *next)) break;
    ahead.push_back(*next);
  }
  const auto size = static_cast<std::ptrdiff_t>(std::min(most, static_cast<Index>(ahead.size())));
  const std::ptrdiff_t after = std::min(2 * size, static_cast<std::ptrdiff_t>(ahead.size())) - 1;
  const Index kept = static_cast<Index>(size) - inserted;
  double following = after >= size ? ahead[static_cast<std::size_t>(after)] : 0.0;
  if (after < size && done + kept < group.total()) following = step_below(ahead.back());
  ahead.resize(static_cast<std::size_t>(size));
  way.erase(way.begin(), way.begin() + inserted);
  return {std::move(ahead), inserted, following};
}

void PathDriver::count_seconds() {
  counters_.seconds_total = seconds_before_ + setup_seconds_ + since(start_);
}

void PathDriver::save() {
  if (!checkpoint_.wanted()) return;
  count_seconds();
  CheckpointProgress progress;
  for (const Group& group : groups_) {
    progress.done += group.reported;
    progress.total += group.total();
  }
  checkpoint_.save(*this, progress);
}

std::vector<double> PathDriver::make_grid(const Group& group) const {
  const Index rows_used = (given_[static_cast<std::size_t>(group.leader)].weights.array() > 0.0).count();
  return asked_grid(options_, asked_, rows_used, group.front().lambda_max());
}

Index PathDriver::batch_size(const Group& group) const {
  const bool all =
      std::all_of(group.fits.begin(), group.fits.end(), [](const PathFit* p) { return p->everything_working(); });
  const Index numbers = given_.front().y.size() * static_cast<Index>(problems_.size());
  const Index most = all ? std::clamp<Index>(kBatchNumbers / numbers, 1, kMaxBatch) : ahead_;
  if (most == 1 || options_.memory == 0.0) return most;
  const double share = all ? 1.0 : kAheadShare;
  const double room = share * (options_.memory - memory()) / ahead_bytes(given_, X_.cols(), options_);
  return std::clamp<Index>(static_cast<Index>(std::min(room, static_cast<double>(kMaxBatch))), 1, most);
}

/// Problems are independent on the working set: one thread each.
template <class F>
void PathDriver::for_each_pending(F&& f) {
  parallel_for(static_cast<Index>(problems_.size()), problem_threads_, [&](Index i) {
    PathFit& problem = *problems_[static_cast<std::size_t>(i)];
    if (problem.pending()) f(problem);
  });
}

void PathDriver::solve() {
  const auto start = Clock::now();
  for_each_pending([](PathFit& problem) { problem.solve(); });
  counters_.seconds_inner += since(start);
}

/// Certifies what is pending, reading the columns that some problem cannot decide; repeated until everything is
/// accepted. Returns how many rounds that took.
Index PathDriver::certify() {
  for (Index round = 1;; ++round) {
    ++counters_.rounds;
    const auto start = Clock::now();
    for_each_pending([](PathFit& problem) { problem.begin_certify(); });
    bound();
    read_undecided();
    counters_.seconds_stream += since(start);
    bool again = false;
    for (auto& problem : problems_) {
      if (problem->pending()) again = problem->finish_certify() || again;
    }
    if (!again) return round;
    solve();
  }
}

/// Bounds the columns outside for every pending problem that asks.
void PathDriver::bound() {
  std::vector<PathFit*> asking;
  for (auto& problem : problems_) {
    if (problem->pending() && problem->screening().asks()) asking.push_back(problem.get());
  }
  const auto for_each_asking = [&](const auto& f) {
    parallel_for(static_cast<Index>(asking.size()), problem_threads_, [&](Index i) { f(static_cast<std::size_t>(i)); });
  };
  const auto can = [](PathFit* problem) { return problem->screening().can_read_ahead(); };
  const auto likely = [](PathFit* problem) { return problem->screening().likely_to_read(); };
  if (columns_->reads_ahead() && std::all_of(asking.begin(), asking.end(), can) &&
      std::any_of(asking.begin(), asking.end(), likely)) {
    for_each_asking([&](std::size_t k) { asking[k]->read_ahead(); });
  }
  std::vector<Ask> asks;
  for (PathFit* problem : asking) asks.push_back(problem->screening().ask());
  columns_->bound(asks, problem_threads_);
  for_each_asking([&](std::size_t k) { asking[k]->go_on(asks[k].undecided); });
}

/// One pass over the columns that some pending problem cannot decide.
void PathDriver::read_undecided() {
  std::vector<Reading> readings;
  for (auto& problem : problems_) {
    if (problem->pending() && problem->screening().needs_reading()) readings.push_back(problem->screening().reading());
  }
  columns_->read(readings);
}

/// Tells what has been fitted since, applies the stopping rules; returns whether there is more to fit.
bool PathDriver::report() {
  GridReport(options_, given_, passes()).tell(groups_);
  if (interrupted()) return false;
  const double held = memory(), a_lambda = ahead_bytes(given_, X_.cols(), options_);
  counters_.memory = std::max(counters_.memory, held + a_lambda * static_cast<double>(largest_batch_));
  if (options_.memory > 0.0 && held + a_lambda > options_.memory) end_all(groups_, Outcome::kMemory);
  return any_goes_on(groups_);
}

double PathDriver::passes() const {
  return counters_.columns_streamed / static_cast<double>(X_.cols());
}

/// A path without a single fit is of no use to anybody: a bound was below what the first lambda has.
void PathDriver::require_some_fit(const Group& group) const {
  if (group.retained > 0) return;
  if (group.outcome == Outcome::kMemory) {
    throw_invalid("memory must be at least " + std::to_string(std::llround(counters_.memory)) +
                  " bytes for this fit, got " + std::to_string(std::llround(options_.memory)));
  }
  const PathResult& r = group.front().result();
  const std::string which = groups_.size() > 1 ? " in fit " + std::to_string(&group - groups_.data() + 1) + " of " +
                                                     std::to_string(groups_.size())
                                               : "";
  const auto refuse = [&](const char* name, Index active, const char* what, Index bound) {
    throw_invalid(std::string(name) + " must be at least " + std::to_string(active) + ", the number of " + what +
                  " active at the first alpha" + which + ", got " + std::to_string(bound));
  };
  if (group.outcome == Outcome::kMaxGroups) refuse("max_groups", r.n_groups.front(), "groups", options_.max_groups);
  refuse("max_active", r.n_active.front(), "features", options_.max_active);
}

/// Bytes held beside X, between batches. What is kept of held-out rows is copied once more as it is handed over.
double PathDriver::memory() const {
  ArchiveCounter counter;
  for (auto& problem : problems_) counter(*problem);
  return beside_ + counter.total() + columns_->memory() + shared_->memory() +
         row_bytes(given_, kRowNumbersOutsideState) +
         column_bytes(given_.front().y.size() / X_.rows(), options_) * static_cast<double>(X_.cols()) *
             static_cast<double>(problems_.size());
}

}  // namespace riata
