#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <utility>

#include "knockoff/shrinkage.hpp"
#include "knockoff/standard_columns.hpp"
#include "parallel.hpp"
#include "riata/knockoff/banded.hpp"

namespace riata {
namespace {

constexpr Index kChunk = 64;         // columns whose regressions are found together
constexpr double kLeastRest = 1e-6;  // of the variance of a column

/// Regression of each of the columns first, ..., last - 1 on those before it.
void regress(const StandardColumns& columns, Index first, Index last, BandedLaw& law) {
  const Index from = std::max(Index{0}, first - law.reach());
  Mat Z;
  fill_standard(columns,
                Columns(law.order).subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(last - from)), Z);
  Mat sigma;
  for (Index k = first; k < last; ++k) {
    const Index h = std::min(k, law.reach());
    if (h == 0) continue;
    PollScope::check();
    sigma.resize(h + 1, h + 1);
    shrink(Z.middleCols(k - h - from, h + 1), sigma);
    const Vec solved = sigma.topLeftCorner(h, h).llt().solve(sigma.col(h).head(h));
    law.before.col(k).head(h) = solved.reverse();
  }
}

}  // namespace

BandedLaw banded_law(const StandardColumns& columns, std::vector<Index> order, Index reach, const KnockoffRun& run) {
  const PollScope polling(run.poll);
  BandedLaw law{.order = std::move(order), .before = {}, .rest = {}};
  law.before = Mat::Zero(reach, law.size());
  law.rest = Vec::Ones(law.size());
  const Index chunks = (law.size() + kChunk - 1) / kChunk;
  parallel_for(chunks, gathering_threads(columns, run.threads),
               [&](Index chunk) { regress(columns, chunk * kChunk, std::min((chunk + 1) * kChunk, law.size()), law); });
  // Variances of the noise for which every column has variance 1.
  const Index h = reach;
  Mat recent = Mat::Identity(h, h);  // covariances of the h columns before, the nearest first
  for (Index k = 0; k < law.size() && h > 0; ++k) {
    auto weights = law.before.col(k);
    Vec across = recent * weights;
    const double explained = weights.dot(across);
    if (explained > 1.0 - kLeastRest) {
      const double shorter = std::sqrt((1.0 - kLeastRest) / explained);
      weights *= shorter;
      across *= shorter;
    }
    law.rest[k] = 1.0 - weights.dot(across);
    recent.bottomRightCorner(h - 1, h - 1) = recent.topLeftCorner(h - 1, h - 1).eval();
    recent(0, 0) = 1.0;
    recent.col(0).tail(h - 1) = across.head(h - 1);
    recent.row(0).tail(h - 1) = across.head(h - 1).transpose();
  }
  return law;
}

}  // namespace riata
