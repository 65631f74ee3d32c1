#pragma once

#include <cmath>

#include "riata/types.hpp"

namespace riata {

/// The points at which accelerated proximal gradient takes its gradients (FISTA, Beck & Teboulle 2009), with gradient
/// restart (O'Donoghue & Candes 2015).
class Fista {
 public:
  Fista() = default;
  explicit Fista(const Vec& b) : z_(b), change_(b.size()) {}

  /// Where the next gradient is to be taken.
  const Vec& point() const { return z_; }
  /// Begins again at b.
  void restart(const Vec& b) {
    z_ = b;
    change_.resize(b.size());
    momentum_ = 1.0;
  }
  /// A proximal step from point() ended at `next`, the one before at b. `product(x, y)` is the inner product in which
  /// the step was taken. Returns the share of the change by which point() is now beyond `next`.
  template <class Product>
  double advance(const Vec& b, const Vec& next, const Product& product) {
    change_ = next - b;
    if (product(z_ - next, change_) > 0.0) momentum_ = 1.0;
    const double next_momentum = 0.5 * (1.0 + std::sqrt(1.0 + 4.0 * momentum_ * momentum_));
    const double share = (momentum_ - 1.0) / next_momentum;
    z_ = next + share * change_;
    momentum_ = next_momentum;
    return share;
  }

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void rooms(Archive& archive) {
    archive.rooms(z_, change_);
  }

 private:
  Vec z_, change_;
  double momentum_ = 1.0;
};

}  // namespace riata
