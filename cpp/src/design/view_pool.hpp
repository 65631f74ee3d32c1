#pragma once

#include <memory>

#include "design/pool.hpp"

namespace riata {

/// A working set that copies nothing: its columns are numbers of columns of the source, to which every product goes.
/// For when all columns are needed and few products are made (a Gram matrix does the rest); single-column steps decode.
std::unique_ptr<Pool> view_pool(const Design& source);

}  // namespace riata
