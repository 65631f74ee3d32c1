#pragma once

#include <Eigen/SparseCore>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "riata/counters.hpp"
#include "riata/design/design.hpp"
#include "riata/loss/survival.hpp"
#include "riata/model/loss_spec.hpp"
#include "riata/model/penalty_spec.hpp"
#include "riata/option.hpp"
#include "riata/solver.hpp"
#include "riata/types.hpp"

/// Everything bindings and C++ programs need to describe a problem and fit paths; designs come from riata/design/.
namespace riata {

/// What held-out rows say of an alpha, however they are scored: a mean, the lower the better, and its standard error.
struct HeldOutScore {
  double cost = std::numeric_limits<double>::quiet_NaN();  // NaN: nothing
  double error = 0.0;
};

struct PathOptions {
  LossSpec loss;                  // `= "binomial"`, or `= losses::Huber{2.0}`
  PenaltySpec penalty;            // `= "group"`, or `= penalties::Mcp{3.7}`
  Solver solver = Solver::kAuto;  // kActiveSet: elastic net only; not kNewton
  bool fit_intercept = true;      // "cox" has none
  bool standardize = true;
  double l1_ratio = 1.0;

  std::vector<double> alphas;  // decreasing; empty: a grid of n_alphas from alpha_max down to eps * alpha_max
  Index n_alphas = 100;
  double eps = 0.0;        // 0: 0.01 when p > rows of positive weight, else 1e-4, times l1_ratio (at least 0.001)
  bool stop_early = true;  // where 0.999 of the deviance about a level is explained; grids only
  Index max_active = -1;   // stop before more than this many features are active; -1: no bound
  Index max_groups = -1;   // stop before more than this many labels are active (Features::label); -1: no bound

  Index patience = 0;  // stop once held-out rows have scored worse than at best, by more than the standard error
                       // there, at so many alphas in a row; 0: never

  /// How many alphas are asked for.
  Index count() const { return alphas.empty() ? n_alphas : static_cast<Index>(alphas.size()); }

  /// Alphas that may be solved before one pass over X certifies them all; fewer are where the working set of so many is
  /// seldom right. 1 costs least where X is read fast, more pays where a pass is dear: X on disk and larger than
  /// memory, or held by other processes. Coefficients agree within the tolerance, not to the last bit. With "slope" 1.
  Index alphas_per_pass = 1;

  double memory = 0.0;     // bytes that may be held beside X; the path stops where it would take more; 0: no bound
  double tol = 1e-6;       // relative duality gap; 0: as small as rounding leaves it, reported as not converged
  Index max_iter = 10000;  // inner iterations (sweeps, Newton steps, proximal steps) per alpha
  int threads = 1;
  bool keep_linear_predictor = false;  // see PathResult::linear_predictor

  std::string checkpoint;          // file (UTF-8) that keeps the state of a fit on its way; empty: none
  double checkpoint_seconds = 60;  // between two writes of it, or longer where writing takes long; 0: every alpha
  bool keep_checkpoint = false;    // at the end of the path too, where it holds the whole of it
  /// Told, once, when a checkpoint cannot be written on the way: the fit goes on, and tries again later.
  std::function<void(const std::string&)> warn;

  Poll poll;  // may be empty
  /// progress(done, total, alpha, n_active, gap, passes): return false to stop and keep the path so far. Where several
  /// problems lead, done and total count the alphas of all of them, and the rest is told of one at a time.
  std::function<bool(Index, Index, double, Index, double, double)> progress;
  /// held_out(leader, alpha, predictors), called before progress, scores the rows that are held out: of every problem
  /// what is kept of it at that alpha (see PathResult::linear_predictor) or, where every row is told, the linear
  /// predictor of all. Empty for problems of another leader.
  std::function<HeldOutScore(Index, double, const std::vector<Vec>&)> held_out;
  bool tell_every_row = false;

  /// All of them but the callbacks; see Option.
  template <class Self, class Visit>
  static void describe(Self& self, Visit&& visit) {
    constexpr Allowed eps{"lie in (0, 1], or be 0 for the default", kShare.holds};
    visit(Option{"loss"}, self.loss);
    LossSpec::describe(self.loss, visit);
    visit(Option{"penalty"}, self.penalty);
    PenaltySpec::describe(self.penalty, visit);
    visit(Option{"solver"}, self.solver);
    visit(Option{"fit_intercept"}, self.fit_intercept);
    visit(Option{"standardize"}, self.standardize);
    visit(Option{"l1_ratio", kShare}, self.l1_ratio);
    visit(Option{"alphas"}, self.alphas);
    visit(Option{"n_alphas", self.alphas.empty() ? kAtLeastOne : kAnything, true, "alphas"}, self.n_alphas);
    visit(Option{"eps", eps}, self.eps);
    visit(Option{"stop_early", kAnything, true, "alphas"}, self.stop_early);
    visit(Option{"max_active"}, self.max_active);
    visit(Option{"max_groups"}, self.max_groups);
    visit(Option{"patience", kNotNegative}, self.patience);
    visit(Option{"tell_every_row", kAnything, true, "what is kept of held-out rows"}, self.tell_every_row);
    visit(Option{"alphas_per_pass", kAtLeastOne}, self.alphas_per_pass);
    visit(Option{"memory", kNotNegative}, self.memory);
    visit(Option{"tol", kNotNegative}, self.tol);
    visit(Option{"max_iter", kAtLeastOne}, self.max_iter);
    visit(Option{"threads", kAtLeastOne, false}, self.threads);
    visit(Option{"keep_linear_predictor", kAnything, true, "what is kept of held-out rows"},
          self.keep_linear_predictor);
    visit(Option{"checkpoint", kAnything, false}, self.checkpoint);
    visit(Option{"checkpoint_seconds", kNotNegative, false}, self.checkpoint_seconds);
    visit(Option{"keep_checkpoint", kAnything, false}, self.keep_checkpoint);
  }
};

/// One response on a shared design; several problems (cross-validation folds, other responses) share every pass over X.
struct Problem {
  Vec y;                   // n; for "cox" the times at which rows stop being at risk; n x K for losses of K outputs
  Vec weights = {};        // n, non-negative; a row of weight zero is left out of the fit. Empty: all 1
  Vec offset = {};         // as y, or empty
  Survival survival = {};  // for "cox"
  Index leader = 0;        // problem whose grid it follows and with which it stops; one that leads follows itself
  Index response = -1;     // problem whose y, offset and survival it has, its own left empty; -1: it has its own
};

struct Features {
  Vec penalty_factor = {};     // p: >= 0; 0 unpenalised, infinity excluded; empty: all 1
  Vec lower = {}, upper = {};  // p: lower <= 0 <= upper; empty: unbounded

  /// Of penalties::Group: the number of the group of each column of X, and a weight > 0 for each group. Where groups
  /// overlap, `column` lists the members of all of them: the column of X of each, which do not decrease and leave none
  /// out, and `group` has the number of the group of each member. The coefficient of a column is then the sum of its
  /// parts in the groups it is in, and the penalty is that of the parts (the latent group lasso of Jacob, Obozinski &
  /// Vert 2009).
  std::vector<Index> group = {};
  Vec group_weights = {};
  std::vector<Index> column = {};
  Vec sorted_weights = {};  // of penalties::Slope: p numbers >= 0 that do not increase

  /// What PathOptions::max_groups counts: the number of the group of each column of X, or -1 for a column that counts
  /// for none. Empty: nothing is counted. Unpenalised columns, which are always active, never count.
  std::vector<Index> label = {};

  /// Penalty factor of a feature.
  double factor(Index feature) const { return penalty_factor.size() > 0 ? penalty_factor[feature] : 1.0; }
};

/// A path. What belongs to each alpha stands in vectors of its own, as callers plot it and bindings hand it on.
struct PathResult {
  std::vector<double> alphas;
  Index outputs = 1;  // K: responses or classes, each with coefficients of its own
  // Coefficients on the original scale, p K x L in CSC parts: j K + k is feature j of output k. They increase within a
  // column.
  std::vector<Index> coef_indptr;
  std::vector<Index> coef_indices;
  std::vector<double> coef_values;
  // Where groups overlap (Features::column) the part of each member, in the same way: m K x L.
  std::vector<Index> part_indptr;
  std::vector<Index> part_indices;
  std::vector<double> part_values;
  std::vector<double> intercepts;    // K for each alpha
  std::vector<double> primal, dual;  // objective and lower bound (NaN: none), from the data, in double
  std::vector<double> dual_gaps;     // (primal - dual) / (null objective - saturated objective), or, where that is
                                     // rounding (`exhausted`), over the deviance of the model with no feature; "mcp",
                                     // "scad": the largest violation of a KKT condition, over alpha
  std::vector<std::uint8_t>
      locally_convex;                   // "mcp", "scad": whether the objective is, strictly, on the active features
  std::vector<double> deviance_ratio;   // of the deviance of the intercept-only fit
  std::vector<std::uint8_t> converged;  // |dual gap| <= tol
  std::vector<Index> n_active;          // features
  std::vector<Index> n_groups;          // different labels of these, where there are labels; else none
  std::vector<Index> n_iter;            // inner iterations, without those on the way from the alpha before
  std::vector<Solver> solver;           // what Solver::kAuto chose, per alpha
  double alpha_max = 0;                 // smallest alpha with no penalised feature active
  double null_objective = 0;            // loss of intercept and unpenalised features alone
  double saturated_objective = 0;
  std::vector<Index> dependent;  // unpenalised features that others explain, up to rounding: their coefficients are 0
  bool exhausted = false;        // intercept and unpenalised features explain y up to rounding, or separate its classes
  bool separated = false;        // unpenalised features separate some rows from all others: no finite optimum
  Vec mean, scale;               // p each: column means and the scales used (1 when not standardised)
  Vec spread;                    // p standard deviations when not standardised, else none: they are the scales
  std::string stopped;           // why before the end of the grid: "progress", "deviance", "max_active", "max_groups",
                                 // "patience", "memory"; or ""
  Mat linear_predictor;          // on request: rows of weight zero (in order) x K L (K for each alpha), offset included
  Counters counters;             // shared by all problems of the call

  /// The p coefficients of an output at alphas[k]. Throws std::invalid_argument where there is no such.
  Eigen::SparseVector<double> coef(std::size_t k, Index output = 0) const;
};

/// Minimises, for each alpha,
///   (1 / sum w) sum_i w_i loss(y_i, b0 + x_i'b + offset_i)
///     + alpha sum_j pf_j (l1_ratio |b_j| + (1 - l1_ratio) / 2 b_j^2)   subject to lower <= b <= upper,
/// or with another penalty in the place of the last sum: see penalties; where, when standardising, b_j in
/// the penalty and in the bounds' active set is measured on columns of unit standard deviation (bounds themselves are
/// on the original scale). Problems use the grid of their leader and stop where it stops: folds follow the full fit.
/// Leaders have grids of their own, and those that have stopped no longer take part. Certified: the gap of each fit is
/// computed in double from the data. With a checkpoint, a fit that was killed, or stopped by progress, goes on from the
/// last state written when it is called again, and ends with the same bits as one that was not; the file is removed at
/// the end of the path, or kept. Throws std::invalid_argument for sizes or values outside their domain and for a
/// checkpoint of another fit, NonFiniteError for NaN or infinity in X, FileError for a checkpoint that cannot be
/// written or is damaged.
std::vector<PathResult> fit_paths(const Design& X, const std::vector<Problem>& problems, const Features& features,
                                  const PathOptions& options);

/// As fit_paths() of problems that lead themselves, each of them a fit to the rows that it weighs, as a design of their
/// own (Design::rows_subset): `threads` of them at a time, on one thread each. Where many rows weigh nothing it takes
/// less time than passes that problems share, if the storage says so (Traits::subset_pays). `memory` is divided among
/// the problems, and holds their rows too; those that it has no room for end without a fit, `stopped` by "memory".
/// Progress is told of whichever got on last, on the calling thread, which does not fit. Counters are those of each.
/// Throws std::invalid_argument as well for problems that follow others, a checkpoint, and what is asked of held-out
/// rows.
std::vector<PathResult> fit_paths_apart(const Design& X, const std::vector<Problem>& problems, const Features& features,
                                        const PathOptions& options);

/// How far the fit had come whose state a checkpoint holds. Throws FileError when it cannot be read or is damaged.
struct CheckpointProgress {
  Index done = 0, total = 0;  // alphas
};
CheckpointProgress checkpoint_progress(const std::string& path);

}  // namespace riata
