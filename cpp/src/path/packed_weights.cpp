#include "path/packed_weights.hpp"

#include <algorithm>
#include <bit>
#include <map>
#include <stdexcept>
#include <utility>

namespace riata {

PackedWeights::PackedWeights(const Mat& weights) {
  constexpr std::size_t most = 256;
  std::map<std::vector<std::uint64_t>, std::uint8_t> known;  // by bits
  std::vector<Index> firsts;
  std::vector<std::uint64_t> row(static_cast<std::size_t>(weights.cols()));
  for (Index i = 0; i < weights.rows(); ++i) {
    for (std::size_t f = 0; f < row.size(); ++f)
      row[f] = std::bit_cast<std::uint64_t>(weights(i, static_cast<Index>(f)));
    const auto [at, is_new] = known.try_emplace(row, static_cast<std::uint8_t>(firsts.size()));
    if (is_new) {
      if (firsts.size() == most) {
        kind_.clear();
        kinds_ = weights;
        return;
      }
      firsts.push_back(i);
    }
    kind_.push_back(at->second);
  }
  kinds_.resize(static_cast<Index>(firsts.size()), weights.cols());
  for (std::size_t k = 0; k < firsts.size(); ++k) kinds_.row(static_cast<Index>(k)) = weights.row(firsts[k]);
}

Mat PackedWeights::unpacked() const {
  if (kind_.empty()) return kinds_;
  Mat out(rows(), cols());
  for (Index i = 0; i < out.rows(); ++i) {
    const Index kind = kind_[static_cast<std::size_t>(i)];
    if (kind >= kinds_.rows()) throw std::invalid_argument("rows of weights must be of a kind that there is");
    out.row(i) = kinds_.row(kind);
  }
  return out;
}

}  // namespace riata
