#include "riata/design/ld_groups.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <string>

#include "design/adjacent_linkage.hpp"
#include "design/joined_sets.hpp"
#include "design/squared_correlations.hpp"
#include "parallel.hpp"

namespace riata {
namespace {

constexpr Index kNeighbourBlock = 64;  // columns whose neighbours are correlated with them together
constexpr Index kPairBlock = 256;      // of all pairs

void check(const Design& X, const Vec& rows, const NeighbourOptions& options) {
  const auto refuse = [](const std::string& what) { throw std::invalid_argument(what); };
  if (rows.size() != X.rows()) refuse("rows must have one value for each row of X");
  if (!((rows.array() == 0.0) || (rows.array() == 1.0)).all() || !(rows.sum() > 0.0)) {
    refuse("rows must be 0 or 1, and not all 0");
  }
  if (options.r2.empty()) refuse("r2 must hold at least one number");
  for (std::size_t k = 0; k < options.r2.size(); ++k) {
    const double r2 = options.r2[k];
    if (!(r2 > 0.0 && r2 <= 1.0)) refuse("r2 must lie in (0, 1], got " + std::to_string(r2));
    if (k > 0 && r2 > options.r2[k - 1]) refuse("r2 must be in decreasing order");
  }
  if (options.max_size < 1) refuse("max_size must be >= 1, got " + std::to_string(options.max_size));
  if (options.threads < 1) refuse("threads must be >= 1, got " + std::to_string(options.threads));
}

/// Of the columns that vary, numbered 0, 1, 2, ...: which these are, and how many of them follow within reach.
struct Varying {
  std::vector<Index> places, reach;

  Varying(const SquaredCorrelations& correlations, std::span<const Index> reach_of_all, Index max_size) {
    const Index p = static_cast<Index>(reach_of_all.size());
    std::vector<Index> before{0};
    for (Index k = 0; k < p; ++k) {
      if (correlations.varies(k)) places.push_back(k);
      before.push_back(static_cast<Index>(places.size()));
    }
    for (const Index k : places) {
      const Index end = std::min(k + reach_of_all[static_cast<std::size_t>(k)] + 1, p);
      const Index follow = before[static_cast<std::size_t>(end)] - before[static_cast<std::size_t>(k)] - 1;
      reach.push_back(std::min(follow, max_size - 1));
    }
  }
};

FollowingSums sums_of(const SquaredCorrelations& correlations, const Varying& varying, bool concurrent, int threads) {
  FollowingSums sums(varying.reach);
  const Index m = sums.size(), blocks = (m + kNeighbourBlock - 1) / kNeighbourBlock;
  const std::span<const Index> places(varying.places);
  const auto fill = [&](Index block, int inner) {
    const Index first = block * kNeighbourBlock, last = std::min(first + kNeighbourBlock, m);
    Index end = first;
    for (Index a = first; a < last; ++a) end = std::max(end, a + sums.reach(a) + 1);
    if (end <= first + 1) return;
    const auto part = [&](Index from, Index to) {
      return places.subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from));
    };
    Mat r2;
    correlations.fill(part(first, last), part(first, end), r2, inner);
    for (Index a = first; a < last; ++a) {
      double sum = 0.0;
      Index b = a - first;
      for (double& each : sums.row(a)) each = sum += r2(a - first, ++b);
    }
  };
  if (concurrent) {
    parallel_for(blocks, threads, [&](Index block) { fill(block, 1); });
  } else {
    for (Index block = 0; block < blocks; ++block) fill(block, threads);
  }
  return sums;
}

/// Numbers of groups of all items, from the first items of groups of those at `places`; others are by themselves.
std::vector<Index> labels_of(const std::vector<Index>& firsts, const std::vector<Index>& places, Index size) {
  std::vector<Index> group_of(static_cast<std::size_t>(size), -1);  // by the place of its first item
  for (std::size_t g = 0; g < firsts.size(); ++g) {
    const Index end = g + 1 < firsts.size() ? firsts[g + 1] : static_cast<Index>(places.size());
    for (Index k = firsts[g]; k < end; ++k) {
      group_of[static_cast<std::size_t>(places[static_cast<std::size_t>(k)])] =
          places[static_cast<std::size_t>(firsts[g])];
    }
  }
  std::vector<Index> number(static_cast<std::size_t>(size), -1), out;
  Index count = 0;
  for (Index k = 0; k < size; ++k) {
    const Index first = group_of[static_cast<std::size_t>(k)] >= 0 ? group_of[static_cast<std::size_t>(k)] : k;
    Index& mine = number[static_cast<std::size_t>(first)];
    if (mine < 0) mine = count++;
    out.push_back(mine);
  }
  return out;
}

struct Pair {
  double r2;
  std::int32_t first, second;
};

std::vector<Index> count_up(Index size) {
  std::vector<Index> out(static_cast<std::size_t>(size));
  std::iota(out.begin(), out.end(), Index{0});
  return out;
}

/// Pairs of columns with a squared correlation of at least `least`.
std::vector<Pair> pairs_of(const SquaredCorrelations& correlations, Index p, double least, Index most, int threads) {
  std::vector<Pair> out;
  const std::vector<Index> all = count_up(p);
  const std::span<const Index> places(all);
  Mat r2;
  for (Index first = 0; first < p; first += kPairBlock) {
    PollScope::check();
    const Index count = std::min(kPairBlock, p - first);
    correlations.fill(places.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)),
                      places.subspan(static_cast<std::size_t>(first)), r2, threads);
    for (Index j = 1; j < r2.cols(); ++j) {
      for (Index i = 0; i < std::min(j, count); ++i) {
        if (r2(i, j) < least) continue;
        out.push_back({r2(i, j), static_cast<std::int32_t>(first + i), static_cast<std::int32_t>(first + j)});
      }
    }
    if (static_cast<Index>(out.size()) > most) {
      throw std::invalid_argument("r2 must be larger: more than " + std::to_string(most) +
                                  " pairs of features have a squared correlation of at least " + std::to_string(least));
    }
  }
  std::sort(out.begin(), out.end(), [](const Pair& a, const Pair& b) {
    if (a.r2 != b.r2) return a.r2 > b.r2;
    return a.first != b.first ? a.first < b.first : a.second < b.second;
  });
  return out;
}

}  // namespace

std::vector<std::vector<Index>> neighbour_groups(const Design& X, Columns columns, std::span<const Index> reach,
                                                 const Vec& rows, const NeighbourOptions& options) {
  check(X, rows, options);
  if (reach.size() != columns.size()) throw std::invalid_argument("reach must have one number for each of columns");
  if (std::any_of(reach.begin(), reach.end(), [](Index k) { return k < 0; })) {
    throw std::invalid_argument("reach must be >= 0");
  }
  const PollScope polling(options.poll);
  const SquaredCorrelations correlations(X, columns, rows, options.threads);
  const Varying varying(correlations, reach, options.max_size);
  const FollowingSums sums = sums_of(correlations, varying, X.traits().concurrent, options.threads);
  std::vector<std::vector<Index>> out;
  for (const auto& firsts : adjacent_linkage(sums, options.r2, options.max_size)) {
    out.push_back(labels_of(firsts, varying.places, static_cast<Index>(columns.size())));
  }
  return out;
}

std::vector<std::vector<Index>> correlated_groups(const Design& X, const Vec& rows, const NeighbourOptions& options,
                                                  Index most_pairs) {
  check(X, rows, options);
  const PollScope polling(options.poll);
  const std::vector<Index> columns = count_up(X.cols());
  const SquaredCorrelations correlations(X, columns, rows, options.threads);
  JoinedSets sets(X.cols());
  std::vector<std::vector<Index>> out;
  for (const Pair& pair : pairs_of(correlations, X.cols(), options.r2.back(), most_pairs, options.threads)) {
    while (pair.r2 < options.r2[out.size()]) out.push_back(sets.labels());
    sets.merge(pair.first, pair.second, options.max_size);
  }
  while (out.size() < options.r2.size()) out.push_back(sets.labels());
  return out;
}

}  // namespace riata
