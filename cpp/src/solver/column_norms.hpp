#pragma once

#include <vector>

#include "penalty/penalty_family.hpp"
#include "riata/api.hpp"

namespace riata {

/// What is known of every column once its mean and variance are.
struct ColumnNorms {
  /// `variance` becomes the scale of each column: its standard deviation, or 1. `copy_errors` are those of
  /// RoundedProducts, `row_weight` the root of the largest weight of a row.
  ColumnNorms(const PathOptions& options, const Features& features, double row_weight, const Vec& mean, Vec& variance,
              const Vec& copy_errors);

  std::vector<bool> usable;  // not constant, and not left out by its penalty factor
  Vec norm;                  // of the scaled column
  Vec spread;                // standard deviation of the column, where the scale is 1
  Vec noise;                 // rounding of its inner product with a vector of norm 1
  Vec copy_error;            // scaled, or empty
  std::vector<Index> unpenalised;
  Index n_usable = 0;
  double largest_norm = 0.0, largest_noise = 0.0;  // of the usable columns
  double largest_weight;                           // as it was given
  double typical_factor = 1.0;                     // smallest penalty factor that is not tiny next to the largest
};

/// Bounds the rounding of X'u, relative to the norms (Design::correlate), with that of what is made of it.
inline constexpr double kProductError = 2e-14;

}  // namespace riata
