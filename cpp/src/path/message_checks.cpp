#include "path/message_checks.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace riata {
namespace {

constexpr Index kMostOutputs = 1 << 20;

bool finite(double value) {
  return std::isfinite(value) && value >= 0.0;
}

void require_answer(bool holds) {
  if (!holds) throw std::runtime_error("an answer of a part of X must have what it was asked for, of its own columns");
}

bool within(Index column, Index cols) {
  return column >= 0 && column < cols;
}

bool one_each(const Vec& values, Index cols) {
  return values.size() == 0 || values.size() == cols;
}

}  // namespace

void require_message(bool holds, const char* what) {
  if (!holds) throw std::invalid_argument(std::string("a message to a part of X must have ") + what);
}

void check_beginning(const FitBeginning& beginning, const PartFeatures& features, Index rows, Index cols) {
  const Index problems = beginning.weights.cols();
  require_message(beginning.weights.rows() == rows && problems > 0, "weights, one for each row of X and problem");
  require_message(
      beginning.null_u.cols() % problems == 0 && (beginning.null_u.cols() == 0 || beginning.null_u.rows() == rows),
      "null residuals for each row of X, as many of each problem");
  require_message(beginning.l1_ratio > 0.0 && beginning.l1_ratio <= 1.0, "l1_ratio > 0 and <= 1");
  require_message(beginning.copy_share >= 0.0 && beginning.copy_share <= 1.0, "a share of a copy between 0 and 1");
  require_message(!beginning.penalty.is<penalties::Slope>(), "a penalty that does not tie all columns");
  require_message(
      one_each(features.penalty_factor, cols) && one_each(features.lower, cols) && one_each(features.upper, cols),
      "penalty factors and bounds of all columns of the part, or none");
  const bool grouped = beginning.penalty.is<penalties::Group>();
  require_message(static_cast<Index>(features.group.size()) == (grouped ? cols : 0),
                  "the group of each column where the penalty is one of groups");
  const Index groups = features.group_weights.size();
  require_message(std::all_of(features.group.begin(), features.group.end(),
                              [&](Index group) { return group >= 0 && group < groups; }),
                  "groups that have a weight");
}

void check_problem(const NewProblem& problem, Index problems, Index null_residuals, Index before) {
  require_message(before < problems, "no more problems than there are weights");
  require_message(problem.outputs >= 1 && problem.outputs <= kMostOutputs &&
                      (null_residuals == 0 || problem.outputs == null_residuals / problems),
                  "as many outputs as there are null residuals");
  require_message(finite(problem.largest_norm) && finite(problem.largest_weight), "finite norms");
}

void check_sides(const PackedSides& sides, Index outputs, Index rows, const RoundedProducts& rounded, bool null_known) {
  const ReadingPlan& plan = sides.plan;
  const char* const what = "right-hand sides as its plan has them";
  require_message(static_cast<Index>(plan.begin.size()) == outputs + 1 &&
                      static_cast<Index>(plan.open.size()) == outputs && plan.begin.front() == 0,
                  what);
  for (std::size_t k = 0; k < plan.open.size(); ++k) {
    const Index size = plan.begin[k + 1] - plan.begin[k];
    require_message(size >= plan.open[k].size && plan.open[k].size >= 0 &&
                        plan.open[k].size <= (sides.of_null ? 1 : kMaxBasis) &&
                        size < plan.open[k].size + std::max<Index>(plan.coordinates.cols(), 1) &&
                        plan.open[k].number >= 1 && plan.open[k].number < kMaxBlocks,
                    what);
  }
  require_message(sides.count == plan.begin.back() && plan.sums.size() == sides.count &&
                      plan.coordinates.rows() == sides.count && plan.coordinates.cols() >= 1 &&
                      plan.replaced.rows() == outputs && plan.replaced.cols() == plan.coordinates.cols(),
                  what);
  if (sides.of_null) {
    require_message(null_known && !plan.rounded && plan.coordinates.cols() == 1,
                    "null residuals at its beginning, where it refers to them");
  } else if (plan.rounded && rounded.copies()) {
    require_message(static_cast<Index>(sides.codes.size()) == sides.count * rounded.padded_rows() &&
                        sides.step.size() == sides.count && sides.sum.size() == sides.count,
                    what);
  } else {
    require_message(
        sides.codes.empty() && sides.sides.sound() && sides.sides.rows() == rows && sides.sides.cols() == sides.count,
        what);
  }
}

void check_recall(const Recall& recall, Index outputs, Index rows, Index cols, const RoundedProducts& rounded,
                  bool null_known) {
  const char* const what = "what is known of each column of the part";
  require_message(static_cast<Index>(recall.marks.size()) == cols && recall.blocks.size() < kMaxBlocks, what);
  std::vector<bool> read(static_cast<std::size_t>(kMaxBlocks), false);
  Index held = 0;
  for (const std::uint8_t marks : recall.marks) {
    if ((marks & mark::kHeld) != 0) {
      ++held;
    } else {
      read[marks & mark::kBlock] = true;
    }
  }
  for (std::size_t b = 1; b < read.size(); ++b) {
    if (!read[b]) continue;
    require_message(b <= recall.blocks.size(), what);
    check_sides(recall.blocks[b - 1], outputs, rows, rounded, null_known);
  }
  const std::vector<Index>& columns = recall.held.columns;
  require_message(
      static_cast<Index>(columns.size()) == held &&
          recall.held.numbers.size() == columns.size() * static_cast<std::size_t>(HeldNumbers::kEach * outputs),
      what);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    require_message(columns[i] >= 0 && columns[i] < cols && (i == 0 || columns[i] > columns[i - 1]), what);
  }
}

void check_answer(const FirstPassAnswer& answer, Index problems, Index cols, bool copies) {
  const auto whole = [&](const std::vector<Vec>& all) {
    return static_cast<Index>(all.size()) == problems &&
           std::all_of(all.begin(), all.end(), [&](const Vec& each) { return each.size() == cols; });
  };
  require_answer(whole(answer.means) && whole(answer.variances) && (!copies || answer.copy_errors.size() == cols));
}

void check_candidates(const std::vector<Candidate>& candidates, Index cols) {
  for (const Candidate& candidate : candidates) require_answer(within(candidate.second, cols));
}

void check_answer(const PartAnswer& answer, std::size_t lambdas, Index outputs, Index cols) {
  const auto in_part = [&](const auto& columns) {
    return std::all_of(columns.begin(), columns.end(), [&](Index j) { return within(j, cols); });
  };
  require_answer(answer.undecided >= 0 && answer.undecided <= cols);
  require_answer(answer.unbounded >= 0 && answer.unbounded <= cols);
  check_candidates(answer.found.candidates, cols);
  require_answer(answer.found.violators.size() <= lambdas);
  for (const Violators& beyond : answer.found.violators) {
    require_answer(in_part(beyond.features) &&
                   beyond.c.size() == beyond.features.size() * static_cast<std::size_t>(outputs));
  }
  const HeldNumbers& held = answer.held;
  require_answer(in_part(held.columns) && std::is_sorted(held.columns.begin(), held.columns.end()) &&
                 held.numbers.size() == held.columns.size() * static_cast<std::size_t>(HeldNumbers::kEach * outputs));
}

}  // namespace riata
