#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "path/curvature_reuse.hpp"
#include "path/feature_groups.hpp"
#include "path/reference_subspace.hpp"
#include "path/response.hpp"
#include "path/shared_pool.hpp"
#include "path/solver_choice.hpp"
#include "riata/api.hpp"
#include "riata/loss/loss.hpp"
#include "riata/penalty/penalties.hpp"
#include "riata/solver/block_newton.hpp"
#include "riata/solver/group_descent.hpp"
#include "riata/solver/inner.hpp"
#include "riata/solver/sorted_newton.hpp"

namespace riata {

/// One response going down the path: its working set (path_problem.cpp), solutions on it (path_solve.cpp,
/// path_newton.cpp) and their certificates (path_certify.cpp, and path_tied.cpp where features are judged together).
/// The driver (fit_paths.cpp) moves several of these in step so that they share every pass over X:
///   select, solve (any number of lambdas ahead), then begin_certify / absorb / finish_certify until none is pending.
/// With K outputs a feature has K coefficients, and b, c and the like K entries for each feature of the working set,
/// feature by feature; eta, u and rho are n x K, one output after the other.
class PathProblem {
 public:
  /// `copy_errors` are those of RoundedProducts.
  PathProblem(SharedPool& shared, Response response, const Features& features, const PathOptions& options, Vec mean,
              Vec variance, const Vec& copy_errors, bool alone, int threads);

  /// Whether a problem keeps the Gram matrix of all columns: quadratic loss, penalties of single coefficients and more
  /// rows than (not too many) columns.
  static bool keeps_gram(const Design& X, const PathOptions& options, bool alone);

  /// Bounds the rounding of X'u, relative to the norms (Design::correlate), with that of what is made of it.
  static constexpr double kProductError = 2e-14;
  /// A bound this close to its threshold counts as undecided.
  static constexpr double kBoundMargin = 1e-6;
  /// A scaled c may pass its threshold by a rounding: conjugates are taken at this share of the scale.
  static constexpr double kBelow = 1.0 - 1e-16;
  /// Bytes for each column of X that its problem keeps beside its state(), means and the like.
  static constexpr double kColumnBytes = 32.0;
  static constexpr double kLeastRatio = 1e-3;  // stands for a smaller l1_ratio where the grid begins

  /// Fits intercept and unpenalised features, the end of the path at lambda = infinity.
  void fit_null();
  /// Smallest lambda with no penalised feature active; valid once the null fit has been certified.
  double lambda_max() const { return lambda_max_; }

  /// Chooses the working set for the next lambda, or, when no column is outside it, any number of them (decreasing),
  /// from what is known of every column. `following` is where the batch after this one will end: candidates for it are
  /// noted while this one is certified.
  void select(std::span<const double> lambdas, double following);
  /// Solves the pending lambdas on the working set. Does not touch X or the pool's columns beyond reading them.
  void solve();

  /// True while some lambda of the batch is not accepted.
  bool pending() const { return !pending_.empty(); }
  /// Evaluates the pending solutions from the data and finds the columns that no bound decides, in increasing order.
  void begin_certify();
  const std::vector<Index>& needed() const { return needed_; }
  /// The right-hand sides to stream on those columns.
  const Mat& sides() const { return sides_; }
  /// Whether products with nearby right-hand sides will do at first.
  bool may_round() const { return pending_.front().lambda < kInfinity; }
  /// Products with `used`, sides() itself or something near it, are about to come in so many pieces.
  void expect(const Mat& used, Index pieces);
  /// Takes X' used of some columns. Safe for different pieces at once.
  void absorb(Index piece, Columns columns, const MatIn& products);
  /// The same for the null fit, from products of all columns with its u (p x K).
  void absorb_null(const MatIn& products);
  /// Puts together the pieces of the columns that were `read`. Returns those for which nearby right-hand sides did not
  /// do, in increasing order.
  std::vector<Index> absorbed(std::span<const Index> read);
  /// Accepts what is certified; for the rest extends the working set. Returns whether solve() is to be called again.
  bool finish_certify();

  /// Drops results beyond the first `count` lambdas.
  void truncate(Index count);
  const PathResult& result() const { return result_; }
  /// The finished result; the problem is of no use afterwards.
  PathResult take_result();
  Index fitted() const { return static_cast<Index>(result_.alphas.size()); }
  bool everything_working() const { return outside_ == 0; }
  /// Whether a fit leaves at most `share` of the deviance about a level.
  bool leaves_at_most(double share, std::size_t i) const {
    return null_deviance_ > 0.0 && result_.deviance_ratio[i] >= 1.0 - share * spread_ / null_deviance_;
  }
  Counters& counters() { return counters_; }
  Index support_size() const;

  /// See path/archive.hpp. For use between lambdas, when none is pending.
  template <class Archive>
  void state(Archive& archive) {
    PathResult& r = result_;
    archive(r.alphas, r.coef_indptr, r.coef_indices, r.coef_values, r.intercepts, r.primal, r.dual, r.dual_gaps,
            r.deviance_ratio, r.converged, r.locally_convex, r.n_active, r.n_iter, r.solver, r.alpha_max,
            r.null_objective, r.exhausted, r.linear_predictor);
    archive(free_columns_, outside_, work_, model_, active_set_, block_newton_, sorted_newton_, active_gram_, choice_,
            reuse_, curvature_known_);
    archive(b_, c_, u_, rho_, eta_, c_error_, norm_, g_, lambda_, lambda_max_, earlier_b_, earlier_c_, earlier_lambda_);
    archive(candidates_, candidates_known_, following_, reference_, kkt_relative_, counters_);
    archive(coupled_at_);
    if constexpr (Archive::reading) {
      enter_work();
      couple_again();
    }
  }

 private:
  /// Features outside the working set with |c| above its threshold, and their c.
  struct Beyond {
    std::vector<Index> features;
    std::vector<double> c;  // K numbers each
    double error = 0.0;     // bounds the rounding of every c
    Vec values() const { return Eigen::Map<const Vec>(c.data(), static_cast<Index>(c.size())); }
  };
  struct Piece {  // what absorb() found in some columns
    std::vector<std::pair<double, Index>> candidates;
    std::vector<Index> again;
    Beyond beyond;
  };
  struct Pending {
    double lambda;
    Vec b;  // on the working set
    Vec g;
    std::string solver;
    Index iterations = 0;
    bool evaluated = false;
    bool correlated = false;  // c is that of the model's gradient
    Vec eta, u, c;
    Vec dual_eta;          // where u is taken when not at eta
    double c_error = 0.0;  // of every entry of c
    Beyond beyond;
  };

  ElasticNet penalty(Index feature, double lambda) const;
  Penalties penalties(std::span<const Index> features, double lambda) const;
  Penalties penalties(double lambda) const { return penalties(work_, lambda); }
  auto outputs(const Vec& v) const { return v.reshaped(n_, outputs_); }
  /// The penalty is of single coefficients, and convex: that is what factors and homotopy are for.
  bool simple() const { return structure_ == Structure::kNone; }
  /// Whether a feature outside the working set cannot be judged by itself.
  bool tied() const { return structure_ == Structure::kGroups || structure_ == Structure::kSorted; }
  GroupNorm norm_of(Index group, double lambda) const;
  /// Whether groups of features are solved by descent; those of several outputs go by proximal gradient steps.
  bool descends_groups() const {
    return structure_ == Structure::kGroups && options_.solver != "prox" && outputs_ == 1;
  }
  double largest_scale() const;
  double size_of(const double* c) const;
  double most_size(const Vec& c, const Vec& slack) const;
  double factor(Index feature) const {
    return features_.penalty_factor.size() > 0 ? features_.penalty_factor[feature] : 1.0;
  }
  /// The feature that a column of the fit belongs to: groups that overlap have columns of their own.
  Index feature_of(Index column) const {
    const bool member = column < static_cast<Index>(features_.column.size());
    return member ? features_.column[static_cast<std::size_t>(column)] : column;
  }
  double strong_threshold(double from, double to) const;
  void find_candidates(double threshold);
  void bound_outside(double lambda);
  void bound_columns();
  void bound_groups(double lambda);
  void bound_sorted(double lambda);
  std::vector<Index> judge_groups(std::span<const Index> read);
  std::vector<Index> judge_sorted(std::span<const Index> read);
  double product_noise(Index feature) const;
  void judge(Piece& piece, Index feature, const Vec& c, const Vec& slack) const;
  std::vector<std::pair<double, Index>> outside_by(const Vec& sizes, double least) const;
  Vec members_of(Index group, const Vec& values) const;
  bool is_outside(Index feature) const { return reference_[0].limit(feature) >= 0.0; }
  void note_groups(double threshold);
  void note_sorted(double threshold);
  double null_lambda(const Beyond& beyond) const;
  std::vector<Index> wanted(double lambda) const;
  std::vector<Index> chosen(Index batch);
  void ask(const Vec& rho);
  void decide(double threshold, double promising, Index first, std::span<std::uint8_t> flags) const;
  double estimate(Index feature) const;
  double kkt_tolerance(double lambda) const;
  int threads_for(Columns columns, Index sides) const;
  void set_work(std::vector<Index> features);
  void enter_work();
  void extend_work(std::vector<Index> features);
  void evaluate(std::span<Pending> pending);
  double centring_error(const Vec& u) const;
  bool correlate_by_gram(std::span<Pending* const> pending);
  void correlate_work(const MatIn& u, MatOut c) const;
  bool is_free(Index feature) const;
  Vec residual(const Vec& u) const;
  double residual_norm(const Vec& u) const;
  void make_dual_feasible(Pending& p) const;
  bool move_dual_point(Pending& p) const;
  bool by_blocks(const Vec& b) const;
  InnerResult solve_blocks(Pending& p, const Penalties& net, double tolerance, Vec& b, Vec& c,
                           const PenalisedProblem::Enough& enough, bool stale = false);
  struct Newton;
  void solve_newton(Pending& p, std::span<const Index> entering);
  double factor_step(Newton& at, Pending& p, bool kept, std::span<const Index> entering, bool everywhere);
  bool coordinates_convex(const Penalties& net);
  static Penalties tangent_penalties(const Penalties& net, const Vec& b);
  double model_step(Newton& at, Pending& p, const std::string& solver);
  void renew_model(const Newton& at, const Pending& p, bool careful);
  void couple_again();
  double search_line(Newton& at, Pending& p, const Vec& b, bool free);
  double curvature_along(const Newton& at, const Pending& p, const Vec& change) const;
  double best_fraction(const Newton& at, const Pending& p, const Vec& b, const Vec& change, double slope) const;
  void complete(Newton& at, Pending& p) const;
  double distance(const Newton& at, const Pending& p, std::span<const Index> units) const;
  double distance(const Penalties& net, const Vec& b, const Vec& c, std::span<const Index> units, double lambda,
                  const std::function<double(double)>& shrinkage) const;
  bool extrapolate(const Pending& p, Vec& b) const;
  void solve_structured_squares(Pending& p, const Penalties& net);
  Mat linear_predictors(std::span<const Vec* const> coefficients) const;
  void correlate_entries(const Vec& u, std::span<const Index> entries, Vec& c) const;
  void add_intercepts(Vec& eta, Vec& g) const;
  std::vector<Index> expected_entries(double lambda, const Vec& b, const Vec& c, double at, const Vec& earlier_c,
                                      double earlier) const;
  SolverChoice::Situation situation(const Vec& b) const;
  Index factor_limit() const;
  std::string choose_solver(const Vec& b);
  InnerResult solve_inner(Pending& p, const std::string& solver, InnerProblem problem, Vec& b, Vec& c,
                          std::span<const Index> entering);
  bool accept(Pending& p, bool last_try);
  /// What is left to a lambda of its inner iterations.
  Index iterations_left(const Pending& p) const { return std::max<Index>(options_.max_iter - p.iterations, 0); }
  double gap_unit() const;
  bool leaves_nothing(Pending& p) const;
  bool locally_convex(const Pending& p, const Penalties& net);
  double free_conjugate(Index unit, const Pending& p, const Penalties& net, const Vec& c, double scale) const;
  void adopt(const Pending& p);
  Vec centred_away(const Pending& p) const;
  void record(const Pending& p, double primal, double dual, double gap);

  SharedPool& shared_;
  const Features& features_;
  const PathOptions& options_;
  Index n_, p_;
  int threads_;
  std::unique_ptr<Loss> loss_;
  Index outputs_;  // K
  Structure structure_;
  FeatureGroups groups_;          // of the penalty "group"
  Vec offset_, reported_offset_;  // see Response
  Vec y_shift_;
  std::vector<Index> held_out_;

  Vec mean_, scale_;
  double usual_factor_ = 1.0;   // smallest penalty factor that is not tiny next to the largest
  double largest_norm_ = 0.0;   // of the scaled usable columns
  double largest_noise_ = 0.0;  // rounding of an inner product of one of them with a vector of norm 1
  std::vector<Index> unpenalised_;
  Mat free_columns_;       // scaled columns of the unpenalised features without bounds
  bool keep_all_ = false;  // all usable columns are in the working set from the start
  Index outside_ = 0;      // usable features outside the working set

  std::vector<Index> work_;
  std::vector<std::int32_t> number_;  // feature -> working-set number or -1
  Quadratic model_;
  ActiveSet active_set_;
  BlockNewton block_newton_;
  GroupDescent group_descent_;
  SortedNewton sorted_newton_;
  HeldGram active_gram_;  // for locally_convex()
  SolverChoice choice_;
  CurvatureReuse reuse_;
  bool curvature_known_ = false;
  Vec coupled_at_;  // eta of the curvature in the model, where it couples rows

  // Current solution, evaluated from the data: scaled coefficients on the working set and what follows from them.
  Vec b_, c_, u_, rho_, eta_;
  double c_error_ = 0.0, norm_ = 0.0;  // of every entry of c; |rho|
  Vec g_;
  double lambda_ = kInfinity, lambda_max_ = 0.0;
  Vec earlier_b_, earlier_c_;  // at earlier_lambda_, one lambda above lambda_ (c NaN: not known)
  double earlier_lambda_ = kInfinity;

  // Columns outside the working set that may enter over the next batch, with |c| / penalty factor.
  std::vector<std::pair<double, Index>> candidates_;
  bool candidates_known_ = false;
  double following_ = 0.0;

  std::vector<ReferenceSubspace> reference_;     // one an output
  std::vector<ReferenceSubspace::Query> query_;  // of the residuals last asked for
  std::vector<Pending> pending_;
  std::vector<Index> needed_;      // columns to stream,
  Mat sides_;                      // the right-hand sides for that, those of each output together,
  std::vector<Index> side_begin_;  // K + 1
  bool rounded_ = false;           // whether others near them are used
  Vec side_sums_;
  Vec coordinates_;  // of the pending residuals in the open blocks, a number a side
  // Where features are tied, of each column: bound and estimate of |c|, and the K numbers last read of it.
  Vec bounds_, estimates_, read_c_, read_slack_;
  std::vector<Piece> pieces_;
  double kkt_start_, kkt_relative_;  // inner tolerance relative to lambda: to begin with, and now
  int tries_ = 0;

  double null_deviance_, spread_;  // see Response
  PathResult result_;
  Counters counters_;
};

}  // namespace riata
