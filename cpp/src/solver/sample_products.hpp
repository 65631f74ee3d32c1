#pragma once

#include "riata/types.hpp"

namespace riata {

/// K += sign Z Z' for the rows of Z', which is columns x n: the upper triangle, or all of it where it is symmetric.
/// Sums over columns are taken in order, in chunks of rows that do not depend on the threads.
enum class Triangle { kUpper, kBoth };
void add_sample_products(const MatIn& z, double sign, Triangle triangle, int threads, Mat& K);
inline constexpr Index kFewColumns = 192;
/// K += Z diag(w) Z' for at most so few columns: Z is n x columns, and `weighted` diag(w) Z'. Columns are added one
/// after the other.
void add_column_products(const MatIn& z, const MatIn& weighted, int threads, Mat& K);

}  // namespace riata
