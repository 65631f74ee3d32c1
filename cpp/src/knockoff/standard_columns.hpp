#pragma once

#include "riata/knockoff/gaussian.hpp"

namespace riata {

/// Z(:, k) = the standardised column columns[k] of each sample.
void fill_standard(const StandardColumns& of, Columns columns, Mat& Z);

/// Raw columns of each sample.
void fill_raw(const StandardColumns& of, Columns columns, Mat& out);

/// Writes the columns that are not among `drawn` to out[j * samples], ..., in single precision.
void copy_others(const StandardColumns& of, std::span<const Index> drawn, float* out, int threads);

/// Threads that may gather columns at the same time.
int gathering_threads(const StandardColumns& of, int threads);

}  // namespace riata
