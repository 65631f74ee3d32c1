#pragma once

#include <vector>

#include "riata/design/design.hpp"

namespace riata {

/// A design made of others, whose columns stand side by side in it.
class SideBySide {
 public:
  virtual ~SideBySide() = default;
  virtual std::vector<const Design*> designs() const = 0;
};

}  // namespace riata
