#include "knockoff/shrinkage.hpp"
#include "knockoff/standard_columns.hpp"
#include "parallel.hpp"
#include "riata/knockoff/gaussian.hpp"

namespace riata {

std::vector<Index> BlockOrder::offsets() const {
  std::vector<Index> out{0};
  for (Index b = 0; b < blocks(); ++b) out.push_back(out.back() + size(b) * size(b));
  return out;
}

Vec knockoff_correlations(const StandardColumns& columns, const BlockOrder& blocks, std::span<double> sigma,
                          const KnockoffRun& run) {
  const PollScope polling(run.poll);
  const std::vector<Index> at = blocks.offsets();
  Vec rho(blocks.blocks());
  parallel_for(blocks.blocks(), gathering_threads(columns, run.threads), [&](Index b) {
    Mat Z;
    fill_standard(columns, blocks.columns(b), Z);
    double* const here = sigma.data() + at[static_cast<std::size_t>(b)];
    rho[b] = shrink(Z, Eigen::Map<Mat>(here, blocks.size(b), blocks.size(b)));
  });
  return rho;
}

}  // namespace riata
