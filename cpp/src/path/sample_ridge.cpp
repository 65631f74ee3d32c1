#include "path/sample_ridge.hpp"

#include <algorithm>
#include <cmath>

#include "path/common_basis.hpp"

namespace riata {
namespace {

constexpr int kSteps = 60;           // of Newton's method at one lambda
constexpr int kInnerSteps = 300;     // of conjugate gradients in one of them
constexpr double kInner = 1e-3;      // by which they bring the residual down
constexpr double kLeastRoot = 1e-4;  // of the usual curvature, for what is made with its root
constexpr int kStalls = 3;
constexpr double kFewInnerSteps = 4.0;
constexpr double kBetweenPolls = 1e9;  // multiplications, in blocks of lambdas
constexpr Index kFewColumns = 16;      // of which reflections are applied together

Mat projected(const Mat& K, const Vec& root, const Mat& basis) {
  const Mat scaled = root.asDiagonal() * K * root.asDiagonal();
  const Mat left = scaled - basis * (basis.transpose() * scaled);
  return left - (left * basis) * basis.transpose();
}

}  // namespace

SampleFactor::SampleFactor(const Mat& K, const Vec& curvature, const Mat& z, const Poll& poll)
    : poll_(poll),
      root_(curvature.cwiseSqrt()),
      basis_(orthonormal_basis(root_.asDiagonal() * z)),
      tridiagonal_(projected(K, root_, basis_), poll),
      diagonal_(tridiagonal_.diagonal()),
      beside_(tridiagonal_.beside()) {}

Vec SampleFactor::rotate(const Vec& x) const {
  Vec y = (root_.array() > 0.0).select(x.array() / root_.array(), 0.0);
  y -= basis_ * (basis_.transpose() * y);  // (rounding of it would grow by 1 / lambda at every use)
  return tridiagonal_.q().adjoint() * y;
}

Mat SampleFactor::solve(const Vec& rotated, std::span<const double> lambdas) const {
  Mat y(rotated.size(), static_cast<Index>(lambdas.size()));
  for (std::size_t k = 0; k < lambdas.size(); ++k) {
    y.col(static_cast<Index>(k)) = solve_tridiagonal(diagonal_, beside_, lambdas[k], rotated);
  }
  const double rows = static_cast<double>(y.rows());
  const Index step = std::max(kFewColumns, static_cast<Index>(kBetweenPolls / (rows * rows)));
  for (Index k = 0; k < y.cols(); k += step) {
    if (poll_) poll_();
    y.middleCols(k, std::min(step, y.cols() - k)).applyOnTheLeft(tridiagonal_.q());
  }
  y -= basis_ * (basis_.transpose() * y);
  return root_.asDiagonal() * y;
}

/// F'' at a point, with intercept and free columns minimised out.
struct SampleRidge::Hessian {
  Hessian(const Loss& loss, const Point& at, const Mat& free)
      : h(at.h), z(free), coupled(loss.curvature(at.eta, 0.0, false)) {
    image = z;
    plain(image);
    normal = z.transpose() * image;
    normal.diagonal().array() *= 1.0 + 1e-13;
    normal.diagonal().array() += 1e-30;
    inverse.compute(normal);
  }
  void plain(MatOut x) const {
    if (coupled) {
      coupled->multiply(x);
    } else {
      x = h.asDiagonal() * x;
    }
  }
  /// What free columns go along when the rest of eta moves by `change`, and their own slope is `slope`.
  Vec along(const Vec& image_of_change, const Vec& slope) const {
    if (z.cols() == 0) return Vec();
    return inverse.solve(slope - z.transpose() * image_of_change);
  }
  Vec times(const Vec& x) const {
    Mat y = x;
    plain(y);
    Vec out = y.col(0);
    if (z.cols() > 0) out -= image * inverse.solve(z.transpose() * out);
    return out;
  }

  const Vec& h;
  const Mat& z;
  std::unique_ptr<Curvature> coupled;
  Mat image, normal;
  Eigen::LDLT<Mat> inverse;
};

SampleRidge::SampleRidge(const Loss& loss, const LinearPredictor& predictor, const DualityGap& gap, const Mat& K,
                         double enough, const Poll& poll)
    : loss_(loss), predictor_(predictor), gap_(gap), K_(K), enough_(enough), poll_(poll) {
  const Mat& free = gap.free_columns();
  const bool level = predictor.intercept() && !loss.shift_invariant();
  z_.resize(loss.omega().size(), free.cols() + (level ? 1 : 0));
  if (free.cols() > 0) z_.leftCols(free.cols()) = free;
  if (level) z_.col(free.cols()).setOnes();
}

/// Intercept and free columns, and the level that cannot be told of a loss without an intercept: what a is orthogonal
/// to.
Mat SampleRidge::span() const {
  if (!loss_.shift_invariant()) return z_;
  Mat out(z_.rows(), z_.cols() + 1);
  out.leftCols(z_.cols()) = z_;
  out.col(z_.cols()).setOnes();
  return out;
}

void SampleRidge::start_at(const Vec& gamma, const Vec& g) {
  last_ = Point();
  last_.a = last_.Ka = Vec::Zero(z_.rows());
  last_.gamma = gamma;
  last_.g = g;
}

std::shared_ptr<const SampleFactor> SampleRidge::factor_of_squares() {
  if (!factor_) factor_ = std::make_shared<SampleFactor>(K_, loss_.omega(), span(), poll_);
  return factor_;
}

/// eta, u, h and the objective at a, Ka and gamma, with the intercept solved for.
void SampleRidge::evaluate(Point& at) const {
  at.eta = at.Ka;
  if (at.gamma.size() > 0) at.eta += gap_.free_columns() * at.gamma;
  if (predictor_.offset().size() > 0) at.eta += predictor_.offset();
  predictor_.add_intercepts(at.eta, at.g);
  loss_.derivatives(at.eta, at.u, at.h);
  at.objective = loss_.value(at.eta) + 0.5 * at.lambda * at.a.dot(at.Ka);
}

/// The duality gap, and the dual point that it is of.
void SampleRidge::measure(Point& at) const {
  PathPoint p;
  p.eta = at.eta;
  p.u = at.u;
  if (gap_.free_columns().cols() > 0) gap_.make_dual_feasible(p);
  at.dual_u = std::move(p.u);
  at.dual_eta = std::move(p.dual_eta);
  const Vec& where = at.dual_eta.size() > 0 ? at.dual_eta : at.eta;
  const Vec r = at.lambda * at.a - at.dual_u;
  // That of the loss is of Fenchel's inequality, that of the penalty a square.
  const double loss = loss_.value(at.eta) - loss_.dual_at(where, at.dual_u, 1.0) + at.dual_u.dot(at.eta);
  at.gap = std::max(loss, 0.0) + r.dot(K_.selfadjointView<Eigen::Lower>() * r) / (2.0 * at.lambda);
}

/// Solves H K x + lambda x = r by conjugate gradients in the inner product of K, where both sides are symmetric;
/// `image` becomes K x.
Vec SampleRidge::direction(const Hessian& hessian, const Vec& r, double lambda, Vec& image) {
  Vec x = Vec::Zero(r.size()), left = r, p, Kp;
  image = x;
  double rho = 0.0, first = 0.0;
  int steps = 0;
  for (; steps < kInnerSteps; ++steps) {
    const Vec z = factor_->solve(left, lambda);
    const Vec Kz = K_.selfadjointView<Eigen::Lower>() * z;
    const double next = left.dot(Kz);
    if (steps == 0) first = next;
    if (!(next > kInner * kInner * first) || !(next > 0.0)) break;
    const double beta = steps == 0 ? 0.0 : next / rho;
    p = steps == 0 ? z : Vec(z + beta * p);
    Kp = steps == 0 ? Kz : Vec(Kz + beta * Kp);
    rho = next;
    const Vec Ap = hessian.times(Kp) + lambda * p;
    const double curvature = Kp.dot(Ap);
    if (!(curvature > 0.0)) break;
    const double length = rho / curvature;
    x += length * p;
    image += length * Kp;
    left -= length * Ap;
  }
  extra_ += std::max(steps - kFewInnerSteps, 0.0);
  return x;
}

/// One step of Newton's method, as far as it brings the objective down; false where it does not.
bool SampleRidge::step(Point& at) {
  // Made again, a factor costs as much as so many steps that it saves.
  if (!factor_ || extra_ > 0.5 * static_cast<double>(K_.rows())) {
    const double usual = at.h.sum() / static_cast<double>((loss_.omega().array() > 0.0).count());
    const Vec floor = (loss_.omega().array() > 0.0).select(Vec::Constant(at.h.size(), kLeastRoot * usual), 0.0);
    factor_ =
        std::make_shared<SampleFactor>(K_, loss_.quadratic() ? loss_.omega() : at.h.cwiseMax(floor), span(), poll_);
    extra_ = 0.0;
  }
  const Hessian hessian(loss_, at, z_);
  Vec r = at.u - at.lambda * at.a, slope = z_.transpose() * at.u, image;
  if (z_.cols() > 0) r -= hessian.image * hessian.inverse.solve(z_.transpose() * r);
  if (loss_.shift_invariant()) r -= r.sum() * loss_.omega();  // (of which K knows nothing)
  const Vec change = direction(hessian, r, at.lambda, image);
  Mat moved = image;
  hessian.plain(moved);
  const Vec along = hessian.along(moved.col(0), slope);
  const Index q = at.gamma.size();
  Point trial = at;
  for (double fraction = 1.0; fraction > 1e-8; fraction *= 0.5) {
    trial.a = at.a + fraction * change;
    trial.Ka = at.Ka + fraction * image;
    if (q > 0) trial.gamma = at.gamma + fraction * along.head(q);
    trial.g = at.g;
    evaluate(trial);
    if (trial.objective <= at.objective + 1e-14 * std::abs(at.objective) + loss_.rounding()) {
      trial.steps = at.steps + 1;
      at = std::move(trial);
      return true;
    }
  }
  return false;
}

void SampleRidge::improve(Point& at) {
  measure(at);
  double best = at.gap;
  int stalls = 0;
  for (int i = 0; i < kSteps && !(at.gap <= enough_) && stalls < kStalls; ++i) {
    if (poll_) poll_();
    if (!step(at)) return;
    // Ka is carried along: its rounding is taken out now and then.
    if (i % 8 == 7) at.Ka = K_.selfadjointView<Eigen::Lower>() * at.a;
    measure(at);
    stalls = at.gap < 0.5 * best ? 0 : stalls + 1;
    best = std::min(best, at.gap);
  }
}

SampleRidge::Point SampleRidge::null_point() const {
  Point null = last_;
  null.lambda = 0.0;
  null.a.setZero();
  null.Ka.setZero();
  evaluate(null);
  return null;
}

/// Of squares: what the null fit leaves, off intercept and free columns.
Vec SampleRidge::pull() const {
  const Point null = null_point();
  const Hessian hessian(loss_, null, z_);
  Vec r = null.u;
  if (z_.cols() > 0) r -= hessian.image * hessian.inverse.solve(z_.transpose() * null.u);
  return r;
}

/// Of squares: every lambda from the null fit in one step.
std::vector<SampleRidge::Point> SampleRidge::closed_form(std::span<const double> lambdas) {
  const Vec r = pull();
  const Mat a = factor_of_squares()->solve(factor_->rotate(r), lambdas);
  return points_of(lambdas, a, K_ * a);
}

RidgeBasis SampleRidge::new_basis(Index most, Index columns) const {
  return {loss_.omega(), span(), pull(), most, columns};
}

std::vector<SampleRidge::Point> SampleRidge::solutions(const RidgeBasis& basis, const Mat& t,
                                                       std::span<const double> lambdas) const {
  return points_of(lambdas, basis.sides() * t, basis.images() * t);
}

/// Of squares: solutions whose a and K a are known.
std::vector<SampleRidge::Point> SampleRidge::points_of(std::span<const double> lambdas, const Mat& a,
                                                       const Mat& Ka) const {
  const Point null = null_point();
  const Hessian hessian(loss_, null, z_);
  const Vec slope = z_.transpose() * null.u;
  std::vector<Point> out;
  const Index q = null.gamma.size();
  for (Index k = 0; k < a.cols(); ++k) {
    Point& at = out.emplace_back();
    at.lambda = lambdas[static_cast<std::size_t>(k)];
    at.a = a.col(k);
    at.Ka = Ka.col(k);
    const Vec along = hessian.along(null.h.cwiseProduct(at.Ka), slope);
    at.gamma = null.gamma;
    if (q > 0) at.gamma += along.head(q);
    at.g = null.g;
    at.steps = 1;
    evaluate(at);
  }
  return out;
}

std::vector<SampleRidge::Point> SampleRidge::solve(std::span<const double> lambdas) {
  std::vector<Point> out;
  if (loss_.quadratic()) {
    out = closed_form(lambdas);
    for (Point& at : out) improve(at);
    return out;
  }
  for (const double lambda : lambdas) {
    Point& at = out.emplace_back(last_);
    at.lambda = lambda;
    at.steps = 0;
    evaluate(at);
    improve(at);
    last_ = at;
  }
  return out;
}

}  // namespace riata
