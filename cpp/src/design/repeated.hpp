#pragma once

#include <memory>
#include <vector>

#include "riata/design/design.hpp"

namespace riata {

/// Columns of another design, each as often as it is listed: column k is `columns[k]` of the source, which is shared
/// and not copied. Whatever is asked of several that are the same is asked of the source once. Columns that do not
/// decrease keep copies together, and so stream fastest. Throws std::invalid_argument for a number that is no column.
std::unique_ptr<Design> repeated_design(std::shared_ptr<const Design> source, std::vector<Index> columns);

}  // namespace riata
