#include "checkpoint/identity.hpp"

#include <algorithm>

#include "kernel/kernels.hpp"

namespace riata {

std::uint64_t& Identity::entry(std::string_view name) {
  const auto named = [&](const auto& each) { return each.first == name; };
  const auto found = std::find_if(entries_.begin(), entries_.end(), named);
  if (found != entries_.end()) return found->second;
  return entries_.emplace_back(std::string(name), std::uint64_t{0}).second;
}

std::string Identity::differences(const Identity& other) const {
  std::vector<std::string> names;
  if (entries_.size() != other.entries_.size()) return "the version of riata";
  for (std::size_t k = 0; k < entries_.size(); ++k) {
    if (entries_[k] != other.entries_[k]) names.push_back(entries_[k].first);
  }
  std::string out;
  for (std::size_t k = 0; k < names.size(); ++k) {
    out += (k == 0 ? "" : k + 1 == names.size() ? " and " : ", ") + names[k];
  }
  return out;
}

Identity identity_of(const Design& X, const std::vector<Problem>& problems, const Features& features,
                     const PathOptions& options) {
  Identity out;
  out.add("the version of riata", std::string_view(RIATA_VERSION));
  out.add("the processor's instruction set", std::string_view(kernels().name));
  // How it lies in memory decides what the pool holds in place and what less its mean.
  out.add("the kind of X", X.traits().fingerprint);
  out.add("the shape of X", X.rows(), X.cols());
  for (const Problem& problem : problems) {
    const Survival& survival = problem.survival;
    out.add("y", problem.y, survival.event);
    out.add("start", survival.start);
    out.add("strata", survival.stratum);
    out.add("ties", survival.efron);
    out.add("the weights or folds", problem.weights);
    out.add("offset", problem.offset);
    out.add("which problems lead", problem.leader, problem.response);
  }
  out.add("penalty_factor", features.penalty_factor);
  out.add("lower", features.lower);
  out.add("upper", features.upper);
  out.add("penalty", features.group, features.group_weights, features.column, features.sorted_weights);
  out.add("the groups that max_groups counts", features.label);
  PathOptions same = options;
  same.n_alphas = options.count();  // which does not count where alphas are given
  out.add_options(same);
  return out;
}

}  // namespace riata
