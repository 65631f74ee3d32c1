#include "solver/standardized_columns.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "parallel.hpp"

namespace riata {

void StandardizedColumns::release(Vec& mean, Vec& scale) {
  mean = std::move(mean_);
  scale = std::move(scale_);
}

int StandardizedColumns::threads_for(Columns positions, Index sides) const {
  return worth_threads(threads_, shared_.pool().multiplications(static_cast<Index>(positions.size()), sides));
}

Mat StandardizedColumns::multiply(std::span<const Index> features, std::span<const Vec* const> coefficients) const {
  const Index K = outputs_, m = static_cast<Index>(coefficients.size()) * K, n = shared_.pool().rows();
  std::vector<Index> support, columns;
  for (Index w = 0; w < static_cast<Index>(features.size()); ++w) {
    if (std::none_of(coefficients.begin(), coefficients.end(),
                     [=](const Vec* b) { return (b->segment(w * K, K).array() != 0.0).any(); })) {
      continue;
    }
    support.push_back(w);
    columns.push_back(shared_.position(features[static_cast<std::size_t>(w)]));
  }
  Mat values(static_cast<Index>(support.size()), m), out(n, m);
  Vec shift = Vec::Zero(m);
  for (std::size_t k = 0; k < support.size(); ++k) {
    const Index j = features[static_cast<std::size_t>(support[k])];
    const double left = centred_ ? remaining_mean(j) : 0.0;
    for (Index q = 0; q < m; ++q) {
      const double value = (*coefficients[static_cast<std::size_t>(q / K)])[support[k] * K + q % K] / scale_[j];
      values(static_cast<Index>(k), q) = value;
      shift[q] += left * value;
    }
  }
  if (columns.empty()) {
    out.setZero();
  } else {
    shared_.pool().multiply(columns, values, out, threads_for(columns, m));
  }
  out.rowwise() -= shift.transpose();
  return out;
}

void StandardizedColumns::correlate(std::span<const Index> features, const MatIn& u, MatOut c) const {
  std::vector<Index> positions;
  Vec inv_scale(static_cast<Index>(features.size()));
  for (std::size_t w = 0; w < features.size(); ++w) {
    positions.push_back(shared_.position(features[w]));
    inv_scale[static_cast<Index>(w)] = 1.0 / scale_[features[w]];
  }
  shared_.pool().correlate(positions, u, c, threads_for(positions, u.cols()));
  c = inv_scale.asDiagonal() * c;
}

Vec StandardizedColumns::correlate(std::span<const Index> features, const Vec& u) const {
  Mat c(static_cast<Index>(features.size()), outputs_);
  correlate(features, u.reshaped(shared_.pool().rows(), outputs_), c);
  return c.transpose().reshaped();
}

void StandardizedColumns::correlate_entries(std::span<const Index> features, const Vec& u,
                                            std::span<const Index> entries, Vec& c) const {
  std::vector<Index> columns, row(entries.size());
  std::vector<Index> place(outputs_ > 1 ? features.size() : 0, -1);  // entries of a feature share its column
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::size_t w = static_cast<std::size_t>(entries[i] / outputs_);
    row[i] = static_cast<Index>(columns.size());
    if (outputs_ > 1) {
      if (place[w] >= 0) {
        row[i] = place[w];
        continue;
      }
      place[w] = row[i];
    }
    columns.push_back(shared_.position(features[w]));
  }
  Mat products(static_cast<Index>(columns.size()), outputs_);
  shared_.pool().correlate(columns, Eigen::Map<const Mat>(u.data(), u.size() / outputs_, outputs_), products,
                           threads_for(columns, outputs_));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Index e = entries[i];
    c[e] = products(row[i], e % outputs_) / scale_[features[static_cast<std::size_t>(e / outputs_)]];
  }
}

Mat StandardizedColumns::gather(std::span<const Index> features) const {
  std::vector<Index> positions;
  for (const Index j : features) positions.push_back(shared_.position(j));
  Mat out(shared_.pool().rows(), static_cast<Index>(features.size()));
  if (!features.empty()) shared_.pool().gather(positions, out, threads_);
  for (std::size_t k = 0; k < features.size(); ++k) {
    const Index j = features[k], column = static_cast<Index>(k);
    out.col(column) = (out.col(column).array() - (centred_ ? remaining_mean(j) : 0.0)) / scale_[j];
  }
  return out;
}

double StandardizedColumns::centring_error(std::span<const Index> features, const Vec& u) const {
  if (!centred_) return 0.0;
  double off = 0.0, sum = 0.0;
  for (const Index j : features) off = std::max(off, std::abs(remaining_mean(j)) / scale_[j]);
  if (off == 0.0) return 0.0;
  const Index n = u.size() / outputs_;
  for (Index k = 0; k < outputs_; ++k) {
    const auto mine = u.segment(k * n, n);
    sum = std::max(sum, std::abs(mine.sum()) + 2.3e-16 * mine.lpNorm<1>());
  }
  return off * sum;
}

}  // namespace riata
