#include <Eigen/Cholesky>
#include <algorithm>
#include <stdexcept>

#include "knockoff/gaussian_noise.hpp"
#include "knockoff/standard_columns.hpp"
#include "parallel.hpp"
#include "riata/knockoff/gaussian.hpp"

namespace riata {
namespace {

constexpr Index kRows = 512;  // drawn together

/// What a row z of a block becomes: z mean + u factor', for standard normal u.
struct Law {
  Mat mean, factor;

  Law(const Eigen::Map<const Mat>& sigma, std::span<const Index> group, const double* gamma) {
    const Index m = sigma.rows();
    Mat S = Mat::Zero(m, m);
    for (Index b = 0; b < m; ++b) {
      for (Index a = 0; a < m; ++a) {
        if (group[static_cast<std::size_t>(a)] == group[static_cast<std::size_t>(b)]) S(a, b) = gamma[b] * sigma(a, b);
      }
    }
    const Eigen::LLT<Mat> llt(sigma);
    if (llt.info() != Eigen::Success) throw std::invalid_argument("sigma must hold positive definite matrices");
    const Mat solved = llt.solve(S);
    mean = Mat::Identity(m, m) - solved;
    Mat noise = 2.0 * S - S * solved;
    noise = (0.5 * (noise + noise.transpose())).eval();
    for (double lift = 1e-12; lift < 1.0; lift *= 10.0) {  // by which rounding may miss
      const Eigen::LLT<Mat> root(noise + lift * Mat::Identity(m, m));
      if (root.info() != Eigen::Success) continue;
      factor = root.matrixL();
      return;
    }
    throw std::invalid_argument("gamma must leave 2 Sigma - S positive definite");
  }
};

void draw_block(const StandardColumns& of, Columns columns, const Law& law, const KnockoffSeed& seed, float* out) {
  const Index n = of.samples(), m = static_cast<Index>(columns.size());
  Mat Z, U, drawn;
  fill_standard(of, columns, Z);
  for (Index first = 0; first < n; first += kRows) {
    PollScope::check();
    const Index count = std::min(kRows, n - first);
    U.resize(count, m);
    for (Index k = 0; k < m; ++k) {
      fill_normal(seed, columns[static_cast<std::size_t>(k)], first, count, U.col(k).data());
    }
    drawn.noalias() = Z.middleRows(first, count) * law.mean;
    drawn.noalias() += U * law.factor.transpose().triangularView<Eigen::Upper>();
    for (Index k = 0; k < m; ++k) {
      const Index j = columns[static_cast<std::size_t>(k)];
      for (Index f = 0; f < of.loadings.cols(); ++f) {
        drawn.col(k) += of.loadings(j, f) * of.scores.col(f).segment(first, count);
      }
      float* const to = out + j * n + first;
      for (Index i = 0; i < count; ++i) to[i] = static_cast<float>(of.mean[j] + of.scale[j] * drawn(i, k));
    }
  }
}

}  // namespace

void draw_gaussian(const StandardColumns& columns, const BlockOrder& blocks, std::span<const double> sigma,
                   std::span<const Index> group, const Vec& gamma, const KnockoffSeed& seed, float* out,
                   const KnockoffRun& run) {
  const PollScope polling(run.poll);
  const std::vector<Index> at = blocks.offsets();
  const int threads = gathering_threads(columns, run.threads);
  parallel_for(blocks.blocks(), threads, [&](Index b) {
    const Index first = blocks.first[static_cast<std::size_t>(b)], size = blocks.size(b);
    const Law law(Eigen::Map<const Mat>(sigma.data() + at[static_cast<std::size_t>(b)], size, size),
                  group.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(size)), gamma.data() + first);
    draw_block(columns, blocks.columns(b), law, seed, out);
  });
  copy_others(columns, blocks.order, out, run.threads);
}

}  // namespace riata
