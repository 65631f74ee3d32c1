#include "solver/block_newton.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "riata/kernel/kernels.hpp"

namespace riata {
namespace {

constexpr Index kMostHeld = 2000;    // features with a Gram matrix; beyond that every product takes columns
constexpr int kRounds = 60;          // sweeps and steps before the whole working set is looked at again
constexpr int kSurrogateSweeps = 2;  // of descent on a surrogate, where outputs are coupled
constexpr int kStagnant = 6;         // rounds without progress
constexpr double kLoose = 0.1;       // residual that conjugate gradients may leave
constexpr Index kMostIterations = 60;
constexpr int kAttempts = 3;      // at a step, with ever fewer coefficients
constexpr double kBlocked = 0.1;  // of its step, below which a coefficient that is to be stopped takes no part
constexpr int kTrials = 5;        // of a step that is cut
constexpr double kShorter = 0.3, kWorthwhile = 0.3;
constexpr double kRounding = 1e-9;  // of the objective, by which it may seem to rise
constexpr Index kStale = 45;  // iterations that tell of a preconditioner far off, and of the Gram matrix behind it

/// G R for a symmetric G.
Mat symmetric_product(const Mat& G, const Mat& R) {
  std::vector<const double*> lines;
  for (Index j = 0; j < G.cols(); ++j) lines.push_back(G.col(j).data());
  Mat out(G.cols(), R.cols());
  if (out.size() == 0) return out;
  kernels().correlate_f64(lines.data(), G.cols(), G.rows(), R.data(), R.outerStride(), R.cols(), out.data(),
                          out.outerStride());
  return out;
}

bool without_kink(const Penalties& penalty, Index unit) {
  if (const Grouped* rows = penalty.grouped()) return (*rows)[unit].l1 == 0.0;
  return penalty.entries()[static_cast<std::size_t>(unit)].l1 == 0.0;
}

}  // namespace

/// The features worked on, a x K.
struct BlockNewton::Local {
  std::vector<Index> features;
  std::vector<GroupNorm> rows;      // the penalty of each,
  std::vector<ElasticNet> entries;  // or of each of its coefficients
  Mat B, C;
  bool held;   // whether G is known
  bool exact;  // and is what the model has
  Mat G;

  // Counted multiplications.
  double size() const { return static_cast<double>(B.rows()); }
  double sweep_cost() const { return size() * static_cast<double>(B.size()); }
  double build_cost() const { return 2.5 * size() * size() * size(); }
  double iteration_cost(Index samples) const {
    const double product = exact ? size() : 2.0 * static_cast<double>(samples);
    return (product + 2.0 * size()) * static_cast<double>(B.size());
  }

  const GroupNorm& row(Index i) const { return rows[static_cast<std::size_t>(i)]; }
  const ElasticNet& entry(Index i) const { return entries[static_cast<std::size_t>(i)]; }
  bool grouped() const { return !rows.empty(); }
  double l2(Index i) const { return grouped() ? row(i).l2 : entry(i).l2; }
  /// l1 / |b| of a row that is not zero.
  double pull(Index i) const {
    const double norm = grouped() ? B.row(i).norm() : 0.0;
    return norm > 0.0 ? row(i).l1 / norm : 0.0;
  }

  double worst() const {
    double out = 0.0;
    for (Index i = 0; i < B.rows(); ++i) {
      if (grouped()) {
        out = std::max(out, row(i).kkt_violation(B.row(i), C.row(i)));
        continue;
      }
      for (Index k = 0; k < B.cols(); ++k) out = std::max(out, entry(i).kkt_violation(B(i, k), C(i, k)));
    }
    return out;
  }
  /// Row i of B where it minimises the penalty and a quadratic with this curvature and minimum z.
  void minimise(Index i, double curvature, Eigen::RowVectorXd& z) const {
    if (grouped()) {
      z *= row(i).shrinkage(z.norm(), 1.0 / curvature);
    } else {
      for (double& value : z) value = entry(i).prox(value, 1.0 / curvature);
    }
  }
  /// Whether a coefficient is where its penalty is smooth, and may stay there.
  bool moves(Index i, Index k) const {
    if (grouped()) return row(i).l1 == 0.0 || (B.row(i).array() != 0.0).any();
    const ElasticNet& net = entry(i);
    if (net.l1 == 0.0) return net.kkt_violation(B(i, k), C(i, k)) > 0.0 || (B(i, k) > net.lower && B(i, k) < net.upper);
    return B(i, k) != 0.0 && B(i, k) > net.lower && B(i, k) < net.upper;
  }
  /// Where coefficient (i, k) stops that goes to `to`: at the end of the side on which its penalty is smooth.
  double stop(Index i, Index k, double to) const {
    const double end = std::clamp(to, entry(i).lower, entry(i).upper);
    return entry(i).l1 > 0.0 && B(i, k) * end < 0.0 ? 0.0 : end;
  }
  /// Cuts the step D of coefficients that would pass their stop. Whether any was.
  bool cut(Mat& D) const {
    if (grouped()) return false;
    bool any = false;
    for (Index k = 0; k < D.cols(); ++k) {
      for (Index i = 0; i < D.rows(); ++i) {
        const double to = B(i, k) + D(i, k), end = stop(i, k, to);
        if (end == to) continue;
        D(i, k) = end - B(i, k);
        any = true;
      }
    }
    return any;
  }
  /// Takes the median from rows that are active in every output: of a symmetric loss that lowers the penalty alone.
  void centre_rows() {
    std::vector<double> sorted(static_cast<std::size_t>(B.cols()));
    for (Index i = 0; i < B.rows(); ++i) {
      const ElasticNet& net = entry(i);
      if (net.l1 == 0.0 || net.l2 > 0.0 || net.lower > -kInfinity || net.upper < kInfinity) continue;
      if ((B.row(i).array() == 0.0).any()) continue;
      for (Index k = 0; k < B.cols(); ++k) sorted[static_cast<std::size_t>(k)] = B(i, k);
      const auto middle = sorted.begin() + B.cols() / 2;
      std::nth_element(sorted.begin(), middle, sorted.end());
      B.row(i).array() -= *middle;
    }
  }
  /// t in [0, 1] where the objective along B + t D is least. `slope` = C'D, `bend` = D'G D of the quadratic.
  double best_length(const Mat& from, const Mat& D, double slope, double bend) const {
    const Vec bb = from.rowwise().squaredNorm(), bd = from.cwiseProduct(D).rowwise().sum();
    const Vec dd = D.rowwise().squaredNorm();
    const auto rate = [&](double t) {
      double sum = t * bend - slope;
      for (Index i = 0; i < bb.size(); ++i) {
        const double along = bd[i] + t * dd[i];
        sum += l2(i) * along;
        if (grouped()) {
          const double norm = std::sqrt(std::max(bb[i] + t * (2.0 * bd[i] + t * dd[i]), 0.0));
          if (norm > 0.0) sum += row(i).l1 * along / norm;
          continue;
        }
        for (Index k = 0; k < D.cols(); ++k) {
          const double at = from(i, k) + t * D(i, k), d = D(i, k);
          sum += entry(i).l1 * (at > 0.0 ? d : at < 0.0 ? -d : t > 0.0 ? -std::abs(d) : std::abs(d));
        }
      }
      return sum;
    };
    if (rate(1.0) <= 0.0) return 1.0;
    double low = 0.0, high = 1.0;
    for (int halving = 0; halving < 30; ++halving) {
      const double middle = 0.5 * (low + high);
      (rate(middle) > 0.0 ? high : low) = middle;
    }
    return low;
  }
  /// Change of C when B moves by D, and D'(that).
  Mat curve(Quadratic& model, const Mat& D) const {
    if (exact) return symmetric_product(G, D);
    Mat out;
    model.curve(features, D.transpose(), out);
    return out.transpose();
  }
};

void BlockNewton::working_set_changed(std::span<const Index> new_number, Index /*outputs*/) {
  gram_.working_set_changed(new_number);
  for (Index& w : place_) w = w >= 0 ? new_number[static_cast<std::size_t>(w)] : w;
}

/// Sweeps of block coordinate descent: exact with the Gram matrix of the model; else on a surrogate, with its end as a
/// direction.
void BlockNewton::sweep(InnerProblem& problem, Local& at) const {
  const Mat start = at.B, gradient = at.C;
  Vec diagonal(at.B.rows());
  if (at.held) {
    diagonal = at.G.diagonal();
  } else {
    const Vec& all = problem.model.diagonal();
    const Index K = problem.model.outputs();
    for (std::size_t i = 0; i < at.features.size(); ++i) {
      diagonal[static_cast<Index>(i)] = all.segment(at.features[i] * K, K).maxCoeff();
    }
  }
  Eigen::RowVectorXd z(at.B.cols());
  for (int pass = 0; pass < (at.exact ? 1 : kSurrogateSweeps); ++pass) {
    for (Index i = 0; i < at.B.rows(); ++i) {
      const double curvature = diagonal[i];
      if (curvature <= 0.0) continue;
      z = at.B.row(i) + at.C.row(i) / curvature;
      at.minimise(i, curvature, z);
      const Eigen::RowVectorXd change = z - at.B.row(i);
      if ((change.array() == 0.0).all()) continue;
      at.B.row(i) = z;
      if (at.held) {
        at.C.noalias() -= at.G.col(i) * change;
      } else {
        at.C.row(i) -= curvature * change;
      }
      ++problem.counters.cd_updates;
    }
  }
  if (at.exact) return;
  const Mat D = at.B - start, curved = at.curve(problem.model, D);
  const double t = at.best_length(start, D, gradient.cwiseProduct(D).sum(), curved.cwiseProduct(D).sum());
  if (t < 1.0) at.B = start + t * D;
  at.C = gradient - t * curved;
}

void BlockNewton::forget_preconditioner() {
  place_.clear();
  inverse_.resize(0, 0);
  direction_.resize(0, 0);
  pull_.resize(0);
  corrects_ = false;
}

void BlockNewton::factor_correction() {
  corrects_ = false;
  if (!(pull_.array() > 0.0).any()) return;
  Mat middle = -inverse_.cwiseProduct(direction_ * direction_.transpose());
  for (Index i = 0; i < pull_.size(); ++i) middle(i, i) += pull_[i] > 0.0 ? 1.0 / pull_[i] : 1.0;
  correction_.compute(middle);
  corrects_ = correction_.info() == Eigen::Success;
}

/// Makes the preconditioner for the features that move.
void BlockNewton::precondition(const Local& at, std::span<const Index> moving) {
  const Index m = static_cast<Index>(moving.size());
  place_.clear();
  pull_.resize(m);
  direction_.setZero(m, at.B.cols());
  Mat H(m, m);
  for (Index i = 0; i < m; ++i) {
    const Index row = moving[static_cast<std::size_t>(i)];
    place_.push_back(at.features[static_cast<std::size_t>(row)]);
    pull_[i] = at.pull(row);
    if (pull_[i] > 0.0) direction_.row(i) = at.B.row(row).normalized();
    for (Index j = 0; j < m; ++j) H(j, i) = at.G(moving[static_cast<std::size_t>(j)], row);
    H(i, i) += pull_[i] + at.l2(row);
  }
  H.diagonal().array() += 1e-12 * H.diagonal().maxCoeff();
  const Eigen::LLT<Mat> factor(H);
  if (factor.info() != Eigen::Success) {  // of columns taken at different curvatures: made anew next time
    gram_.invalidate();
    H = Mat(H.diagonal().asDiagonal());
  }
  inverse_ = factor.info() == Eigen::Success ? factor.solve(Mat::Identity(m, m))
                                             : Mat(H.diagonal().cwiseInverse().asDiagonal());
  inverse_ = (0.5 * (inverse_ + inverse_.transpose())).eval();
  factor_correction();
}

/// The preconditioner times a residual of the features that move; those it does not know take their diagonal.
Mat BlockNewton::apply(const Local& at, std::span<const Index> moving, const Mat& residual) const {
  const Index m = static_cast<Index>(moving.size());
  Mat out(m, residual.cols()), known = Mat::Zero(static_cast<Index>(place_.size()), residual.cols());
  std::vector<Index> slot(static_cast<std::size_t>(*std::max_element(at.features.begin(), at.features.end())) + 1, -1);
  for (std::size_t i = 0; i < place_.size(); ++i) {
    if (place_[i] >= 0 && place_[i] < static_cast<Index>(slot.size())) {
      slot[static_cast<std::size_t>(place_[i])] = static_cast<Index>(i);
    }
  }
  const auto slot_of = [&](Index i) {
    return slot[static_cast<std::size_t>(at.features[static_cast<std::size_t>(moving[static_cast<std::size_t>(i)])])];
  };
  for (Index i = 0; i < m; ++i) {
    if (slot_of(i) >= 0) known.row(slot_of(i)) = residual.row(i);
  }
  Mat solved = symmetric_product(inverse_, known);
  if (corrects_) {
    const Vec along = correction_.solve(solved.cwiseProduct(direction_).rowwise().sum());
    solved += symmetric_product(inverse_, along.asDiagonal() * direction_);
  }
  for (Index i = 0; i < m; ++i) {
    const Index s = slot_of(i), row = moving[static_cast<std::size_t>(i)];
    if (s >= 0) {
      out.row(i) = solved.row(s);
      continue;
    }
    const double curvature = (at.held ? at.G(row, row) : 1.0) + at.l2(row) + at.pull(row);
    out.row(i) = residual.row(i) / std::max(curvature, 1e-300);
  }
  return out;
}

/// One Newton step on the coefficients that are active.
void BlockNewton::newton(InnerProblem& problem, Local& at) {
  const Index K = at.B.cols();
  std::vector<Index> moving;
  for (Index i = 0; i < at.B.rows(); ++i) {
    bool any = false;
    for (Index k = 0; k < K; ++k) any = any || at.moves(i, k);
    if (any) moving.push_back(i);
  }
  if (moving.empty()) return;
  const Index m = static_cast<Index>(moving.size());
  Mat residual = Mat::Zero(m, K), direction = Mat::Zero(m, K), mask = Mat::Ones(m, K);
  Vec pull(m), ridge(m);
  for (Index i = 0; i < m; ++i) {
    const Index row = moving[static_cast<std::size_t>(i)];
    pull[i] = at.pull(row);
    ridge[i] = at.l2(row);
    if (pull[i] > 0.0) direction.row(i) = at.B.row(row).normalized();
    residual.row(i) = at.C.row(row) - (ridge[i] + pull[i]) * at.B.row(row);
    if (at.grouped()) continue;
    for (Index k = 0; k < K; ++k) {
      mask(i, k) = at.moves(row, k) ? 1.0 : 0.0;
      const double b = at.B(row, k), l1 = at.entry(row).l1;
      residual(i, k) = mask(i, k) * (residual(i, k) - (b > 0.0 ? l1 : b < 0.0 ? -l1 : 0.0));
    }
  }
  Mat whole = Mat::Zero(at.B.rows(), K);
  Mat curved_whole;
  const auto curve = [&](const Mat& D) {
    for (Index i = 0; i < m; ++i) whole.row(moving[static_cast<std::size_t>(i)]) = D.row(i);
    curved_whole = at.curve(problem.model, whole);
    Mat out(m, K);
    for (Index i = 0; i < m; ++i) out.row(i) = curved_whole.row(moving[static_cast<std::size_t>(i)]);
    const Vec along = D.cwiseProduct(direction).rowwise().sum().cwiseProduct(pull);
    out += (ridge + pull).asDiagonal() * D;
    out -= along.asDiagonal() * direction;
    return Mat(out.cwiseProduct(mask));
  };
  const auto precondition_of = [&](const Mat& r) { return Mat(apply(at, moving, r).cwiseProduct(mask)); };
  const double excess = (static_cast<double>(iterations_) - fresh_) * at.iteration_cost(problem.model.rows());
  const bool anew = at.held && (place_.empty() || excess > at.build_cost() || iterations_ >= kStale);
  if (anew) precondition(at, moving);

  // Conjugate gradients. D is the step, `fall` the model's share of the matrix times it. Coefficients that are to be
  // stopped almost at once take no part, or the others would go where only together they should.
  const Mat gradient = residual;
  Mat D, fall;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    residual = gradient.cwiseProduct(mask);
    D = Mat::Zero(m, K);
    fall = Mat::Zero(at.B.rows(), K);
    Mat solved = precondition_of(residual), search = solved;
    const double first = residual.norm();
    double product = residual.cwiseProduct(solved).sum();
    iterations_ = 0;
    if (!(product > 0.0)) {
      forget_preconditioner();
      return;
    }
    for (; iterations_ < kMostIterations; ++iterations_) {
      const Mat image = curve(search);
      const double bend = search.cwiseProduct(image).sum();
      if (!(bend > 0.0)) break;
      const double length = product / bend;
      D += length * search;
      fall += length * curved_whole;
      residual -= length * image;
      if (residual.norm() <= kLoose * first) {
        ++iterations_;
        break;
      }
      solved = precondition_of(residual);
      const double next = residual.cwiseProduct(solved).sum();
      if (!(next > 0.0)) break;
      search = solved + (next / product) * search;
      product = next;
    }
    if (anew && attempt == 0) fresh_ = static_cast<double>(iterations_);
    ++problem.counters.newton_steps;
    if (!D.allFinite()) {
      forget_preconditioner();
      return;
    }
    bool any = false;
    for (Index i = 0; i < m && !at.grouped(); ++i) {
      for (Index k = 0; k < K; ++k) {
        const Index row = moving[static_cast<std::size_t>(i)];
        const double from = at.B(row, k), to = from + D(i, k), end = at.stop(row, k, to);
        if (end == to || std::abs(end - from) > kBlocked * std::abs(D(i, k))) continue;
        mask(i, k) = 0.0;
        any = true;
      }
    }
    if (!any) break;
  }
  whole.setZero();
  for (Index i = 0; i < m; ++i) whole.row(moving[static_cast<std::size_t>(i)]) = D.row(i);
  // Cut where a penalty has its kink, the step is another one: shorter, until what is left of it is one downwards.
  const Mat full = whole, full_fall = fall;
  double share = 1.0, t = 0.0;
  for (int trial = 0; trial < kTrials && t < kWorthwhile; ++trial, share *= kShorter) {
    whole = share * full;
    fall = at.cut(whole) ? at.curve(problem.model, whole) : Mat(share * full_fall);
    t = at.best_length(at.B, whole, at.C.cwiseProduct(whole).sum(), fall.cwiseProduct(whole).sum());
  }
  at.B += t * whole;
  at.C -= t * fall;
}

/// Brings the violation on some features down to the target; c there is as at b to begin with.
void BlockNewton::work_on(InnerProblem& problem, std::span<const Index> features, double target, Vec& b, const Vec& c,
                          InnerResult& result) {
  Quadratic& model = problem.model;
  const Index a = static_cast<Index>(features.size()), K = model.outputs();
  Local at;
  at.features.assign(features.begin(), features.end());
  at.held = a <= kMostHeld;
  at.exact = at.held && !model.coupled();
  if (at.held) {
    if (model.coupled() && iterations_ >= kStale) {
      gram_.invalidate();
      forget_preconditioner();
    }
    gram_.ensure(model, features);
    at.G = gram_.block(features);
  }
  at.B.resize(a, K);
  at.C.resize(a, K);
  for (Index i = 0; i < a; ++i) {
    const Index w = at.features[static_cast<std::size_t>(i)];
    if (problem.penalty.grouped()) {
      at.rows.push_back((*problem.penalty.grouped())[w]);
    } else {
      at.entries.push_back(problem.penalty.entries()[static_cast<std::size_t>(w * K)]);
    }
    at.B.row(i) = b.segment(w * K, K).transpose();
    at.C.row(i) = c.segment(w * K, K).transpose();
  }
  if (problem.symmetric && !at.grouped()) at.centre_rows();
  double worst = at.worst(), best = worst;
  int stagnant = 0;
  for (int round = 0; round < kRounds && worst > target && stagnant < kStagnant && result.iterations < problem.max_iter;
       ++round, ++result.iterations) {
    if (problem.poll) problem.poll();
    sweep(problem, at);
    double next = at.worst();
    const double rate = std::min(next / worst, 0.99), sweeps = std::log(next / target) / -std::log(rate);
    const double step = 3.0 * at.iteration_cost(model.rows()) + 0.3 * at.build_cost();
    if (!problem.descent_only && next > target && (!at.exact || sweeps * at.sweep_cost() > step)) {
      newton(problem, at);
      next = at.worst();
    }
    worst = next;
    stagnant = worst < 0.5 * best || (problem.descent_only && worst < best) ? 0 : stagnant + 1;
    best = std::min(best, worst);
  }
  for (Index i = 0; i < a; ++i) b.segment(at.features[static_cast<std::size_t>(i)] * K, K) = at.B.row(i).transpose();
}

/// The same by sweeps over the columns, from the model's current point.
void BlockNewton::descend(InnerProblem& problem, std::span<const Index> features, double target, Vec& b,
                          InnerResult& result) {
  Quadratic& model = problem.model;
  const Index K = model.outputs();
  const Vec& diagonal = model.diagonal();
  Vec c(K), z(K);
  descent_.run(problem, features, target, b, result, [&](Index w) {
    const double curvature = diagonal[w * K];
    if (curvature <= 0.0) return 0.0;
    const GroupNorm& net = (*problem.penalty.grouped())[w];
    auto row = b.segment(w * K, K);
    model.row_correlation(w, c);
    const double violation = net.kkt_violation(row, c);
    z = row + c / curvature;
    z *= net.shrinkage(z.norm(), 1.0 / curvature);
    c = z - row;
    if ((c.array() == 0.0).all()) return violation;
    model.row_update(w, c);
    row = z;
    ++problem.counters.cd_updates;
    return violation;
  });
}

InnerResult BlockNewton::solve(InnerProblem problem, Vec& b, Vec& c) {
  Quadratic& model = problem.model;
  const Index K = model.outputs();
  std::vector<Index> all(static_cast<std::size_t>(model.size()));
  std::iota(all.begin(), all.end(), Index{0});
  InnerResult result;
  double best = kInfinity;
  int stagnant = 0;
  BlockChoice choice;
  const Index units = problem.penalty.units() / std::max<Index>(model.features(), 1);  // of a feature
  Vec lowest_b = b;
  double lowest = objective(problem, b, c);
  while (result.iterations < problem.max_iter) {
    if (problem.poll) problem.poll();
    choice.clear();
    for (Index w = 0; w < model.features(); ++w) {
      double violation = 0.0;
      for (Index i = w * units; i < (w + 1) * units; ++i) {
        violation = std::max(violation, problem.penalty.violation(i, b, c));
      }
      const bool active = without_kink(problem.penalty, w * units) || (b.segment(w * K, K).array() != 0.0).any();
      choice.add(w, active, violation, problem.tolerance);
    }
    const double worst = choice.worst();
    const double distance = worst <= problem.tolerance ? 0.0 : problem.enough ? problem.enough(b, c) : kInfinity;
    if (distance <= 1.0) {
      result.converged = true;
      break;
    }
    stagnant = worst < 0.5 * best ? 0 : stagnant + 1;
    best = std::min(best, worst);
    if (stagnant > 2 * kStagnant) break;
    const std::span<const Index> active = choice.choose();
    const double target = choice.target(problem.tolerance, distance);
    if (problem.penalty.grouped() && !model.coupled() && static_cast<Index>(active.size()) > model.rows()) {
      descend(problem, active, target, b, result);
    } else {
      work_on(problem, active, target, b, c, result);
    }
    model.correlations(b, all, c);
    result.iterations = std::min(result.iterations + 1, problem.max_iter);
    // With more features than the samples can tell apart, a Newton step may be rounding alone.
    const double value = objective(problem, b, c);
    if (value <= lowest + kRounding * std::abs(lowest)) {
      lowest = std::min(lowest, value);
      lowest_b = b;
      continue;
    }
    b = lowest_b;
    model.correlations(b, all, c);
    if (problem.descent_only) break;
    problem.descent_only = true;
  }
  return result;
}

}  // namespace riata
