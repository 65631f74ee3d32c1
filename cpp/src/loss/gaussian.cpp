#include "loss/gaussian.hpp"

namespace riata {

double Gaussian::dual(const Vec& u) const {
  double sum = 0.0;
  for (Index i = 0; i < u.size(); ++i) {
    if (omega_[i] > 0.0) sum += u[i] * (y_[i] - 0.5 * u[i] / omega_[i]);
  }
  return sum;
}

}  // namespace riata
