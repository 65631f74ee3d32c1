#include "riata/univariate/leave_one_out.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "io/digest.hpp"
#include "loss/cox.hpp"
#include "loss/loss.hpp"
#include "parallel.hpp"
#include "riata/design/dense.hpp"
#include "riata/error.hpp"

namespace riata {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kAlone = 1e-10;        // 1 - leverage up to which a row alone decides the slope
constexpr double kConstant = 1e-18;     // variance, as a share of the mean square, up to which a column is constant
constexpr Index kBlockCells = 1 << 18;  // numbers of a block of columns worked on together

/// The quadratic model of the loss at some eta: curvature h, and h times the working response.
struct Expansion {
  Vec h, response;
};

/// A straight line fitted by weighted least squares, and what leverages need.
struct Line {
  double level = 0.0, slope = 0.0;  // level + slope (x - centre)
  double centre = 0.0;
  double inverse_weight = 0.0, inverse_spread = 0.0;

  double at(double x) const { return level + slope * (x - centre); }
  double intercept() const { return level - slope * centre; }
};

using Column = Eigen::Ref<const Vec>;

/// The line through (x, response / h) of weights h; of slope 0 where x does not vary.
Line fit_line(const Column& x, const Expansion& at, bool intercept) {
  Line line;
  const double weight = at.h.sum();
  if (intercept && weight > 0.0) {
    line.inverse_weight = 1.0 / weight;
    line.centre = at.h.dot(x) / weight;
    line.level = at.response.sum() / weight;
  }
  double spread = 0.0, square = 0.0, pull = 0.0;
  for (Index i = 0; i < x.size(); ++i) {
    const double d = x[i] - line.centre;
    spread += at.h[i] * d * d;
    square += at.h[i] * x[i] * x[i];
    pull += d * (at.response[i] - at.h[i] * line.level);
  }
  if (!std::isfinite(spread)) {
    line.slope = kNone;
  } else if (spread > kConstant * square) {
    line.inverse_spread = 1.0 / spread;
    line.slope = pull / spread;
  }
  return line;
}

void check_rows(const char* name, const Vec& values, Index rows) {
  if (values.size() == rows) return;
  throw std::invalid_argument(std::string(name) + " must have " + std::to_string(rows) + " numbers, got " +
                              std::to_string(values.size()));
}

/// The loss of a problem whose vectors have the right size.
std::unique_ptr<const Loss> loss_of(const UnivariateProblem& problem) {
  const double total = problem.weights.sum();
  if (!(total > 0.0)) throw std::invalid_argument("weights must have a positive sum");
  Vec omega = problem.weights / total;
  if (problem.loss.is<losses::Cox>()) {
    return std::make_unique<Cox>(problem.y, problem.survival, std::move(omega), total);
  }
  return make_loss(problem.loss, problem.y, std::move(omega));
}

class LeaveOneOutDesign final : public LeaveOneOut {
 public:
  LeaveOneOutDesign(std::shared_ptr<const Design> source, UnivariateProblem problem, int threads)
      : LeaveOneOut(source->rows(), source->cols()), source_(std::move(source)), problem_(std::move(problem)) {
    if (problem_.loss.is<losses::Multigaussian>() || problem_.loss.is<losses::Multinomial>()) {
      throw std::invalid_argument("loss must be one of one output");
    }
    if (problem_.offset.size() == 0) problem_.offset = Vec::Zero(rows());
    check_rows("y", problem_.y, rows());
    check_rows("weights", problem_.weights, rows());
    check_rows("offset", problem_.offset, rows());
    if (problem_.steps < 1) {
      throw std::invalid_argument("steps must be >= 1, got " + std::to_string(problem_.steps));
    }
    loss_ = loss_of(problem_);
    if (loss_->quadratic()) problem_.steps = 1;
    const double start = problem_.intercept ? solve_intercept(*loss_, problem_.offset, 0.0) : 0.0;
    start_ = expand(problem_.offset.array() + start);
    if (problem_.steps > 1) before_.resize(2, cols());
    fits_.intercept.resize(cols());
    fits_.slope.resize(cols());
    std::vector<Index> all(static_cast<std::size_t>(cols()));
    std::iota(all.begin(), all.end(), Index{0});
    in_blocks(all, threads, [&](Columns columns, const Mat& block, Index) {
      parallel_for(block.cols(), threads, [&](Index k) { fit(columns[static_cast<std::size_t>(k)], block.col(k)); });
    });
    for (Index j = 0; j < cols(); ++j) {
      if (std::isnan(fits_.slope[j])) throw NonFiniteError(j);
    }
  }

  const UnivariateFits& fits() const override { return fits_; }

  std::string_view kind() const override { return "leave_one_out"; }

  Traits traits() const override {
    const Traits source = source_->traits();
    Traits own;
    own.columns_a_call = block_columns();
    own.concurrent = source.concurrent;
    Digest digest;
    digest.add(Digest::of("leave_one_out", {source.fingerprint}));
    digest.add(fits_.slope.data(), static_cast<std::size_t>(fits_.slope.size()) * sizeof(double));
    own.fingerprint = digest.value();
    return own;
  }

  double bytes() const override {
    return static_cast<double>(rows()) * static_cast<double>(cols()) * static_cast<double>(sizeof(double));
  }

  void moments(Columns columns, const MatIn& weights, MatOut mean, MatOut variance, int threads) const override {
    predicted(columns, threads, [&](const Design& block, Columns all, Index at) {
      block.moments(all, weights, mean.middleRows(at, block.cols()), variance.middleRows(at, block.cols()), threads);
    });
  }

  void correlate(Columns columns, const MatIn& R, MatOut out, int threads) const override {
    predicted(columns, threads, [&](const Design& block, Columns all, Index at) {
      block.correlate(all, R, out.middleRows(at, block.cols()), threads);
    });
  }

  void multiply(Columns columns, const MatIn& B, MatOut out, int threads) const override {
    out.setZero();
    Mat term(out.rows(), out.cols());
    predicted(columns, threads, [&](const Design& block, Columns all, Index at) {
      block.multiply(all, B.middleRows(at, block.cols()), term, threads);
      out += term;
    });
  }

  void gather(Columns columns, MatOut out, int threads) const override {
    source_->gather(columns, out, threads);
    const int used = worth_threads(threads, 8.0 * static_cast<double>(out.size()));
    parallel_for(out.cols(), used, [&](Index k) { predict(columns[static_cast<std::size_t>(k)], out.col(k)); });
  }

 private:
  Index block_columns() const { return std::clamp<Index>(kBlockCells / std::max<Index>(rows(), 1), 8, 512); }

  /// f(columns, their numbers, place of the first in `columns`) for blocks of columns of the source.
  template <class F>
  void in_blocks(Columns columns, int threads, const F& f) const {
    const std::size_t most = static_cast<std::size_t>(block_columns());
    Mat block;
    for (std::size_t begin = 0; begin < columns.size(); begin += most) {
      const Columns some = columns.subspan(begin, std::min(most, columns.size() - begin));
      block.resize(rows(), static_cast<Index>(some.size()));
      PollScope::check();
      source_->gather(some, block, threads);
      f(some, block, static_cast<Index>(begin));
    }
  }

  /// f(a dense design of predictions, all its columns, place of the first in `columns`) for blocks of columns.
  template <class F>
  void predicted(Columns columns, int threads, const F& f) const {
    const std::size_t most = static_cast<std::size_t>(block_columns());
    std::vector<Index> all(std::min(most, columns.size()));
    std::iota(all.begin(), all.end(), Index{0});
    Mat block;
    for (std::size_t begin = 0; begin < columns.size(); begin += most) {
      const Columns some = columns.subspan(begin, std::min(most, columns.size() - begin));
      block.resize(rows(), static_cast<Index>(some.size()));
      gather(some, block, threads);
      const auto dense = dense_design(block.data(), rows(), block.cols(), 1, rows());
      f(*dense, Columns(all.data(), some.size()), static_cast<Index>(begin));
    }
  }

  Expansion expand(const Vec& eta) const {
    Expansion at;
    Vec u;
    loss_->derivatives(eta, u, at.h);
    at.response = at.h.cwiseProduct(eta - problem_.offset) + u;
    return at;
  }

  Expansion expand_at(const Line& line, const Column& x) const {
    return expand((line.intercept() + line.slope * x.array() + problem_.offset.array()).matrix());
  }

  /// The point of the last step for column j.
  Line before(Index j) const {
    Line line;
    line.level = before_(0, j);
    line.slope = before_(1, j);
    return line;
  }

  void fit(Index j, const Column& x) {
    Line line = fit_line(x, start_, problem_.intercept);
    for (int step = 1; step < problem_.steps; ++step) {
      before_(0, j) = line.intercept();
      before_(1, j) = line.slope;
      const Line next = fit_line(x, expand_at(before(j), x), problem_.intercept);
      if (!std::isfinite(next.slope) || !std::isfinite(next.level)) {  // the step before went out of all bounds
        before_(1, j) = kNone;
        line = fit_line(x, start_, problem_.intercept);
        break;
      }
      line = next;
    }
    fits_.intercept[j] = line.intercept();
    fits_.slope[j] = line.slope;
  }

  /// Turns the values of column j into what is predicted of them.
  void predict(Index j, MatOut::ColXpr x) const {
    if (problem_.steps == 1 || std::isnan(before_(1, j))) {
      leave_out(x, start_);
    } else {
      leave_out(x, expand_at(before(j), x));
    }
  }

  void leave_out(MatOut::ColXpr x, const Expansion& at) const {
    const Line line = fit_line(x, at, problem_.intercept);
    const Vec& omega = loss_->omega();
    const double weight = at.h.sum(), total = at.response.sum();
    for (Index i = 0; i < x.size(); ++i) {
      const double fitted = line.at(x[i]);
      if (omega[i] == 0.0) {
        x[i] = fitted;
        continue;
      }
      const double d = x[i] - line.centre;
      const double q = line.inverse_weight + d * d * line.inverse_spread;
      const double rest = 1.0 - at.h[i] * q;
      if (rest > kAlone) {
        x[i] = fitted - q * (at.response[i] - at.h[i] * fitted) / rest;
      } else {  // the others are all alike: their level
        const double others = weight - at.h[i];
        x[i] = problem_.intercept && others > kAlone * weight ? (total - at.response[i]) / others : 0.0;
      }
    }
  }

  std::shared_ptr<const Design> source_;
  UnivariateProblem problem_;
  std::unique_ptr<const Loss> loss_;
  Expansion start_;  // at the model without features
  Mat before_;       // intercept and slope of each column at the point of the last step; NaN: that is the start
  UnivariateFits fits_;
};

}  // namespace

std::unique_ptr<LeaveOneOut> leave_one_out_design(std::shared_ptr<const Design> source, UnivariateProblem problem,
                                                  int threads, const Poll& poll) {
  if (source == nullptr) throw std::invalid_argument("source must be a design, got none");
  const PollScope scope(poll);
  return std::make_unique<LeaveOneOutDesign>(std::move(source), std::move(problem), threads);
}

}  // namespace riata
