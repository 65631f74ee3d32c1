#pragma once

#include <cstdint>
#include <memory>

#include "riata/design/design.hpp"

namespace riata {

/// Views of a dense matrix in memory or memory-mapped: element (i, j) at data[i * row_stride + j * col_stride]
/// (strides in elements, any sign). Non-owning: the caller keeps `data` alive and unchanged. Never copied or cast.
std::unique_ptr<Design> dense_design(const double* data, Index rows, Index cols, Index row_stride, Index col_stride);
std::unique_ptr<Design> dense_design(const float* data, Index rows, Index cols, Index row_stride, Index col_stride);
std::unique_ptr<Design> dense_design(const std::int8_t* data, Index rows, Index cols, Index row_stride,
                                     Index col_stride);

}  // namespace riata
