#pragma once

#include "riata/types.hpp"

namespace riata {

/// K += sign Z Z' for the rows of Z', which is columns x n: the upper triangle, or all of it where it is symmetric.
/// Sums over columns are taken in order, in chunks of rows that do not depend on the threads.
enum class Triangle { kUpper, kBoth };
void add_sample_products(const MatIn& z, double sign, Triangle triangle, int threads, Mat& K);

}  // namespace riata
