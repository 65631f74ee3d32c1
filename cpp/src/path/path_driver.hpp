#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <vector>

#include "checkpoint/checkpoint.hpp"
#include "path/column_parts.hpp"
#include "path/grid_group.hpp"
#include "path/path_fit.hpp"
#include "path/poll_relay.hpp"

namespace riata {

/// All problems of one call, moved down their grids in step.
class PathDriver {
 public:
  /// `asked` is the number of features of the fit, which some may stand for (see FreeBasis), `beside` the bytes that
  /// are held for those.
  PathDriver(const Design& X, const std::vector<Problem>& problems, const Features& features,
             const PathOptions& options, Index asked, Index parts, double beside = 0.0);

  std::vector<PathResult> run();

  /// See checkpoint/archive.hpp. Between lambdas; what setup() makes is there already.
  template <class Archive>
  void state(Archive& archive) {
    std::vector<Index> gathered = shared_->features(), batches = shared_->batches();
    archive(gathered, batches);
    if constexpr (Archive::reading) {  // as they came
      std::span<const Index> rest = gathered;
      for (const Index size : batches) {
        columns_->fetch(rest.first(static_cast<std::size_t>(size)), *shared_, options_.threads, counters_);
        rest = rest.subspan(static_cast<std::size_t>(size));
      }
    }
    for (Group& group : groups_) archive(group);
    archive(counters_, largest_batch_, ahead_);
    for (auto& problem : problems_) archive(*problem);
  }

 private:
  using Clock = std::chrono::steady_clock;
  using Group = GridGroup<PathFit>;

  void setup();
  std::vector<PathResult> run_to_end();
  std::vector<PathResult> take_results();
  void run_grid();
  bool interrupted() const;
  void fit_batch();
  void adapt(Index batch, Index rounds);
  void count_seconds();
  void save();
  std::vector<double> make_grid(const Group& group) const;
  struct Batch {
    std::vector<double> lambdas;
    Index inserted;
    double following;  // where the batch after it will end
  };
  Index batch_size(const Group& group) const;
  static void plan_continuation(Group& group);
  Batch next_batch(Group& group) const;
  template <class F>
  void for_each_pending(F&& f);
  void solve();
  Index certify();
  void bound();
  void read_undecided();
  bool report();
  double passes() const;
  void require_some_fit(const Group& group) const;
  double memory() const;

  const Design& X_;
  Index asked_;
  double beside_;
  const std::vector<Problem>& given_;
  const Features& features_;
  const PathOptions& options_;
  PathOptions inner_options_;
  PollRelay relay_;
  double setup_seconds_ = 0.0;
  double seconds_before_ = 0.0;  // spent by the run that this one goes on from
  Clock::time_point start_;
  Counters counters_;
  Checkpoint checkpoint_;
  std::unique_ptr<ColumnParts> columns_;
  int problem_threads_ = 1;
  Index largest_batch_ = 1;
  Index ahead_;  // lambdas to be solved before the next pass, where a pass is dear
  std::unique_ptr<SharedPool> shared_;
  std::vector<std::unique_ptr<PathFit>> problems_;
  std::vector<Group> groups_;
};

}  // namespace riata
