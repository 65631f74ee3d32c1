#include "riata/solver/inner.hpp"

#include <algorithm>

namespace riata {

double worst_violation(std::span<const ElasticNet> penalty, const Vec& b, const Vec& c) {
  double worst = 0.0;
  for (std::size_t w = 0; w < penalty.size(); ++w) {
    const Index i = static_cast<Index>(w);
    worst = std::max(worst, penalty[w].kkt_violation(b[i], c[i]));
  }
  return worst;
}

double objective(const InnerProblem& problem, const Vec& b, const Vec& c) {
  double sum = problem.model.value(b, c);
  for (std::size_t w = 0; w < problem.penalty.size(); ++w) sum += problem.penalty[w].value(b[static_cast<Index>(w)]);
  return sum;
}

}  // namespace riata
