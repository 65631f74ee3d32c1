#pragma once

#include <memory>
#include <vector>

#include "design/hosted_design.hpp"

namespace riata {

/// Where the columns of X are, when other processes hold some of them. Others that stand beside those, covariates for
/// one, are a part in this process, asked as all parts are.
struct PartLayout {
  std::shared_ptr<const ColumnHost> host;
  std::vector<Index> cuts;  // first column of each part, and the number of columns

  /// None where all of X is in this process. `threads` for what is.
  static PartLayout of(const Design& X, int threads);
};

}  // namespace riata
