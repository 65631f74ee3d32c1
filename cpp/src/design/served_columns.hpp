#pragma once

#include <string>
#include <string_view>

#include "design/host_messages.hpp"

namespace riata {

/// How columns of X can be brought close. Throws std::invalid_argument where they cannot, as they are.
HeldAs held_as(const Design& X);

/// Answers a question about columns themselves, which begin at number `first` of a larger X.
std::string answer_of_columns(const Design& X, Index first, std::string_view method, std::string_view common,
                              std::string_view own, int threads);

}  // namespace riata
