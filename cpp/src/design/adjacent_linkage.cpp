#include "design/adjacent_linkage.hpp"

#include <queue>

#include "parallel.hpp"

namespace riata {
namespace {

/// Two neighbouring groups, [first, middle) and [middle, last), that may become one.
struct Merger {
  double mean;
  Index first, middle, last;

  /// The largest mean comes first, and the leftmost of several.
  bool operator<(const Merger& other) const { return mean != other.mean ? mean < other.mean : first > other.first; }
};

/// The groups as they are, each known by its first item.
class Groups {
 public:
  explicit Groups(Index size) : previous_(static_cast<std::size_t>(size) + 1), end_(static_cast<std::size_t>(size)) {
    for (Index a = 0; a < size; ++a) {
      end_[static_cast<std::size_t>(a)] = a + 1;
      previous_[static_cast<std::size_t>(a)] = a - 1;
    }
  }
  Index size() const { return static_cast<Index>(end_.size()); }
  Index end(Index first) const { return end_[static_cast<std::size_t>(first)]; }
  Index previous(Index first) const { return previous_[static_cast<std::size_t>(first)]; }
  /// Whether both groups are as they were.
  bool has(const Merger& m) const { return end(m.first) == m.middle && end(m.middle) == m.last; }
  void merge(const Merger& m) {
    end_[static_cast<std::size_t>(m.first)] = m.last;
    end_[static_cast<std::size_t>(m.middle)] = -1;
    if (m.last < size()) previous_[static_cast<std::size_t>(m.last)] = m.first;
  }
  std::vector<Index> firsts() const {
    std::vector<Index> out;
    for (Index a = 0; a < size(); a = end(a)) out.push_back(a);
    return out;
  }

 private:
  std::vector<Index> previous_, end_;
};

}  // namespace

FollowingSums::FollowingSums(std::span<const Index> reach) : starts_{0} {
  for (const Index k : reach) starts_.push_back(starts_.back() + k);
  sums_.resize(static_cast<std::size_t>(starts_.back()));
}

std::vector<std::vector<Index>> adjacent_linkage(const FollowingSums& sums, std::span<const double> cuts,
                                                 Index max_size) {
  Groups groups(sums.size());
  std::priority_queue<Merger> queue;
  const auto offer = [&](Index first, Index middle) {
    const Index last = groups.end(middle);
    if (last - first > max_size) return;
    const double pairs = static_cast<double>(middle - first) * static_cast<double>(last - middle);
    const double mean = sums.between(first, middle, last) / pairs;
    if (mean >= cuts.back()) queue.push({mean, first, middle, last});
  };
  for (Index a = 0; a + 1 < sums.size(); ++a) offer(a, a + 1);
  std::vector<std::vector<Index>> out;
  for (Index merged = 0; !queue.empty(); ++merged) {
    const Merger best = queue.top();
    queue.pop();
    if (!groups.has(best)) continue;
    while (best.mean < cuts[out.size()]) out.push_back(groups.firsts());
    groups.merge(best);
    if (groups.previous(best.first) >= 0) offer(groups.previous(best.first), best.first);
    if (best.last < groups.size()) offer(best.first, best.last);
    if (merged % 4096 == 0) PollScope::check();
  }
  while (out.size() < cuts.size()) out.push_back(groups.firsts());
  return out;
}

}  // namespace riata
