#include "certify/group_screen.hpp"

#include <algorithm>

namespace riata {

/// Whether a group is in this range, outside the working set.
bool GroupScreen::is_mine(Index group) const {
  const auto& members = penalty_.groups().members(group);
  return !members.empty() && holds(members.front()) && is_outside(members.front());
}

/// What is known of the features of a group, of each as many numbers as `values` has for a column.
Vec GroupScreen::members_of(Index group, const Vec& values) const {
  const auto& members = penalty_.groups().members(group);
  const Index width = values.size() / size();
  Vec out(static_cast<Index>(members.size()) * width);
  for (std::size_t i = 0; i < members.size(); ++i) {
    out.segment(static_cast<Index>(i) * width, width) = values.segment((members[i] - first_) * width, width);
  }
  return out;
}

/// The columns of the groups that bounds do not decide are needed. Of entries known up to a bound the norm is largest
/// with all of them there; of several outputs with all of a feature's bound in one, which no soft threshold takes more
/// of.
void GroupScreen::bound_together() {
  for (Index group = 0; group < penalty_.groups().count(); ++group) {
    if (!is_mine(group)) continue;
    const GroupNorm net = penalty_.norm_of(group, query_.lambda * (1.0 - kBoundMargin));
    if (net.size(members_of(group, bounds_)) <= net.l1) continue;
    const auto& members = penalty_.groups().members(group);
    columns_to_check_.insert(columns_to_check_.end(), members.begin(), members.end());
  }
  std::sort(columns_to_check_.begin(), columns_to_check_.end());
}

/// Whether what has been read of a group passes its threshold at a lambda of the round.
bool GroupScreen::exceeds(Index group, std::size_t lambda) const {
  const Vec c = members_of(group, read_[lambda].c);
  if (!(round_[lambda].lambda < kInfinity)) return !(c.array() == 0.0).all();
  const GroupNorm net = penalty_.norm_of(group, round_[lambda].lambda);
  return !(net.size((c.cwiseAbs() + members_of(group, read_[lambda].slack)).eval()) <= net.l1);
}

/// What has been read of whole groups: which pass their threshold.
std::vector<Index> GroupScreen::finish_pass(std::span<const Index> read) {
  const FeatureGroups& all = penalty_.groups();
  std::vector<Index> groups, again;
  for (const Index j : read) {
    estimates_[j - first_] = safe_norm(read_[round_.size() - 1].c.segment((j - first_) * outputs_, outputs_));
    if (j == all.members(all.of(j)).front()) groups.push_back(all.of(j));
  }
  for (const Index group : groups) {
    const auto& members = all.members(group);
    for (std::size_t q = 0; q < round_.size(); ++q) {
      if (!exceeds(group, q)) continue;
      if (plan_.rounded) {
        again.insert(again.end(), members.begin(), members.end());
        break;
      }
      const Vec c = members_of(group, read_[q].c);
      Violators& beyond = violators_[q];
      beyond.features.insert(beyond.features.end(), members.begin(), members.end());
      beyond.c.insert(beyond.c.end(), c.begin(), c.end());
      beyond.error = std::max(beyond.error, members_of(group, read_[q].slack).maxCoeff());
    }
  }
  std::sort(again.begin(), again.end());
  if (again.empty()) collect_candidates();
  return again;
}

/// Groups whose dual norm is estimated at ScreeningQuery::strong over l1_ratio or more.
void GroupScreen::collect_candidates() {
  candidates_.clear();
  for (Index group = 0; group < penalty_.groups().count(); ++group) {
    if (!is_mine(group)) continue;
    const double size = full_working_set_ ? 0.0 : penalty_.norm_of(group, 1.0).dual_norm(members_of(group, estimates_));
    if (!full_working_set_ && !(size * penalty_.l1_ratio() >= query_.strong)) continue;
    candidates_.push_back({size, penalty_.groups().members(group).front()});
  }
}

}  // namespace riata
