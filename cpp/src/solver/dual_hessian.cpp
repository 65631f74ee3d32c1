#include "solver/dual_hessian.hpp"

#include <algorithm>

namespace riata {
namespace {

constexpr Index kMostIterations = 40;   // with an old factor
constexpr double kExact = 1e-7;         // of a residual, the least that conjugate gradients are to leave
constexpr double kLoose = 0.1;          // and the most
constexpr double kIterationCost = 6.0;  // of n^2 multiplications: memory, not arithmetic, bounds an iteration

}  // namespace

void DualHessian::set_curvature(const Quadratic& model) {
  threads_ = model.threads();
  root_ = model.weights().cwiseMax(0.0).cwiseSqrt();
  unit_.resize(0);
  if (model.intercept()) unit_ = root_.normalized();
}

void DualHessian::project(Vec& x) const {
  if (unit_.size() > 0) x -= unit_.dot(x) * unit_;
}

void DualHessian::assign(Quadratic& model, std::span<const signed char> sign, std::span<const ElasticNet> net,
                         double lambda) {
  lambda_ = lambda;
  gram_.assign(model, sign, net, lambda);
}

/// out = (I + H^1/2 K H^1/2 / lambda) x, with the intercept minimised out.
void DualHessian::apply(const Vec& x, Vec& out) {
  rows_ = root_.cwiseProduct(x);
  gram_.multiply(rows_, threads_, out);
  out = root_.cwiseProduct(out) / lambda_;
  project(out);
  out += x;
}

bool DualHessian::make_factor() {
  const Mat& K = gram_.matrix();
  const Index n = K.rows();
  Mat& to = factor_.matrix();
  to.resize(n, n);
  double along = 0.0;
  if (unit_.size() > 0) {
    rows_ = root_.cwiseProduct(unit_);
    gram_.multiply(rows_, threads_, product_);
    product_ = root_.cwiseProduct(product_) / lambda_;
    along = unit_.dot(product_);
  }
  for (Index i = 0; i < n; ++i) {
    auto row = to.col(i).head(i + 1);
    row = K.col(i).head(i + 1).cwiseProduct(root_.head(i + 1)) * (root_[i] / lambda_);
    if (unit_.size() > 0) {
      row -= unit_[i] * product_.head(i + 1) + (product_[i] - along * unit_[i]) * unit_.head(i + 1);
    }
    row[i] += 1.0;
  }
  spent_ = 0.0;
  return factor_.make(threads_);
}

/// False where the factor is of no use.
bool DualHessian::conjugate_gradients(const Vec& gradient, double enough, Vec& step) {
  const Index n = root_.size();
  residual_ = -gradient;
  step.setZero(n);
  const double first = residual_.norm(), target = std::clamp(enough, kExact * first, kLoose * first);
  solved_ = residual_;
  factor_.solve(solved_);
  project(solved_);
  search_ = solved_;
  double product = residual_.dot(solved_);
  for (Index iteration = 0; iteration < kMostIterations; ++iteration) {
    apply(search_, product_);
    const double curvature = search_.dot(product_);
    if (!(curvature > 0.0) || !(product > 0.0)) return false;
    const double length = product / curvature;
    step += length * search_;
    residual_ -= length * product_;
    if (iteration > 0) spent_ += kIterationCost * static_cast<double>(n) * static_cast<double>(n);
    if (residual_.norm() <= target) return true;
    solved_ = residual_;
    factor_.solve(solved_);
    project(solved_);
    const double next = residual_.dot(solved_);
    search_ = solved_ + (next / product) * search_;
    product = next;
  }
  return false;
}

bool DualHessian::solve(const Vec& gradient, double enough, Vec& step) {
  const double n = static_cast<double>(root_.size());
  const bool old = factor_.size() == root_.size() && spent_ < n * n * n / 6.0;
  if (!old && !make_factor()) return false;
  return conjugate_gradients(gradient, enough, step) ||
         (old && make_factor() && conjugate_gradients(gradient, enough, step));
}

}  // namespace riata
