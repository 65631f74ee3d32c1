#pragma once

#include <span>

#include "solver/dense_factor.hpp"
#include "solver/sample_gram.hpp"

namespace riata {

/// The Hessian of DualNewton's objective in z, I + H^1/2 K H^1/2 / lambda, and its Newton equations. With an intercept
/// both are projected off H^1/2 1, which minimises the intercept out.
///
/// Steps are conjugate gradients with the factor of an earlier Hessian, which is made again when iterations have cost
/// as much as making it, or when few do not do.
class DualHessian {
 public:
  /// Takes the model's curvature.
  void set_curvature(const Quadratic& model);
  /// H^1/2, a number a row.
  const Vec& root() const { return root_; }
  /// Takes out what an intercept would.
  void project(Vec& x) const;
  /// Brings K to these features; see SampleGram::assign.
  void assign(Quadratic& model, std::span<const signed char> sign, std::span<const ElasticNet> net, double lambda);
  const SampleGram& gram() const { return gram_; }
  /// The step at which the Hessian times it is minus the gradient, up to a residual of length `enough`, at least 1e-7
  /// and at most a tenth of the gradient's. False where no factor is of use.
  bool solve(const Vec& gradient, double enough, Vec& step);
  void working_set_changed(std::span<const Index> new_number) { gram_.working_set_changed(new_number); }

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(gram_, factor_, spent_);
    archive.rooms(root_, unit_, residual_, search_, solved_, product_, rows_);
  }

 private:
  void apply(const Vec& x, Vec& out);
  bool make_factor();
  bool conjugate_gradients(const Vec& gradient, double enough, Vec& step);

  SampleGram gram_;
  DenseFactor factor_;
  double spent_ = 0.0;  // multiplications in conjugate gradients since the factor was made

  // Of one solve.
  Vec root_, unit_;  // of the curvature; the same with norm 1, or nothing
  double lambda_ = 0.0;
  int threads_ = 1;
  Vec residual_, search_, solved_, product_, rows_;
};

}  // namespace riata
