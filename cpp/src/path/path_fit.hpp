#pragma once

#include <memory>
#include <span>
#include <vector>

#include "certify/duality_gap.hpp"
#include "design/shared_pool.hpp"
#include "path/certifier.hpp"
#include "path/path_history.hpp"
#include "path/point_evaluator.hpp"
#include "path/proximal_newton.hpp"
#include "path/result_writer.hpp"
#include "path/screening.hpp"

namespace riata {

/// One response going down the path: the order in which its working set is chosen, solved and certified. The driver
/// moves several of these in step so that they share every pass over X:
///   select, solve (any number of lambdas ahead), then begin_certify / the bounds and the reading that screening() asks
///   for / finish_certify until none is pending.
/// With K outputs a feature has K coefficients, and b, c and the like K entries for each feature of the working set,
/// feature by feature; eta, u and rho are n x K, one output after the other.
class PathFit {
 public:
  /// `mean` and `variance` of every column.
  PathFit(ColumnParts& columns, SharedPool& shared, Response response, const Features& features,
          const PathOptions& options, Vec mean, Vec variance, bool alone, int threads);

  /// Whether a problem keeps the Gram matrix of all columns: quadratic loss, penalties of single coefficients and more
  /// rows than (not too many) columns.
  static bool keeps_gram(const Design& X, const PathOptions& options, bool alone);

  /// Fits intercept and unpenalised features, the end of the path at lambda = infinity.
  void fit_null();
  /// Smallest lambda with no penalised feature active; valid once the null fit has been certified.
  double lambda_max() const { return result().alpha_max; }

  /// The lambda of the current solution.
  double lambda() const { return history_.now().lambda; }
  /// Whether a step from a lambda to another may be too long for this problem.
  bool wants_steps(double from, double to) const;
  /// How far down one step may go on the way to `lambda`, by the number of features that it may make active: `lambda`
  /// itself, or where others are to begin that lead there.
  double first_stop(double lambda);
  /// Chooses the working set for the next lambda, or, when no column is outside it, any number of them (decreasing),
  /// from what is known of every column. The first ones, as many as are `inserted`, will not be kept. `next_batch` is
  /// where the batch after this one will end: candidates for it are noted while this one is certified.
  void select(std::span<const double> lambdas, Index inserted, double next_batch);
  /// Leaves it to the fit of its leader to find out which solver is the cheaper one.
  void follow(const PathFit& leader) { solver_.follow(leader.solver_); }
  /// Solves the pending lambdas on the working set. Does not touch X or the pool's columns beyond reading them.
  void solve();

  /// True while some lambda of the batch is not accepted.
  bool pending() const { return !pending_.empty(); }
  /// Evaluates the pending solutions from the data, for which screening() may ask then.
  void begin_certify();
  /// That has been answered: so many columns are undecided, to be read.
  void go_on(Index undecided) { screening_.go_on(undecided, history_.now().rho); }
  void read_ahead() { screening_.read_ahead(history_.now().rho); }
  Screening& screening() { return screening_; }
  /// Accepts what is certified; for the rest extends the working set. Returns whether solve() is to be called again.
  bool finish_certify();

  /// Drops results beyond the first `count` lambdas.
  void truncate(Index count) { writer_.truncate(count); }
  const PathResult& result() const { return writer_.result(); }
  Vec predicted(Index point) const { return writer_.predicted(point); }
  void told(Index point) { writer_.told(point); }
  bool leaves_at_most(double share, std::size_t i) const { return writer_.leaves_at_most(share, i); }
  /// The finished result; the fit is of no use afterwards.
  PathResult take_result() { return writer_.take(columns_); }
  Index fitted() const { return static_cast<Index>(result().alphas.size()); }
  bool everything_working() const { return screening_.n_outside() == 0; }
  const Counters& counters() const { return counters_; }

  /// See checkpoint/archive.hpp. For use between lambdas, when none is pending.
  template <class Archive>
  void state(Archive& archive) {
    archive(writer_, gap_, work_, solver_, newton_, history_, screening_, rule_, counters_, candidates_);
    if constexpr (Archive::reading) {
      screening_.move(work_.features(), {});
      set_gap_unit();
    }
  }

 private:
  /// Columns outside the working set that may enter over the next batch, which ends at `next_batch`.
  struct Candidates {
    std::vector<Candidate> list;
    bool known = false;
    double next_batch = 0.0;

    template <class Archive>
    void state(Archive& archive) {
      archive(list, known, next_batch);
    }
  };
  PathFit(ColumnParts& columns, SharedPool& shared, Response& response, const Features& features,
          const PathOptions& options, Vec& mean, Vec& scale, ColumnNorms norms, bool use_gram, int threads);

  FitParts parts() { return {*loss_, penalty_, columns_, work_, predictor_, rule_, solver_, options_}; }
  Penalties penalties(double lambda) const { return penalty_.at(work_.features(), lambda); }
  Index n_active() const;
  double strong_threshold(double from, double to) const;
  /// All usable columns are in the working set from the start.
  bool full_working_set() const { return solver_.model().has_gram() || options_.l1_ratio == 0.0; }
  ScreeningQuery query(double lambda, double strong) const;
  std::vector<Index> retained_features(double lambda) const;
  std::vector<Index> select_candidates(Index batch);
  void set_work(std::vector<Index> features);
  void extend_work(std::vector<Index> features);
  Index iterations_left(const PathPoint& p) const { return std::max<Index>(options_.max_iter - p.iterations, 0); }
  void solve_quadratic(std::size_t q);
  void solve_quadratic_blocks(std::size_t q, const Penalties& net);
  void solve_newton(std::size_t q);
  void finish_null();
  std::vector<Index> violating_features() const;
  void adopt(const PathPoint& p);
  void set_gap_unit();

  SharedPool& shared_;
  const PathOptions& options_;
  std::unique_ptr<Loss> loss_;
  StandardizedColumns columns_;
  PenaltyFamily penalty_;
  WorkingSet work_;
  LinearPredictor predictor_;
  Counters counters_;
  WorkingSetSolver solver_;
  std::vector<Index> unpenalised_;
  StoppingRule rule_;
  ProximalNewton newton_;
  DualityGap gap_;
  ResultWriter writer_;
  PointEvaluator evaluator_;
  Certifier certifier_;
  Screening screening_;
  PathHistory history_;
  Candidates candidates_;
  std::vector<PathPoint> pending_;
};

}  // namespace riata
