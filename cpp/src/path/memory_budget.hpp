#pragma once

#include <vector>

#include "riata/api.hpp"

/// What a fit will hold, told before it is made.
namespace riata {

// Numbers held for each row and output of a problem: in all, those that its state (see checkpoint/archive.hpp) leaves
// out, and more for each lambda solved ahead.
inline constexpr double kRowNumbers = 20.0, kRowNumbersOutsideState = 12.0, kRowNumbersPending = 4.0;
inline constexpr double kRowNumbersAsked = 3.0;  // and for each that is certified in one pass with others

/// Of each lambda solved ahead.
inline double pending_numbers(const PathOptions& options) {
  return kRowNumbersPending + (options.tell_every_row ? 1.0 : 0.0) +
         (options.alphas_per_pass > 1 ? kRowNumbersAsked : 0.0);
}

/// Bytes of so many numbers for each row and output of all problems.
double row_bytes(const std::vector<Problem>& problems, double numbers);
/// Held for each lambda solved ahead, by all problems, of `columns` columns.
double ahead_bytes(const std::vector<Problem>& problems, Index columns, const PathOptions& options);
/// Held by a problem for each column of X beside its state: what each output's reference subspace makes again counts,
/// and what penalties that tie features together know of every column.
double column_bytes(Index outputs, const PathOptions& options);
/// Bytes that a fit holds beside X before any column is in its working set.
double least_memory(const Design& X, const std::vector<Problem>& problems, const Features& features,
                    const PathOptions& options);

/// What is left for a copy of X, once everything else that is known beforehand is there; infinity without a bound.
double room_for_copy(const Design& X, const std::vector<Problem>& problems, const Features& features,
                     const PathOptions& options);

}  // namespace riata
