// Groups of neighbouring columns by how they are correlated.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <string>
#include <vector>

#include "bindings.hpp"
#include "riata/design/ld_groups.hpp"
#include "signal_poll.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace {

using riata::Index;
using Array = py::array_t<double, py::array::c_style | py::array::forcecast | kAligned>;
using Numbers = py::array_t<std::int64_t, py::array::c_style | py::array::forcecast | kAligned>;

std::vector<Index> numbers_of(const Numbers& a, const char* name) {
  if (a.ndim() != 1) {
    throw py::value_error(std::string(name) + " must have 1 dimension, got " + std::to_string(a.ndim()));
  }
  return {a.data(), a.data() + a.size()};
}

riata::Vec rows_of(const Array& a) {
  if (a.ndim() != 1) throw py::value_error("rows must have 1 dimension, got " + std::to_string(a.ndim()));
  return Eigen::Map<const riata::Vec>(a.data(), a.size());
}

riata::NeighbourOptions options_of(const std::vector<double>& r2, Index max_size, int n_threads) {
  return {.r2 = r2, .max_size = max_size, .threads = n_threads, .poll = SignalPoll()};
}

py::list labels_of(const std::vector<std::vector<Index>>& groups) {
  py::list out;
  for (const std::vector<Index>& labels : groups) {
    out.append(py::array_t<std::int64_t>(static_cast<Index>(labels.size()), labels.data()));
  }
  return out;
}

py::list neighbour_groups(const riata::Design& design, const Numbers& columns, const Numbers& reach, const Array& rows,
                          const std::vector<double>& r2, Index max_size, int n_threads) {
  const std::vector<Index> which = numbers_of(columns, "columns"), far = numbers_of(reach, "reach");
  for (const Index j : which) {
    if (j < 0 || j >= design.cols()) {
      throw py::value_error("columns must be numbers of columns of X, got " + std::to_string(j));
    }
  }
  const riata::Vec counted = rows_of(rows);
  const riata::NeighbourOptions options = options_of(r2, max_size, n_threads);
  std::vector<std::vector<Index>> out;
  {
    const py::gil_scoped_release nogil;
    out = riata::neighbour_groups(design, which, far, counted, options);
  }
  return labels_of(out);
}

py::list correlated_groups(const riata::Design& design, const Array& rows, const std::vector<double>& r2,
                           Index max_size, Index most_pairs, int n_threads) {
  const riata::Vec counted = rows_of(rows);
  const riata::NeighbourOptions options = options_of(r2, max_size, n_threads);
  std::vector<std::vector<Index>> out;
  {
    const py::gil_scoped_release nogil;
    out = riata::correlated_groups(design, counted, options, most_pairs);
  }
  return labels_of(out);
}

}  // namespace

void bind_groups(py::module_& m) {
  m.def("neighbour_groups", &neighbour_groups, "design"_a, "columns"_a, "reach"_a, "rows"_a, "r2"_a, "max_size"_a,
        "n_threads"_a = 1);
  m.def("correlated_groups", &correlated_groups, "design"_a, "rows"_a, "r2"_a, "max_size"_a, "most_pairs"_a,
        "n_threads"_a = 1);
}
