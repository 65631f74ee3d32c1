#include <algorithm>
#include <stdexcept>

#include "knockoff/banded_factor.hpp"
#include "knockoff/gaussian_noise.hpp"
#include "knockoff/standard_columns.hpp"
#include "parallel.hpp"
#include "riata/knockoff/banded.hpp"

namespace riata {
namespace {

constexpr Index kChunk = 128;  // columns drawn together

/// Some columns with those on either side that they depend on.
class Chunk {
 public:
  Chunk(const StandardColumns& columns, const BandedLaw& law, Index first, Index last)
      : columns_(columns), law_(law), first_(first), last_(last), from_(std::max(Index{0}, first - law.reach())) {
    const Index to = std::min(law.size(), last + law.reach());
    fill_standard(columns, part(from_, to), Z_);
    residuals_.resize(Z_.rows(), to - first);
    for (Index k = first; k < to; ++k) {
      PollScope::check();
      auto mine = residuals_.col(k - first);
      mine = Z_.col(k - from_);
      for (Index l = 0; l < std::min(law.reach(), k); ++l) mine -= law.before(l, k) * Z_.col(k - 1 - l - from_);
      mine /= law.rest[k];
    }
  }

  void draw(const Vec& distances, const Mat& factor, const KnockoffSeed& seed, float* out) const {
    const Index n = Z_.rows();
    Mat U(n, last_ - from_);
    for (Index k = from_; k < last_; ++k) {
      fill_normal(seed, law_.order[static_cast<std::size_t>(k)], 0, n, U.col(k - from_).data());
    }
    Vec drawn(n);
    for (Index k = first_; k < last_; ++k) {
      PollScope::check();
      drawn = residuals_.col(k - first_);  // row k of Sigma^-1 z
      for (Index i = k + 1; i < std::min(law_.size(), k + 1 + law_.reach()); ++i) {
        drawn -= law_.before(i - 1 - k, i) * residuals_.col(i - first_);
      }
      drawn = Z_.col(k - from_) - distances[k] * drawn;
      for (Index l = 0; l <= std::min(law_.reach(), k); ++l) drawn += factor(l, k) * U.col(k - l - from_);
      write(k, drawn, out);
    }
  }

 private:
  Columns part(Index from, Index to) const {
    return Columns(law_.order).subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from));
  }

  void write(Index k, Vec& drawn, float* out) const {
    const Index j = law_.order[static_cast<std::size_t>(k)];
    for (Index f = 0; f < columns_.loadings.cols(); ++f) drawn += columns_.loadings(j, f) * columns_.scores.col(f);
    float* const to = out + j * drawn.size();
    for (Index i = 0; i < drawn.size(); ++i) {
      to[i] = static_cast<float>(columns_.mean[j] + columns_.scale[j] * drawn[i]);
    }
  }

  const StandardColumns& columns_;
  const BandedLaw& law_;
  Index first_, last_, from_;
  Mat Z_, residuals_;  // of from_, ... and of first_, ...
};

}  // namespace

void draw_banded(const StandardColumns& columns, const BandedLaw& law, const Vec& distances, const KnockoffSeed& seed,
                 float* out, const KnockoffRun& run) {
  const PollScope polling(run.poll);
  Mat factor;
  double lift = 0.0;
  while (!banded_factor(law, distances, lift, factor)) {
    lift = std::max(1e-12, 10.0 * lift);  // by which rounding may miss
    if (lift > 1.0) throw std::invalid_argument("distances must leave 2 Sigma - S positive definite");
  }
  const Index chunks = (law.size() + kChunk - 1) / kChunk;
  parallel_for(chunks, gathering_threads(columns, run.threads), [&](Index chunk) {
    const Index first = chunk * kChunk;
    Chunk(columns, law, first, std::min(first + kChunk, law.size())).draw(distances, factor, seed, out);
  });
  copy_others(columns, law.order, out, run.threads);
}

}  // namespace riata
