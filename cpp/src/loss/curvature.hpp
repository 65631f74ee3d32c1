#pragma once

#include "riata/types.hpp"

namespace riata {

/// F'' at one point, of a loss that couples rows.
class Curvature {
 public:
  virtual ~Curvature() = default;
  /// columns <- F'' columns.
  virtual void multiply(MatOut columns) const = 0;
};

}  // namespace riata
