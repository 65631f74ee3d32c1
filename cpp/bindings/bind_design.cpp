// Designs of NumPy's arrays, the operations on them, and the choice of instruction set.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "bindings.hpp"
#include "riata/design/column_host.hpp"
#include "riata/design/csc.hpp"
#include "riata/design/dense.hpp"
#include "riata/design/paired.hpp"
#include "riata/error.hpp"
#include "riata/kernel/isa.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace {

using namespace arrays;
using riata::Index;
using Bytes = py::array_t<std::uint8_t, py::array::c_style | py::array::forcecast>;

std::vector<Index> column_numbers(const std::optional<py::array>& columns, Index cols) {
  std::vector<Index> numbers;
  if (!columns) {
    numbers.resize(static_cast<std::size_t>(cols));
    for (std::size_t j = 0; j < numbers.size(); ++j) numbers[j] = static_cast<Index>(j);
    return numbers;
  }
  const char kind = columns->dtype().kind();
  if (columns->size() > 0 && kind != 'i' && kind != 'u')
    throw py::type_error("columns must be integers, got dtype " + py::str(columns->dtype()).cast<std::string>());
  if (columns->ndim() != 1)
    throw py::value_error("columns must have 1 dimension, got " + std::to_string(columns->ndim()));
  const py::array_t<std::int64_t, py::array::c_style | py::array::forcecast | kAligned> whole(*columns);
  numbers.assign(whole.data(), whole.data() + whole.size());
  for (const Index j : numbers)
    if (j < 0 || j >= cols)
      throw py::value_error("columns must lie in [0, " + std::to_string(cols) + "), got " + std::to_string(j));
  return numbers;
}

[[noreturn]] void refuse_dtype(const char* name, const py::array& a, const char* allowed) {
  throw py::type_error(std::string(name) + " must have dtype " + allowed + ", got " +
                       py::str(a.dtype()).cast<std::string>());
}

void check_aligned(const char* name, const py::array& a) {
  if ((a.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_) == 0)
    throw py::value_error(std::string(name) + " must be aligned to its item size");
}

template <class T>
std::shared_ptr<riata::Design> dense_view(const py::array& X) {
  for (int axis = 0; axis < 2; ++axis)
    if (X.strides(axis) % X.itemsize() != 0)
      throw py::value_error("X must have strides that are multiples of its item size (" + std::to_string(X.itemsize()) +
                            "), got " + std::to_string(X.strides(axis)) + " along axis " + std::to_string(axis));
  check_aligned("X", X);
  return keep_arrays(riata::dense_design(static_cast<const T*>(X.data()), X.shape(0), X.shape(1),
                                         X.strides(0) / X.itemsize(), X.strides(1) / X.itemsize()),
                     {X});
}

std::shared_ptr<riata::Design> dense_design(const py::array& X) {
  if (X.ndim() != 2) throw py::value_error("X must have 2 dimensions, got " + std::to_string(X.ndim()));
  if (py::isinstance<py::array_t<double>>(X)) return dense_view<double>(X);
  if (py::isinstance<py::array_t<float>>(X)) return dense_view<float>(X);
  if (py::isinstance<py::array_t<std::int8_t>>(X)) return dense_view<std::int8_t>(X);
  refuse_dtype("X", X, "float64, float32 or int8");
}

void check_vector(const char* name, const py::array& a) {
  if (a.ndim() != 1)
    throw py::value_error(std::string(name) + " must have 1 dimension, got " + std::to_string(a.ndim()));
  if (a.size() > 1 && a.strides(0) != a.itemsize()) throw py::value_error(std::string(name) + " must be contiguous");
  check_aligned(name, a);
}

template <class I, class T>
std::shared_ptr<riata::Design> csc_view(const py::array& indptr, const py::array& indices, const py::array& data,
                                        Index rows) {
  const auto* p = static_cast<const I*>(indptr.data());
  const auto* i = static_cast<const I*>(indices.data());
  const auto* x = static_cast<const T*>(data.data());
  const Index cols = indptr.size() - 1, nnz = indices.size();
  std::unique_ptr<riata::Design> design;
  {
    const py::gil_scoped_release nogil;
    design = riata::csc_design(rows, cols, nnz, p, i, x);
  }
  return keep_arrays(std::move(design), {indptr, indices, data});
}

template <class I>
std::shared_ptr<riata::Design> csc_view(const py::array& indptr, const py::array& indices, const py::array& data,
                                        Index rows) {
  if (!py::isinstance<py::array_t<I>>(indices)) refuse_dtype("indices", indices, "that of indptr, int32 or int64");
  if (py::isinstance<py::array_t<double>>(data)) return csc_view<I, double>(indptr, indices, data, rows);
  if (py::isinstance<py::array_t<float>>(data)) return csc_view<I, float>(indptr, indices, data, rows);
  refuse_dtype("data", data, "float64 or float32");
}

std::shared_ptr<riata::Design> csc_design(const py::array& indptr, const py::array& indices, const py::array& data,
                                          Index n_rows) {
  check_vector("indptr", indptr);
  check_vector("indices", indices);
  check_vector("data", data);
  if (indptr.size() < 1) throw py::value_error("indptr must have one entry more than there are columns, got none");
  if (indices.size() != data.size())
    throw py::value_error("indices and data must have the same length, got " + std::to_string(indices.size()) +
                          " and " + std::to_string(data.size()));
  if (py::isinstance<py::array_t<std::int32_t>>(indptr)) return csc_view<std::int32_t>(indptr, indices, data, n_rows);
  if (py::isinstance<py::array_t<std::int64_t>>(indptr)) return csc_view<std::int64_t>(indptr, indices, data, n_rows);
  refuse_dtype("indptr", indptr, "int32 or int64");
}

std::pair<FortranOut, FortranOut> moments(const riata::Design& X, const FortranIn& weights, int n_threads) {
  check_threads(n_threads);
  const MapIn w = matrix(weights, "weights", X.rows());
  const std::vector<Index> all = column_numbers(std::nullopt, X.cols());
  FortranOut mean = new_matrix(X.cols(), w.cols()), variance = new_matrix(X.cols(), w.cols());
  {
    MapOut m = view(mean), v = view(variance);
    const py::gil_scoped_release nogil;
    X.moments(all, w, m, v, n_threads);
  }
  return {std::move(mean), std::move(variance)};
}

FortranOut correlate(const riata::Design& X, const FortranIn& R, const std::optional<py::array>& columns,
                     int n_threads) {
  check_threads(n_threads);
  const MapIn r = matrix(R, "R", X.rows());
  const std::vector<Index> picked = column_numbers(columns, X.cols());
  FortranOut out = new_matrix(static_cast<Index>(picked.size()), r.cols());
  {
    MapOut o = view(out);
    const py::gil_scoped_release nogil;
    X.correlate(picked, r, o, n_threads);
  }
  return out;
}

FortranOut multiply(const riata::Design& X, const py::array& columns, const FortranIn& B, int n_threads) {
  check_threads(n_threads);
  const std::vector<Index> picked = column_numbers(columns, X.cols());
  const MapIn b = matrix(B, "B", static_cast<Index>(picked.size()));
  FortranOut out = new_matrix(X.rows(), b.cols());
  {
    MapOut o = view(out);
    const py::gil_scoped_release nogil;
    X.multiply(picked, b, o, n_threads);
  }
  return out;
}

FortranOut gather(const riata::Design& X, const py::array& columns, int n_threads) {
  check_threads(n_threads);
  const std::vector<Index> picked = column_numbers(columns, X.cols());
  FortranOut out = new_matrix(X.rows(), static_cast<Index>(picked.size()));
  {
    MapOut o = view(out);
    const py::gil_scoped_release nogil;
    X.gather(picked, o, n_threads);
  }
  return out;
}

}  // namespace

void bind_design(py::module_& m) {
  py::register_local_exception_translator([](std::exception_ptr error) {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const riata::FileError& e) {
      set_error(PyExc_OSError, e.what());
    } catch (const std::invalid_argument& e) {
      set_error(PyExc_ValueError, e.what());
    }
  });

  py::class_<riata::Design, std::shared_ptr<riata::Design>>(
      m, "Design",
      "A design matrix seen through its coarse operations. Keeps the arrays it views alive; never writes to them.")
      .def_property_readonly("shape", [](const riata::Design& X) { return std::pair(X.rows(), X.cols()); })
      .def_property_readonly("kind", &riata::Design::kind)
      .def_property_readonly("nbytes", &riata::Design::bytes)
      .def_property_readonly("hosted", &riata::is_hosted)
      .def_property_readonly("subset_pays", [](const riata::Design& X) { return X.traits().subset_pays; })
      .def("moments", &moments, "weights"_a, "n_threads"_a = 1)
      .def("correlate", &correlate, "R"_a, "columns"_a = py::none(), "n_threads"_a = 1)
      .def("multiply", &multiply, "columns"_a, "B"_a, "n_threads"_a = 1)
      .def("gather", &gather, "columns"_a, "n_threads"_a = 1)
      .def("__repr__", [](const riata::Design& X) {
        return "<Design " + std::string(X.kind()) + ", " + std::to_string(X.rows()) + " x " + std::to_string(X.cols()) +
               ">";
      });

  m.def("dense_design", &dense_design, "X"_a,
        "float64, float32 or int8, 2-D, any strides that are whole multiples of the item size.");
  m.def("csc_design", &csc_design, "indptr"_a, "indices"_a, "data"_a, "n_rows"_a,
        "indptr and indices both int32 or both int64; data float64 or float32.");
  m.def(
      "paired_design",
      [](std::shared_ptr<riata::Design> left, std::shared_ptr<riata::Design> right, const Bytes& first) {
        check_vector("first", first);
        return std::shared_ptr<riata::Design>(
            riata::paired_design(std::move(left), std::move(right), {first.data(), first.data() + first.size()}));
      },
      "left"_a, "right"_a, "first"_a);
  m.def(
      "set_isa", [](const std::string& name) { riata::set_isa(name); }, "name"_a,
      "Choose the instruction set of the kernels: \"baseline\", \"avx2\", \"avx512\" or \"auto\".");
  m.def("isa", [] { return std::string(riata::isa()); });
}
