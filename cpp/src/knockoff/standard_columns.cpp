#include "knockoff/standard_columns.hpp"

#include <algorithm>

#include "parallel.hpp"

namespace riata {

void fill_raw(const StandardColumns& of, Columns columns, Mat& out) {
  const Index n = of.samples(), m = static_cast<Index>(columns.size());
  bool same = n == of.X->rows();
  for (Index i = 0; same && i < n; ++i) same = of.rows[static_cast<std::size_t>(i)] == i;
  out.resize(n, m);
  if (same) {
    of.X->gather(columns, out, 1);
    return;
  }
  Vec column(of.X->rows());
  for (Index k = 0; k < m; ++k) {
    of.X->gather(columns.subspan(static_cast<std::size_t>(k), 1), column, 1);
    for (Index i = 0; i < n; ++i) out(i, k) = column[of.rows[static_cast<std::size_t>(i)]];
  }
}

void fill_standard(const StandardColumns& of, Columns columns, Mat& Z) {
  fill_raw(of, columns, Z);
  const Index k = of.loadings.cols();
  for (Index c = 0; c < Z.cols(); ++c) {
    const Index j = columns[static_cast<std::size_t>(c)];
    Z.col(c) = (Z.col(c).array() - of.mean[j]) / of.scale[j];
    for (Index f = 0; f < k; ++f) Z.col(c) -= of.loadings(j, f) * of.scores.col(f);
  }
}

int gathering_threads(const StandardColumns& of, int threads) {
  return of.X->traits().concurrent ? threads : 1;
}

void copy_others(const StandardColumns& of, std::span<const Index> drawn, float* out, int threads) {
  constexpr Index together = 256;  // columns
  std::vector<bool> is_drawn(static_cast<std::size_t>(of.X->cols()), false);
  for (const Index j : drawn) is_drawn[static_cast<std::size_t>(j)] = true;
  std::vector<Index> others;
  for (Index j = 0; j < of.X->cols(); ++j) {
    if (!is_drawn[static_cast<std::size_t>(j)]) others.push_back(j);
  }
  const Index count = static_cast<Index>(others.size()), chunks = (count + together - 1) / together;
  parallel_for(chunks, gathering_threads(of, threads), [&](Index chunk) {
    const Index first = chunk * together, size = std::min(together, count - first);
    const Columns mine = Columns(others).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(size));
    Mat raw;
    fill_raw(of, mine, raw);
    for (Index k = 0; k < size; ++k) {
      float* const to = out + mine[static_cast<std::size_t>(k)] * raw.rows();
      for (Index i = 0; i < raw.rows(); ++i) to[i] = static_cast<float>(raw(i, k));
    }
  });
}

}  // namespace riata
