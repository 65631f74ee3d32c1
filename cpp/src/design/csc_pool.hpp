#pragma once

#include <memory>

#include "design/pool.hpp"
#include "design/sparse_columns.hpp"

namespace riata {

/// A working set that keeps columns of `source` sparse: increasing 32-bit rows and doubles, never shifted.
/// `source` must have fewer than 2^31 rows and outlive the pool.
std::unique_ptr<Pool> csc_pool(const SparseDesign& source);

}  // namespace riata
