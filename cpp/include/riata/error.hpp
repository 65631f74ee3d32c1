#pragma once

#include <stdexcept>
#include <string>

/// Exceptions by which callers tell files and numbers that will not do from other bad arguments.
namespace riata {

/// A file that cannot be opened, is truncated, too long, or has the wrong magic bytes. Python: OSError.
struct FileError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A column of the design that holds NaN or infinity. Python: ValueError.
struct NonFiniteError : std::invalid_argument {
  explicit NonFiniteError(std::ptrdiff_t first_column)
      : std::invalid_argument("X must hold finite numbers only, got NaN or infinity in column " +
                              std::to_string(first_column)),
        column(first_column) {}
  std::ptrdiff_t column;
};

}  // namespace riata
