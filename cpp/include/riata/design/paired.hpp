#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "riata/design/design.hpp"

namespace riata {

/// Two designs of the same shape (features and their knockoffs) as one of twice the columns, neither copied: columns 2j
/// and 2j + 1 are column j of `left` and column j of `right`, in this order where first[j] is 0, else the other way
/// round. Throws std::invalid_argument when shapes differ or `first` has not one entry for each column.
std::unique_ptr<Design> paired_design(std::shared_ptr<const Design> left, std::shared_ptr<const Design> right,
                                      std::vector<std::uint8_t> first);

}  // namespace riata
