#include "riata/design/design.hpp"

#include "dense_pool.hpp"

namespace riata {

std::unique_ptr<Pool> Design::make_pool() const {
  return std::make_unique<DensePool>(*this);
}

void Pool::axpy_weighted(Index k, double a, const double* weight, double* v) const {
  Mat column(rows(), 1);
  gather(Columns(&k, 1), column, 1);
  for (Index i = 0; i < rows(); ++i) v[i] += a * weight[i] * column(i, 0);
}

}  // namespace riata
