#pragma once

#include <cstdint>
#include <memory>

#include "riata/design/design.hpp"

namespace riata {

/// View of a compressed sparse column matrix: rows of column j are indices[indptr[j] .. indptr[j + 1]).
/// Indices within a column need not be sorted, duplicates add up. Non-owning.
/// Throws std::invalid_argument when indptr is not non-decreasing from 0 to nnz or an index is outside [0, rows).
std::unique_ptr<Design> csc_design(Index rows, Index cols, Index nnz, const std::int32_t* indptr,
                                   const std::int32_t* indices, const double* values);
std::unique_ptr<Design> csc_design(Index rows, Index cols, Index nnz, const std::int64_t* indptr,
                                   const std::int64_t* indices, const double* values);
std::unique_ptr<Design> csc_design(Index rows, Index cols, Index nnz, const std::int32_t* indptr,
                                   const std::int32_t* indices, const float* values);
std::unique_ptr<Design> csc_design(Index rows, Index cols, Index nnz, const std::int64_t* indptr,
                                   const std::int64_t* indices, const float* values);

}  // namespace riata
