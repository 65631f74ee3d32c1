#include "path/tridiagonal_form.hpp"

#include <algorithm>
#include <utility>

namespace riata {

TridiagonalForm::TridiagonalForm(Mat A, const Poll& poll)
    : reflections_(std::move(A)), coefficients_(std::max<Index>(reflections_.rows() - 1, 0)) {
  const Index n = reflections_.rows();
  for (Index i = 0; i + 1 < n; ++i) {
    if (poll) poll();
    const Index left = n - i - 1;
    double coefficient = 0.0, beside = 0.0;
    auto v = reflections_.col(i).tail(left);
    v.makeHouseholderInPlace(coefficient, beside);
    v[0] = 1.0;
    // H A H = A - v w' - w v' for H = I - coefficient v v'; w stands where later coefficients will.
    auto rest = reflections_.bottomRightCorner(left, left);
    auto w = coefficients_.tail(left);
    w.noalias() = rest.selfadjointView<Eigen::Lower>() * (coefficient * v);
    w += (coefficient * -0.5 * w.dot(v)) * v;
    rest.selfadjointView<Eigen::Lower>().rankUpdate(v, w, -1.0);
    v[0] = beside;
    coefficients_[i] = coefficient;
  }
}

Vec solve_tridiagonal(const Vec& diagonal, const Vec& beside, double lambda, Vec x) {
  const Index n = x.size();
  Vec pivot(n);
  for (Index i = 0; i < n; ++i) {
    pivot[i] = diagonal[i] + lambda;
    if (i == 0) continue;
    const double share = beside[i - 1] / pivot[i - 1];
    // T has no negative eigenvalue: what is less than lambda is rounding.
    pivot[i] = std::max(pivot[i] - share * beside[i - 1], lambda);
    x[i] -= share * x[i - 1];
  }
  for (Index i = n - 1; i >= 0; --i) {
    if (i + 1 < n) x[i] -= beside[i] * x[i + 1];
    x[i] /= pivot[i];
  }
  return x;
}

}  // namespace riata
