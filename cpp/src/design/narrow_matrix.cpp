#include "design/narrow_matrix.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

namespace riata {
namespace {

/// The power of two of which numbers up to `largest` are less than 2^15 times.
double step_below(double largest) {
  int exponent = 0;
  std::frexp(largest, &exponent);
  return std::ldexp(1.0, std::max(exponent - 15, std::numeric_limits<double>::min_exponent - 1));
}

template <class T>
void widen(const std::uint8_t* from, Index rows, double step, double* to) {
  for (Index i = 0; i < rows; ++i) {
    T value;
    std::memcpy(&value, from + i * static_cast<Index>(sizeof(T)), sizeof(T));
    to[i] = std::is_integral_v<T> ? step * static_cast<double>(value) : static_cast<double>(value);
  }
}

}  // namespace

NarrowMatrix::NarrowMatrix(const MatIn& values) : rows_(values.rows()) {
  for (Index q = 0; q < values.cols(); ++q) {
    const double* const column = values.col(q).data();
    double largest = 0.0;
    bool finite = true;
    for (Index i = 0; i < rows_; ++i) {
      finite = finite && std::isfinite(column[i]);
      largest = std::max(largest, std::abs(column[i]));
    }
    if (finite) {
      if (largest <= 127.0 && add<std::int8_t>(column, 1.0, Form::kInt8)) continue;
      if (largest > 0.0 && add<std::int16_t>(column, step_below(largest), Form::kMultiples)) continue;
      const bool narrow = largest <= static_cast<double>(std::numeric_limits<float>::max());
      if (narrow && add<float>(column, 1.0, Form::kFloat)) continue;
    }
    add<double>(column, 1.0, Form::kDouble);
  }
}

/// Adds a column in numbers of a type, unless that would change some.
template <class T>
bool NarrowMatrix::add(const double* values, double step, Form form) {
  const std::size_t before = bytes_.size();
  bytes_.resize(before + static_cast<std::size_t>(rows_) * sizeof(T));
  for (Index i = 0; i < rows_; ++i) {
    T held;
    double back;
    if constexpr (std::is_integral_v<T>) {
      const double multiple = values[i] / step;  // exact: a power of two
      held = static_cast<T>(std::clamp(multiple, static_cast<double>(std::numeric_limits<T>::min()),
                                       static_cast<double>(std::numeric_limits<T>::max())));
      back = step * static_cast<double>(held);
    } else {
      held = static_cast<T>(values[i]);
      back = static_cast<double>(held);
    }
    if (std::bit_cast<std::uint64_t>(back) != std::bit_cast<std::uint64_t>(values[i])) {
      bytes_.resize(before);
      return false;
    }
    std::memcpy(bytes_.data() + before + static_cast<std::size_t>(i) * sizeof(T), &held, sizeof(T));
  }
  forms_.push_back(form);
  steps_.push_back(step);
  return true;
}

/// A number takes; 0 for what is none of the forms.
std::size_t NarrowMatrix::bytes_of(Form form) {
  switch (form) {
    case Form::kInt8:
      return sizeof(std::int8_t);
    case Form::kMultiples:
      return sizeof(std::int16_t);
    case Form::kFloat:
      return sizeof(float);
    case Form::kDouble:
      return sizeof(double);
  }
  return 0;
}

bool NarrowMatrix::sound() const {
  if (rows_ < 0 || steps_.size() != forms_.size()) return false;
  std::size_t left = bytes_.size();
  const auto are_finite = [](double value) { return std::isfinite(value); };
  if (!std::all_of(steps_.begin(), steps_.end(), are_finite)) return false;
  for (const Form form : forms_) {
    const std::size_t each = bytes_of(form);
    if (each == 0 || static_cast<std::size_t>(rows_) > left / each) return false;
    left -= static_cast<std::size_t>(rows_) * each;
  }
  if (left != 0) return false;
  const Mat values = unpacked();
  return std::all_of(values.data(), values.data() + values.size(), are_finite);
}

void NarrowMatrix::unpack(MatOut out) const {
  assert(out.rows() == rows() && out.cols() == cols());
  const std::uint8_t* at = bytes_.data();
  for (Index q = 0; q < cols(); ++q) {
    double* const to = out.col(q).data();
    const double step = steps_[static_cast<std::size_t>(q)];
    const Form form = forms_[static_cast<std::size_t>(q)];
    switch (form) {
      case Form::kInt8:
        widen<std::int8_t>(at, rows_, step, to);
        break;
      case Form::kMultiples:
        widen<std::int16_t>(at, rows_, step, to);
        break;
      case Form::kFloat:
        widen<float>(at, rows_, step, to);
        break;
      case Form::kDouble:
        widen<double>(at, rows_, step, to);
        break;
    }
    at += static_cast<std::size_t>(rows_) * bytes_of(form);
  }
}

Mat NarrowMatrix::unpacked() const {
  Mat out(rows(), cols());
  unpack(out);
  return out;
}

NarrowMatrix NarrowMatrix::some(std::span<const Index> columns) const {
  std::vector<std::size_t> begin{0};
  for (const Form form : forms_) begin.push_back(begin.back() + static_cast<std::size_t>(rows_) * bytes_of(form));
  NarrowMatrix out;
  out.rows_ = rows_;
  for (const Index q : columns) {
    const auto at = static_cast<std::size_t>(q);
    out.forms_.push_back(forms_[at]);
    out.steps_.push_back(steps_[at]);
    out.bytes_.insert(out.bytes_.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(begin[at]),
                      bytes_.begin() + static_cast<std::ptrdiff_t>(begin[at + 1]));
  }
  return out;
}

}  // namespace riata
