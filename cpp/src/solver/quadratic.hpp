#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "design/pool.hpp"
#include "loss/curvature.hpp"
#include "penalty/elastic_net.hpp"
#include "riata/types.hpp"
#include "solver/room.hpp"

namespace riata {

/// The smooth part every inner solver sees: a quadratic in the working-set coefficients b (scaled columns),
///   q(b) = -u0't + 1/2 t' diag(h) t,   t = Xs (b - b0),
/// where column w of Xs is (pool column - centre_w) * inv_scale_w and centre_w is the h-weighted mean when there is
/// an intercept (which is thereby minimised out: sum(u) = 0 is kept). Its negative gradient is
///   c(b) = Xs'u,   u = u0 - diag(h) t.
/// With K outputs b, c and every other vector of coefficients have K entries for each feature of the working set,
/// feature by feature, and t and u are n x K, one output after the other; h is common to all of them.
/// Where rows or outputs are coupled, `coupling` takes the place of diag(h), of the same order of magnitude; it has the
/// intercepts minimised out of it, so that centres only keep cancellation away. When h never changes and n is large,
/// `use_gram` keeps G = Xs' diag(h) Xs of the whole working set and works from c = c0 - G (b - b0) without touching
/// columns (one output only).
class Quadratic {
 public:
  /// `small_means`: no column's mean exceeds its standard deviation, so that products may be centred afterwards.
  Quadratic(const Pool& pool, bool intercept, bool use_gram, bool small_means, int threads, Index outputs = 1)
      : pool_(pool),
        intercept_(intercept),
        use_gram_(use_gram),
        small_means_(small_means),
        threads_(threads),
        outputs_(outputs) {}

  /// Names the working set: pool positions and 1 / scale. Only appended to while a Gram matrix is in use. Without an
  /// intercept columns are not centred (and the pool must not have shifted them).
  void set_working(std::vector<Index> positions, std::vector<double> inv_scale);

  /// Expansion point: curvature h, negative gradient u0 in eta (summing to 0 with an intercept), coefficients b0 and
  /// c0 = Xs'u0. Setting a new h forgets centres and Gram.
  void expand(const Vec* new_h, const Vec& u0, const Vec& b0, const Vec& c0,
              std::unique_ptr<const Curvature> coupling = nullptr);

  /// Gives back the `coupling` that state() leaves out.
  void couple(std::unique_ptr<const Curvature> coupling) { coupling_ = std::move(coupling); }

  /// Coefficients: outputs() for each of features().
  Index size() const { return features() * outputs_; }
  Index features() const { return static_cast<Index>(positions_.size()); }
  Index outputs() const { return outputs_; }
  Index rows() const { return pool_.rows(); }
  bool coupled() const { return coupling_ != nullptr; }
  /// Whether expand() has been called.
  bool expanded() const { return origin_.u.size() > 0; }
  const Vec& b0() const { return origin_.b; }
  const Vec& c0() const { return origin_.c; }
  const Vec& u0() const { return origin_.u; }

  /// Makes b the current point: where u and t are known, and from where steps of coordinate descent go.
  void move_to(const Vec& b);

  /// Computes c on the entries `where` at b, into c (other entries are left alone). Without a Gram matrix b is then the
  /// current point.
  void correlations(const Vec& b, std::span<const Index> where, Vec& c);

  /// q(b) given c(b) on the features where b differs from b0.
  double value(const Vec& b, const Vec& c) const { return -0.5 * (b - origin_.b).dot(c + origin_.c); }

  /// t = Xs (b - b0), the change of the linear predictor (intercept profiled out), at b, which is then the current
  /// point.
  const Vec& predictor_change(const Vec& b);

  /// out(i, r) = G(rows[i], cols[r]) of entries.
  void gram_block(std::span<const Index> rows, std::span<const Index> cols, MatOut out);
  /// G(w, w) for all entries.
  const Vec& diagonal();
  /// out(i, r) = (Xs' diag(h) Xs)(rows[i], cols[r]) of features, whatever the outputs and the coupling.
  void feature_gram(std::span<const Index> rows, std::span<const Index> cols, MatOut out);
  /// out(i, :) = G v on the K entries of features[i], for v with K numbers in row i for each of them and none
  /// elsewhere.
  void hessian_product(std::span<const Index> features, const MatIn& v, MatOut out);

  /// Products with the columns of Xs, one output: of features with a vector of rows that sums to zero where there is an
  /// intercept, into c, one number a feature; and sum_w values[w] x_w, less a common constant.
  void correlate(std::span<const Index> features, const Vec& rows, Vec& c);
  void combine(std::span<const Index> features, const Vec& values, Vec& out);
  /// The same columns less a given number in place of the mean.
  void columns_less(std::span<const Index> features, std::span<const double> centres, MatOut out);
  /// The mean of a column that is in use now; 0 without an intercept.
  double mean_of(Index feature);
  const Vec& weights() const { return weights_.h; }
  bool intercept() const { return intercept_; }
  int threads() const { return threads_; }

  /// Rough nanoseconds of one product with a column (or with a row of the Gram matrix).
  double column_cost() const;
  /// The same of a single-column step.
  double update_cost() const;

  bool has_gram() const { return use_gram_; }
  /// out = G times several vectors (has_gram() only).
  void gram_product(const MatIn& vectors, MatOut out);
  /// The whole Gram matrix (has_gram() only).
  const Mat& gram();

  /// Steps of coordinate descent without a Gram matrix, from the current point, which they move: c there, and the
  /// effect of b += change on it; of one entry, or of a whole feature where outputs are not coupled. Cost O(nonzeros of
  /// the column), each output.
  double column_correlation(Index entry);
  void column_update(Index entry, double change);
  void row_correlation(Index feature, Eigen::Ref<Vec> c);
  void row_update(Index feature, const Eigen::Ref<const Vec>& change);
  /// The same of several features, a x K, at the rate of matrix products, where their columns lie in memory and rows
  /// are not coupled.
  bool moves_together(std::span<const Index> features) const;
  void rows_correlation(std::span<const Index> features, MatMap& c);
  void rows_update(std::span<const Index> features, const MatMap& change);
  /// The same of features that follow each other in the working set, one output; coupled rows too.
  void block_correlation(Index first, Eigen::Ref<Vec> c);
  void block_update(Index first, const Eigen::Ref<const Vec>& change);
  /// u at that point, and t as move_to() left it.
  const Vec& gradient() const { return point_.u; }
  const Vec& change() const { return point_.t; }
  /// sum u^2 / (2 h) at that point: q but for a constant, where outputs are not coupled.
  double half_rss() const;

  /// See checkpoint/archive.hpp. All but the coupling.
  template <class Archive>
  void state(Archive& archive) {
    archive(positions_, inv_scale_, pool_centre_, has_centre_, weights_.h, origin_.u, origin_.b, origin_.c,
            weights_.sum, weights_.uniform, point_.t, point_.u, point_.lag, gram_, gram_size_, diagonal_,
            pool_diagonal_);
    archive.rooms(scratch_);
  }

 private:
  int threads_for(Columns columns, Index sides) const;
  double centre(Index w) const { return pool_centre_[positions_[static_cast<std::size_t>(w)]]; }
  void ensure_centres(std::span<const Index> features);
  std::span<const Index> block_columns(Index first, Index size);
  void find_lines(std::span<const Index> features);
  void coupled_gram(std::span<const Index> rows, std::span<const Index> cols, MatOut out);
  std::span<const Index> positions_of(std::span<const Index> features);
  void multiply_features(std::span<const Index> features, const MatIn& values, Eigen::Ref<Vec> out);
  MatMap embed(std::span<const Index> entries);
  Eigen::Map<const Mat, 0, Eigen::OuterStride<>> plain_columns(std::span<const Index> positions);
  MatMap centred_columns(std::span<const Index> features, Room& room);
  void apply_weights(MatOut columns) const;
  Vec coupled_diagonal();

  const Pool& pool_;
  bool intercept_;
  bool use_gram_;
  bool small_means_;
  int threads_;
  Index outputs_;
  std::vector<Index> positions_;  // of features
  Vec inv_scale_;
  Vec pool_centre_;  // by pool column: it outlives a working set
  std::vector<char> has_centre_;
  std::unique_ptr<const Curvature> coupling_;
  struct Weights {  // of rows
    Vec h;
    double sum = 0.0;
    bool uniform = false;
  } weights_;
  struct Origin {  // where it is expanded
    Vec u, b, c;
  } origin_;
  struct Point {  // the current one
    Vec t, u;
    Vec lag;  // of each output: column updates leave u short of h * lag (their centring)
  } point_;
  Mat gram_;
  Index gram_size_ = 0;
  Vec diagonal_, pool_diagonal_;
  struct Scratch {
    std::vector<Index> columns, features, missing;
    std::vector<const double*> lines;
    Room values, products, change, image, shift, sums, gathered, weighted;
    Vec c;
    struct {
      std::vector<Index> rows, cols, features, place;
      Room scale, centre;
    } gram;

    template <class Archive>
    void rooms(Archive& archive) {
      archive.rooms(columns, features, missing, lines, values, products, change, image, shift, sums, gathered, weighted,
                    c, gram.rows, gram.cols, gram.features, gram.place, gram.scale, gram.centre);
    }
  } scratch_;
};

}  // namespace riata
