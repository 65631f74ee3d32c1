#include <algorithm>
#include <cmath>

#include "design/joined_sets.hpp"
#include "kernel/compact.hpp"
#include "kernel/kernels.hpp"
#include "knockoff/standard_columns.hpp"
#include "parallel.hpp"
#include "riata/knockoff/gaussian.hpp"

namespace riata {
namespace {

constexpr Index kRows = 1024;     // that correlations are taken over
constexpr Index kStripe = 64;     // columns multiplied with those behind them
constexpr Index kChunk = 512;     // of these at a time
constexpr Index kAtOnce = 16;     // stripes between two looks at what was found
constexpr Index kGathered = 256;  // columns

struct Pair {
  double r2;
  std::int32_t first, second;
};

bool before(const Pair& a, const Pair& b) {
  if (a.r2 != b.r2) return a.r2 > b.r2;
  return a.first != b.first ? a.first < b.first : a.second < b.second;
}

/// Columns in 12 bits and a sign, in lines of whole lanes.
struct Codes {
  std::vector<std::int16_t> codes;
  std::vector<double> norm;  // of the codes
  Index stride = 0, rows = 0;

  const std::int16_t* line(Index k) const { return codes.data() + k * stride; }
};

Codes encode(const StandardColumns& of, const std::vector<Index>& varying, int threads) {
  Codes out;
  const Index n = of.samples(), count = static_cast<Index>(varying.size());
  out.rows = std::min(n, kRows);
  out.stride = (out.rows + kCodeLane - 1) / kCodeLane * kCodeLane;
  out.codes.assign(static_cast<std::size_t>(out.stride * count), 0);
  out.norm.assign(static_cast<std::size_t>(count), 0.0);
  StandardColumns some = of;
  some.rows.clear();
  some.scores.resize(out.rows, of.scores.cols());
  for (Index i = 0; i < out.rows; ++i) {
    const Index at = i * n / out.rows;
    some.rows.push_back(of.rows[static_cast<std::size_t>(at)]);
    some.scores.row(i) = of.scores.row(at);
  }
  const Index chunks = (count + kGathered - 1) / kGathered;
  parallel_for(chunks, gathering_threads(of, threads), [&](Index chunk) {
    const Index first = chunk * kGathered, size = std::min(kGathered, count - first);
    Mat Z;
    fill_standard(some, Columns(varying).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(size)), Z);
    for (Index c = 0; c < size; ++c) {
      Z.col(c).array() -= Z.col(c).mean();
      const double largest = Z.col(c).cwiseAbs().maxCoeff();
      if (!(largest > 0.0)) continue;
      double squares = 0.0;
      for (Index i = 0; i < out.rows; ++i) {
        const double code = std::nearbyint(Z(i, c) / largest * kLargestSideCode);
        out.codes[static_cast<std::size_t>((first + c) * out.stride + i)] = static_cast<std::int16_t>(code);
        squares += code * code;
      }
      out.norm[static_cast<std::size_t>(first + c)] = std::sqrt(squares);
    }
  });
  return out;
}

/// The largest squared correlations, and the sum of all.
class Pairs {
 public:
  Pairs(const Codes& codes, double least, Index most, int threads) : codes_(codes), least_(least) {
    const Index count = static_cast<Index>(codes.norm.size()), stripes = (count + kStripe - 1) / kStripe;
    for (Index at = 0; at < stripes; at += kAtOnce) {
      const Index now = std::min(kAtOnce, stripes - at);
      std::vector<std::vector<Pair>> found(static_cast<std::size_t>(now));
      std::vector<double> sums(static_cast<std::size_t>(now), 0.0);
      parallel_for(now, threads, [&](Index k) {
        sums[static_cast<std::size_t>(k)] = look((at + k) * kStripe, found[static_cast<std::size_t>(k)]);
      });
      for (std::size_t k = 0; k < found.size(); ++k) {
        pairs_.insert(pairs_.end(), found[k].begin(), found[k].end());
        sum_ += sums[k];
      }
      if (static_cast<Index>(pairs_.size()) > most) keep(most / 2);
    }
    std::sort(pairs_.begin(), pairs_.end(), before);
  }

  const std::vector<Pair>& largest() const { return pairs_; }
  double sum() const { return sum_; }

 private:
  double look(Index first, std::vector<Pair>& found) const {
    const Index count = static_cast<Index>(codes_.norm.size()), sides = std::min(kStripe, count - first);
    std::vector<const std::int16_t*> lines;
    std::vector<double> products(static_cast<std::size_t>(kChunk * kStripe));
    double sum = 0.0;
    for (Index from = first; from < count; from += kChunk) {
      const Index size = std::min(kChunk, count - from);
      lines.clear();
      for (Index k = 0; k < size; ++k) lines.push_back(codes_.line(from + k));
      kernels().correlate_codes(lines.data(), size, codes_.stride, codes_.line(first), codes_.stride, sides,
                                products.data(), kChunk);
      for (Index q = 0; q < sides; ++q) {
        const double mine = codes_.norm[static_cast<std::size_t>(first + q)];
        for (Index k = std::max(Index{0}, first + q + 1 - from); k < size; ++k) {
          const double scale = mine * codes_.norm[static_cast<std::size_t>(from + k)];
          const double r = scale > 0.0 ? products[static_cast<std::size_t>(k + q * kChunk)] / scale : 0.0;
          sum += r * r;
          if (r * r < least_) continue;
          found.push_back({r * r, static_cast<std::int32_t>(first + q), static_cast<std::int32_t>(from + k)});
        }
      }
    }
    return sum;
  }

  void keep(Index count) {
    const auto end = pairs_.begin() + count;
    std::nth_element(pairs_.begin(), end, pairs_.end(), before);
    least_ = end->r2;
    pairs_.erase(end, pairs_.end());
  }

  const Codes& codes_;
  double least_;
  std::vector<Pair> pairs_;
  double sum_ = 0.0;
};

/// Sum of squared correlations of the columns of one block.
double sum_within(const Codes& codes, const std::vector<Index>& members) {
  std::vector<const std::int16_t*> lines;
  std::vector<double> products(members.size());
  for (const Index a : members) lines.push_back(codes.line(a));
  double sum = 0.0;
  for (std::size_t k = 1; k < members.size(); ++k) {
    const Index a = members[k];
    kernels().correlate_codes(lines.data(), static_cast<Index>(k), codes.stride, codes.line(a), codes.stride, 1,
                              products.data(), static_cast<Index>(members.size()));
    for (std::size_t i = 0; i < k; ++i) {
      const double scale = codes.norm[static_cast<std::size_t>(a)] * codes.norm[static_cast<std::size_t>(members[i])];
      sum += scale > 0.0 ? products[i] * products[i] / (scale * scale) : 0.0;
    }
  }
  return sum;
}

double left_between(const Codes& codes, const std::vector<Index>& block, Index blocks, double sum, int threads) {
  std::vector<std::vector<Index>> members(static_cast<std::size_t>(blocks));
  for (std::size_t k = 0; k < block.size(); ++k) members[static_cast<std::size_t>(block[k])].push_back(Index(k));
  std::vector<double> sums(members.size());
  parallel_for(blocks, threads, [&](Index b) {
    sums[static_cast<std::size_t>(b)] = sum_within(codes, members[static_cast<std::size_t>(b)]);
  });
  double pairs = 0.5 * static_cast<double>(block.size()) * (static_cast<double>(block.size()) - 1.0);
  for (std::size_t b = 0; b < members.size(); ++b) {
    const double size = static_cast<double>(members[b].size());
    pairs -= 0.5 * size * (size - 1.0);
    sum -= sums[b];
  }
  return pairs > 0.0 && codes.rows > 1 ? sum / pairs - 1.0 / static_cast<double>(codes.rows - 1) : 0.0;
}

}  // namespace

KnockoffBlocks knockoff_blocks(const StandardColumns& columns, const BlockOptions& options, const KnockoffRun& run) {
  const PollScope polling(run.poll);
  const Index p = columns.X->cols();
  std::vector<Index> varying;
  for (Index j = 0; j < p; ++j) {
    if (columns.scale[j] > 0.0) varying.push_back(j);
  }
  const Codes codes = encode(columns, varying, run.threads);
  const Pairs pairs(codes, options.least, options.most_pairs, run.threads);
  JoinedSets sets(static_cast<Index>(varying.size()));
  if (!options.together.empty()) {
    std::vector<Index> with(static_cast<std::size_t>(p), -1);  // a column of each number
    for (std::size_t k = 0; k < varying.size(); ++k) {
      const Index number = options.together[static_cast<std::size_t>(varying[k])];
      if (number < 0) continue;
      Index& first = with[static_cast<std::size_t>(number)];
      if (first < 0) first = static_cast<Index>(k);
      sets.merge(first, static_cast<Index>(k), p);
    }
  }
  for (const Pair& pair : pairs.largest()) sets.merge(pair.first, pair.second, options.max_size);
  std::vector<Index> number(varying.size(), -1), block;
  Index count = 0;
  for (std::size_t k = 0; k < varying.size(); ++k) {
    Index& mine = number[static_cast<std::size_t>(sets.find(static_cast<Index>(k)))];
    if (mine < 0) mine = count++;
    block.push_back(mine);
  }
  KnockoffBlocks out;
  out.left = left_between(codes, block, count, pairs.sum(), run.threads);
  out.label.assign(static_cast<std::size_t>(p), -1);
  for (std::size_t k = 0; k < varying.size(); ++k) out.label[static_cast<std::size_t>(varying[k])] = block[k];
  return out;
}

}  // namespace riata
