#pragma once

#include <Eigen/Cholesky>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "certify/duality_gap.hpp"
#include "loss/loss.hpp"
#include "path/ridge_basis.hpp"
#include "path/tridiagonal_form.hpp"
#include "solver/linear_predictor.hpp"

/// One lambda of a ridge in the space of samples.
namespace riata {

/// Q T Q' = P S K S P with T tridiagonal, S the roots of a curvature and P the projection off S Z: after it a system
/// with that curvature costs O(n^2) for any lambda.
class SampleFactor {
 public:
  /// `z`: intercept and free columns.
  SampleFactor(const Mat& K, const Vec& curvature, const Mat& z, const Poll& poll);
  /// S Q (T + lambda)^-1 Q' S^-1 x, in two halves: of the x that are asked for at several lambdas the first is common.
  Vec rotate(const Vec& x) const;
  Mat solve(const Vec& rotated, std::span<const double> lambdas) const;
  Vec solve(const Vec& x, double lambda) const { return solve(rotate(x), std::span(&lambda, 1)); }

 private:
  Poll poll_;
  Vec root_;
  Mat basis_;  // of S Z
  TridiagonalForm tridiagonal_;
  Vec diagonal_, beside_;
};

/// A ridge with b = V^-1 Xs'a: n unknowns a beside those of free features, whatever the number of columns, through
/// K = Xs V^-1 Xs' alone.
class SampleRidge {
 public:
  struct Point {
    double lambda = 0.0;
    Vec a, Ka, gamma, g, eta, u, h;
    double objective = 0.0, gap = 0.0;  // by way of K
    Vec dual_u, dual_eta;               // the dual point: orthogonal to free columns
    Index steps = 0;
  };

  /// Z: the scaled free columns. `enough` is the gap at which a solution is good enough. K may be empty where
  /// solutions are to come from a basis.
  SampleRidge(const Loss& loss, const LinearPredictor& predictor, const DualityGap& gap, const Mat& K, double enough,
              const Poll& poll);

  /// Solutions at decreasing lambdas, starting at the point before, at first the null fit.
  std::vector<Point> solve(std::span<const double> lambdas);
  void start_at(const Vec& gamma, const Vec& g);
  const Mat& kernel() const { return K_; }
  double enough() const { return enough_; }

  /// Of squares, that K is not needed for: a basis that has the solutions to come, and those that it has at `t`.
  RidgeBasis new_basis(Index most, Index columns) const;
  std::vector<Point> solutions(const RidgeBasis& basis, const Mat& t, std::span<const double> lambdas) const;

  /// Share a factor for the curvature of squares among problems with the same weights.
  void share(std::shared_ptr<const SampleFactor> factor) { factor_ = std::move(factor); }
  std::shared_ptr<const SampleFactor> factor_of_squares();

 private:
  struct Hessian;
  Mat span() const;
  void evaluate(Point& at) const;
  void measure(Point& at) const;
  void improve(Point& at);
  bool step(Point& at);
  Vec direction(const Hessian& hessian, const Vec& r, double lambda, Vec& image);
  Point null_point() const;
  Vec pull() const;
  std::vector<Point> points_of(std::span<const double> lambdas, const Mat& a, const Mat& Ka) const;
  std::vector<Point> closed_form(std::span<const double> lambdas);

  const Loss& loss_;
  const LinearPredictor& predictor_;
  const DualityGap& gap_;
  const Mat& K_;
  double enough_;
  const Poll& poll_;
  Mat z_;  // intercept and free columns
  std::shared_ptr<const SampleFactor> factor_;
  double extra_ = 0.0;  // conjugate gradient steps that a better factor would have saved
  Point last_;
};

}  // namespace riata
