#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bindings.hpp"
#include "riata/types.hpp"

/// NumPy's arrays as the library reads and fills them, for the files that bind designs.
namespace arrays {

using riata::Index;
using MapIn = Eigen::Map<const riata::Mat, 0, Eigen::OuterStride<>>;
using MapOut = Eigen::Map<riata::Mat, 0, Eigen::OuterStride<>>;
using FortranIn = pybind11::array_t<double, pybind11::array::f_style | pybind11::array::forcecast | kAligned>;
using FortranOut = pybind11::array_t<double, pybind11::array::f_style>;

/// An argument that is small next to X: converted to columns of doubles when it is not that yet.
inline MapIn matrix(const FortranIn& a, const char* name, Index rows) {
  if (a.ndim() != 2)
    throw pybind11::value_error(std::string(name) + " must have 2 dimensions, got " + std::to_string(a.ndim()));
  if (a.shape(0) != rows)
    throw pybind11::value_error(std::string(name) + " must have " + std::to_string(rows) + " rows, got " +
                                std::to_string(a.shape(0)));
  return {a.data(), rows, a.shape(1), Eigen::OuterStride<>(rows)};
}

inline FortranOut new_matrix(Index rows, Index cols) {
  return FortranOut({rows, cols});
}

inline MapOut view(FortranOut& a) {
  return {a.mutable_data(), a.shape(0), a.shape(1), Eigen::OuterStride<>(a.shape(0))};
}

inline void check_threads(int n_threads) {
  if (n_threads < 1) throw pybind11::value_error("n_threads must be >= 1, got " + std::to_string(n_threads));
}

/// A design and the arrays it views, which live as long as it does, whoever holds the last reference.
template <class D>
struct OwningDesign {
  std::vector<pybind11::object> arrays;
  std::unique_ptr<D> design;

  ~OwningDesign() {
    design.reset();
    const pybind11::gil_scoped_acquire gil;
    arrays.clear();
  }
};

template <class D>
std::shared_ptr<D> keep_arrays(std::unique_ptr<D> design, std::vector<pybind11::object> arrays) {
  const auto owning = std::make_shared<OwningDesign<D>>();
  owning->arrays = std::move(arrays);
  owning->design = std::move(design);
  return {owning, owning->design.get()};
}

}  // namespace arrays
