#pragma once

#include <functional>
#include <memory>

#include "design/plink_columns.hpp"
#include "design/pool.hpp"

namespace riata {

/// A working set of genotypes that stay packed: four samples a byte, copied from what `pack` finds in the source (which
/// must outlive the pool). A column's shift is in what its codes stand for. `check` is called once they are copied, and
/// throws when they are not what the source held.
std::unique_ptr<Pool> plink_pool(Index rows, std::function<PackedColumns(Columns)> pack, std::function<void()> check);

}  // namespace riata
