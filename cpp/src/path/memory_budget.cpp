#include "path/memory_budget.hpp"

#include <algorithm>

#include "design/shared_pool.hpp"
#include "penalty/penalty_family.hpp"

namespace riata {

double column_bytes(Index outputs, const PathOptions& options) {
  constexpr double kColumn = 32.0;  // means and the like
  constexpr double kOutput = 12.0;
  const double known = non_separable(kind_of(options, outputs)) ? 16.0 + 16.0 * static_cast<double>(outputs) : 0.0;
  return kColumn + kOutput * static_cast<double>(outputs - 1) + known;
}

double row_bytes(const std::vector<Problem>& problems, double numbers) {
  return 8.0 * numbers * static_cast<double>(problems.front().y.size()) * static_cast<double>(problems.size());
}

double ahead_bytes(const std::vector<Problem>& problems, Index columns, const PathOptions& options) {
  const double rows = row_bytes(problems, pending_numbers(options));
  const Index outputs = problems.front().y.size() / problems.front().weights.size();
  if (options.alphas_per_pass == 1 || !non_separable(kind_of(options, outputs))) return rows;
  return rows + 16.0 * static_cast<double>(outputs * columns) * static_cast<double>(problems.size());
}

double least_memory(const Design& X, const std::vector<Problem>& problems, const Features& features,
                    const PathOptions& options) {
  const double columns = static_cast<double>(std::max(X.cols(), static_cast<Index>(features.column.size())));
  const Index outputs = X.rows() > 0 ? std::max<Index>(problems.front().y.size() / X.rows(), 1) : 1;
  return columns * (SharedPool::kColumnBytes + column_bytes(outputs, options) * static_cast<double>(problems.size())) +
         row_bytes(problems, kRowNumbers + pending_numbers(options));
}

double room_for_copy(const Design& X, const std::vector<Problem>& problems, const Features& features,
                     const PathOptions& options) {
  return options.memory > 0.0 ? options.memory - least_memory(X, problems, features, options) : kInfinity;
}

}  // namespace riata
