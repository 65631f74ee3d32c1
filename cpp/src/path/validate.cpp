#include "path/validate.hpp"

#include <cmath>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "path/memory_budget.hpp"
#include "penalty/penalty_family.hpp"

namespace riata {
namespace {

constexpr double kLeastTotal = 1e-290;  // of weights: those of single rows keep their digits

[[noreturn]] void throw_invalid(const std::string& message) {
  throw std::invalid_argument(message);
}

bool several_outputs(const PathOptions& options) {
  return options.loss.is<losses::Multigaussian>() || options.loss.is<losses::Multinomial>();
}

/// Members of groups: a column each, or those that `column` lists.
void check_members(Index p, const Features& features) {
  const std::vector<Index>& column = features.column;
  const std::string of = column.empty() ? "column of X" : "entry of column";
  const Index members = column.empty() ? p : static_cast<Index>(column.size());
  if (static_cast<Index>(features.group.size()) != members) throw_invalid("group must have one number for each " + of);
  if (column.empty()) return;
  Index last = -1;
  for (const Index j : column) {
    if (j != last && j != last + 1) throw_invalid("column must list every column of X and not decrease");
    last = j;
  }
  if (last != p - 1) throw_invalid("column must list every column of X and not decrease");
}

void check_groups(Index p, const Features& features, const PathOptions& o) {
  if (o.l1_ratio == 0.0 && o.penalty.as<penalties::Group>()->l1_within_ratio == 1.0)
    throw_invalid("l1_ratio must be > 0 where l1_within_ratio is 1");
  check_members(p, features);
  for (const Index g : features.group) {
    if (g < 0 || g >= features.group_weights.size()) {
      throw_invalid("group must hold numbers of group_weights, got " + std::to_string(g));
    }
  }
  if (!(features.group_weights.array() > 0.0).all() || !features.group_weights.allFinite()) {
    throw_invalid("group_weights must be finite and > 0");
  }
}

void check_sorted_weights(Index p, const Vec& weights) {
  if (weights.size() != p) throw_invalid("sorted_weights must have one value for each column of X");
  for (Index i = 0; i < p; ++i) {
    if (!(weights[i] >= 0.0) || !std::isfinite(weights[i]) || (i > 0 && weights[i] > weights[i - 1])) {
      throw_invalid("sorted_weights must be finite, >= 0 and in decreasing order");
    }
  }
  if (!(weights[0] > 0.0)) throw_invalid("sorted_weights must not all be zero");
}

void check_penalty(Index p, const Features& features, const PathOptions& o) {
  const std::string quoted = '"' + std::string(o.penalty.name()) + '"';
  const bool group = o.penalty.is<penalties::Group>();
  if (!group && !features.column.empty()) throw_invalid("column must be left out with penalty " + quoted);
  if (o.penalty.is<penalties::ElasticNet>()) return;
  if (several_outputs(o) && !group) {
    throw_invalid("penalty " + quoted + " needs a loss of one output, got \"" + std::string(o.loss.name()) + "\"");
  }
  if (several_outputs(o) && o.solver == Solver::kDescent) {
    throw_invalid("solver must be \"auto\" or \"prox\" with penalty " + quoted + " and several outputs, got \"cd\"");
  }
  if (features.lower.size() > 0 || features.upper.size() > 0) {
    throw_invalid("lower and upper must be left out with penalty " + quoted);
  }
  if (o.solver == Solver::kActiveSet) throw_invalid("solver \"active_set\" is not available with penalty " + quoted);
  if (!group && o.l1_ratio != 1.0) {
    throw_invalid("l1_ratio must be 1 with penalty " + quoted + ", got " + std::to_string(o.l1_ratio));
  }
  if (kind_of(o, 1) == PenaltyKind::kConcave) return;
  for (const double factor : features.penalty_factor) {
    if (factor != 0.0 && factor != 1.0 && factor != kInfinity) {
      throw_invalid("penalty_factor must be 0, 1 or infinity with penalty " + quoted + ", got " +
                    std::to_string(factor));
    }
  }
  if (group) check_groups(p, features, o);
  if (o.penalty.is<penalties::Slope>()) check_sorted_weights(p, features.sorted_weights);
}

/// The problem that holds the response of another.
const Problem& check_response(const Problem& problem, const std::vector<Problem>& problems) {
  if (problem.response == -1) return problem;
  if (problem.response < 0 || problem.response >= static_cast<Index>(problems.size()) ||
      problems[static_cast<std::size_t>(problem.response)].response != -1) {
    throw_invalid("response must be the number of a problem with a response of its own, or -1, got " +
                  std::to_string(problem.response));
  }
  if (problem.y.size() != 0 || problem.offset.size() != 0 || problem.survival.event.size() != 0) {
    throw_invalid("y, offset and survival must be left out where response names another problem");
  }
  return problems[static_cast<std::size_t>(problem.response)];
}

void check_problem(Index n, const Problem& problem, const Problem& given, const std::vector<Problem>& problems,
                   bool several) {
  if (several && (given.y.size() == 0 || given.y.size() % n != 0 || given.y.size() != problems.front().y.size())) {
    throw_invalid("y must have the same number of values for each row of X");
  }
  if (!several && given.y.size() != n) throw_invalid("y must have one value for each row of X");
  if (problem.weights.size() != n) throw_invalid("weights must have one value for each row of X");
  if (problem.leader < 0 || problem.leader >= static_cast<Index>(problems.size()) ||
      problems[static_cast<std::size_t>(problem.leader)].leader != problem.leader) {
    throw_invalid("leader must be the number of a problem that leads, got " + std::to_string(problem.leader));
  }
  if (given.offset.size() != 0 && given.offset.size() != given.y.size())
    throw_invalid(several ? "offset must have as many values as y" : "offset must have one value for each row of X");
  if (!(problem.weights.minCoeff() >= 0.0) || !problem.weights.allFinite())
    throw_invalid("weights must be finite and >= 0");
  const double total = problem.weights.sum();
  if (!(total > 0.0)) throw_invalid("weights must not all be zero");
  if (!(total >= kLeastTotal && total <= 1.0 / kLeastTotal)) {
    throw_invalid("weights must have a sum within [1e-290, 1e290]: rescale them");
  }
  for (Index e = 0; e < given.y.size(); ++e) {
    const Index i = e % n;
    if (problem.weights[i] <= 0.0) continue;
    if (!std::isfinite(given.y[e])) throw_invalid("y must be finite, got NaN or infinity in row " + std::to_string(i));
    if (given.offset.size() != 0 && !std::isfinite(given.offset[e])) {
      throw_invalid("offset must be finite, got NaN or infinity in row " + std::to_string(i));
    }
  }
}

void check_features(Index p, const Features& features) {
  const auto check_size = [&](const Vec& v, const char* name) {
    if (v.size() != 0 && v.size() != p) throw_invalid(std::string(name) + " must have one value for each column of X");
  };
  check_size(features.penalty_factor, "penalty_factor");
  check_size(features.lower, "lower");
  check_size(features.upper, "upper");
  if (features.penalty_factor.size() > 0 && !(features.penalty_factor.array() >= 0.0).all()) {
    throw_invalid("penalty_factor must be >= 0");
  }
  if (features.lower.size() > 0 && !(features.lower.array() <= 0.0).all()) throw_invalid("lower must be <= 0");
  if (features.upper.size() > 0 && !(features.upper.array() >= 0.0).all()) throw_invalid("upper must be >= 0");
}

void check_labels(Index p, const Features& features, const PathOptions& o) {
  if (features.label.empty()) {
    if (o.max_groups >= 0) throw_invalid("max_groups needs label, the group of each column of X");
    return;
  }
  if (static_cast<Index>(features.label.size()) != p) throw_invalid("label must have one value for each column of X");
  for (const Index label : features.label) {
    if (label < -1) throw_invalid("label must hold numbers >= 0, or -1, got " + std::to_string(label));
  }
}

/// Refuses numbers that are not what is allowed, each by itself.
struct CheckNumbers {
  template <class T>
  void operator()(const Option& option, const T& value) const {
    if constexpr (std::is_arithmetic_v<T>) {
      if (option.allowed.holds(static_cast<double>(value))) return;
      throw_invalid(option.name + std::string(" must ") + option.allowed.words + ", got " + std::to_string(value));
    }
  }
};

void check_options(const PathOptions& o) {
  PathOptions::describe(o, CheckNumbers());
  if (o.held_out && !o.keep_linear_predictor && !o.tell_every_row) {
    throw_invalid("held_out needs keep_linear_predictor or tell_every_row");
  }
  if (o.patience > 0 && !o.held_out) throw_invalid("patience needs held_out, which scores held-out rows");
  for (std::size_t k = 0; k < o.alphas.size(); ++k) {
    if (!(o.alphas[k] > 0.0) || !std::isfinite(o.alphas[k]))
      throw_invalid("alphas must be finite and > 0, got " + std::to_string(o.alphas[k]));
    if (k > 0 && !(o.alphas[k] <= o.alphas[k - 1])) throw_invalid("alphas must be in decreasing order");
  }
}

}  // namespace

void validate(const Design& X, const std::vector<Problem>& problems, const Features& features, const PathOptions& o) {
  const Index n = X.rows(), p = X.cols();
  if (n < 1 || p < 1) throw_invalid("X must have at least one row and one column");
  if (problems.empty()) throw_invalid("problems must not be empty");
  const bool several = several_outputs(o);
  const auto* net = o.penalty.as<penalties::ElasticNet>();
  const bool rows = net != nullptr && net->row_grouped;
  if (rows && !several) {
    throw_invalid("row_grouped needs a loss with several outputs, got \"" + std::string(o.loss.name()) + "\"");
  }
  if ((rows || o.loss.is<losses::Multigaussian>()) && (features.lower.size() > 0 || features.upper.size() > 0)) {
    throw_invalid("lower and upper must be left out when the coefficients of a feature are grouped");
  }
  if (problems.front().response != -1) throw_invalid("the first problem must have a response of its own");
  for (const Problem& problem : problems) {
    check_problem(n, problem, check_response(problem, problems), problems, several);
  }
  check_features(p, features);
  static_cast<void>(solver_named(name_of(o.solver)));  // throws for one that is not to be asked for
  check_penalty(p, features, o);
  check_options(o);
  check_labels(p, features, o);
  if (const double least = least_memory(X, problems, features, o); o.memory > 0.0 && o.memory < least) {
    throw_invalid("memory must be at least " + std::to_string(std::llround(least)) +
                  " bytes for the rows and columns of X, got " + std::to_string(std::llround(o.memory)));
  }
}

void validate_parts(std::span<const Index> cuts, const Features& features, const PathOptions& o) {
  if (cuts.size() <= 2) return;
  if (!non_separable(kind_of(o, 1))) return;
  if (!o.penalty.is<penalties::Group>()) {
    throw_invalid("parts must be 1 with penalty \"" + std::string(o.penalty.name()) + "\", got " +
                  std::to_string(cuts.size() - 1));
  }
  std::vector<Index> part_of(static_cast<std::size_t>(features.group_weights.size()), -1);
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
    for (Index j = cuts[i]; j < cuts[i + 1]; ++j) {
      if (features.factor(j) == 0.0 || features.factor(j) == kInfinity) continue;  // in no group
      const std::size_t group = static_cast<std::size_t>(features.group[static_cast<std::size_t>(j)]);
      if (part_of[group] >= 0 && part_of[group] != static_cast<Index>(i)) {
        throw_invalid("parts must not divide a group of features, got group " + std::to_string(group) +
                      " on both sides of column " + std::to_string(cuts[i]));
      }
      part_of[group] = static_cast<Index>(i);
    }
  }
}

}  // namespace riata
