#pragma once

#include <cstdint>
#include <vector>

#include "certify/screening_query.hpp"
#include "design/narrow_matrix.hpp"
#include "design/rounded_products.hpp"

namespace riata {

/// The right-hand sides that columns were read with, in few bytes, and how they were read: all that it takes to find
/// the same numbers again.
struct PackedSides {
  ReadingPlan plan;
  bool of_null = false;  // products of the first pass, with null residuals, took the place of theirs
  NarrowMatrix sides;    // but for the copy, which has
  Index count = 0;
  Vec step, sum;
  std::vector<std::int16_t> codes;

  bool coded() const { return !codes.empty(); }
  /// Those of the copy.
  RoundedProducts::Sides for_copy() const { return {Mat(), step, sum, codes}; }

  /// See io/transfer.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(plan, of_null, sides, count, step, sum, codes);
  }
};

}  // namespace riata
