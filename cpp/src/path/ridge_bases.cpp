#include "path/ridge_bases.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "path/sample_kernel.hpp"

namespace riata {
namespace {

constexpr Index kColumns = 1024;  // of X at a time

// Multiplications at the speed of products with many right-hand sides, which those with one do not reach.
constexpr double kAStep = 14.0, kASide = 2.0, kAColumn = 300.0;  // for each number of X; for each column
constexpr double kScaled = 6.0, kTridiagonal = 4.0;              // of the products of rows: for each number, and n^3
constexpr double kWorthIt = 1e8;                                 // less is done in no time
constexpr Index kLeastSteps = 8, kMostSteps = 200;               // fewer would be of no use
constexpr double kTrial = 0.25;                                  // of the products of rows, before any guess
constexpr double kColumnBytes = 256e6;                           // of what belongs to the columns

/// One vector more for the bases of `fits`, by one pass over X.
void extend(const Design& X, const Features& features, int threads, const std::vector<RidgeFit*>& fits,
            Counters& counters) {
  const Index n = X.rows(), p = X.cols(), count = static_cast<Index>(fits.size());
  const Index step = columns_at_a_time(X, kColumns);
  Mat sides(n, count), images = Mat::Zero(n, count), part(n, count);
  for (Index f = 0; f < count; ++f) sides.col(f) = fits[static_cast<std::size_t>(f)]->basis->side();
  const Vec sums = sides.colwise().sum().transpose();
  for (Index first = 0; first < p; first += step) {
    const Index size = std::min(step, p - first);
    std::vector<Index> columns(static_cast<std::size_t>(size));
    std::iota(columns.begin(), columns.end(), first);
    Mat products(size, count);
    X.correlate(columns, sides, products, threads);
    Vec shift(count);
    for (Index f = 0; f < count; ++f) {
      RidgeFit& fit = *fits[static_cast<std::size_t>(f)];
      const RidgeFit::Scaling of = fit.scaling(features, first, size);
      auto b = products.col(f);
      b = of.over.cwiseProduct(of.inverse).cwiseProduct(b - sums[f] * of.centre);
      if (fit.basis->columns_kept() > 0) fit.basis->next_column_image(first, size) = b;
      b.array() *= of.inverse.array();
      shift[f] = b.dot(of.centre);
    }
    X.multiply(columns, products, part, threads);
    images += part;
    images.rowwise() -= shift.transpose();
  }
  counters.columns_streamed += static_cast<double>(p);
  counters.products += 2.0 * static_cast<double>(count);
  for (Index f = 0; f < count; ++f) fits[static_cast<std::size_t>(f)]->basis->add(images.col(f));
}

/// How far beyond what is good enough a basis is, 1 or less where it is not.
double beyond(const RidgeFit& fit, const std::vector<double>& lambdas) {
  double largest = 0.0;
  for (const double lambda : lambdas) {
    const double rest = fit.basis->rest(lambda);
    if (!(rest <= largest)) largest = rest;  // also where it is not a number
  }
  return largest / fit.ridge->enough();
}

/// Steps that are left, by how fast the last half of them came closer.
double steps_left(const std::vector<double>& seen) {
  const std::size_t half = (seen.size() - 1) / 2;
  const double speed = std::log(seen[half] / seen.back()) / static_cast<double>(seen.size() - 1 - half);
  return speed > 0.0 ? std::log(seen.back()) / speed : kInfinity;
}

}  // namespace

BasisPlan::BasisPlan(const Design& X, Index problems, Index groups, Index lambdas) {
  const double n = static_cast<double>(X.rows()), p = static_cast<double>(X.cols());
  const double many = static_cast<double>(problems);
  step = (kAStep + kASide * many) * X.multiplications(X.cols(), 1) + kAColumn * p;
  products = static_cast<double>(groups) * (0.5 * n * n * p + kScaled * n * p + kTridiagonal * n * n * n);
  // A storage that takes one call at a time is not the library's: what its passes cost is not known.
  if (!X.traits().concurrent || products < kWorthIt) return;
  const Index steps = static_cast<Index>(std::min({products / step, 0.5 * n, static_cast<double>(kMostSteps)}));
  if (steps < kLeastSteps) return;
  most = steps;
  const double columns = 8.0 * many * p * static_cast<double>(most);
  keeps_columns = columns <= std::max(kColumnBytes, 8.0 * many * p * static_cast<double>(lambdas));
  // Vectors, sides and images; of the last pass what it multiplies, and fitted values or another copy of the images.
  memory = (keeps_columns ? columns : 0.0) + 40.0 * many * n * static_cast<double>(most);
}

bool find_bases(const Design& X, const Features& features, const PathOptions& options, int threads,
                const BasisPlan& plan, const std::vector<RidgeFit*>& fits,
                const std::vector<const std::vector<double>*>& lambdas, Counters& counters) {
  std::vector<RidgeFit*> open = fits;
  for (RidgeFit* fit : fits) {
    fit->basis.emplace(fit->ridge->new_basis(plan.most, plan.keeps_columns ? X.cols() : 0));
  }
  std::vector<double> seen;
  bool good = true;
  while (good && !open.empty()) {
    if (options.poll) options.poll();
    extend(X, features, threads, open, counters);
    double worst = 0.0;
    std::vector<RidgeFit*> next;
    for (std::size_t f = 0; f < fits.size(); ++f) {
      const double here = beyond(*fits[f], *lambdas[f]);
      if (!(here <= worst)) worst = here;
      if (here <= 1.0) continue;
      good = good && !fits[f]->basis->complete();
      next.push_back(fits[f]);
    }
    open = std::move(next);
    seen.push_back(worst);
    const bool tried = seen.size() > 2 && static_cast<double>(seen.size()) * plan.step > kTrial * plan.products;
    if (!open.empty() && tried && !(steps_left(seen) * plan.step <= plan.products)) good = false;
  }
  for (std::size_t f = 0; good && f < fits.size(); ++f) good = fits[f]->basis->accurate(*lambdas[f]);
  if (!good) {
    for (RidgeFit* fit : fits) fit->basis.reset();
  }
  return good;
}

}  // namespace riata
