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

#include "bindings.hpp"
#include "riata/design/csc.hpp"
#include "riata/design/dense.hpp"
#include "riata/design/hardy_weinberg.hpp"
#include "riata/design/plink.hpp"
#include "riata/error.hpp"
#include "riata/io/mmap.hpp"
#include "riata/kernel/kernels.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace {

using riata::Index;
using MapIn = Eigen::Map<const riata::Mat, 0, Eigen::OuterStride<>>;
using MapOut = Eigen::Map<riata::Mat, 0, Eigen::OuterStride<>>;
using FortranIn = py::array_t<double, py::array::f_style | py::array::forcecast | kAligned>;
using FortranOut = py::array_t<double, py::array::f_style>;

/// An argument that is small next to X: converted to columns of doubles when it is not that yet.
MapIn matrix(const FortranIn& a, const char* name, Index rows) {
  if (a.ndim() != 2)
    throw py::value_error(std::string(name) + " must have 2 dimensions, got " + std::to_string(a.ndim()));
  if (a.shape(0) != rows)
    throw py::value_error(std::string(name) + " must have " + std::to_string(rows) + " rows, got " +
                          std::to_string(a.shape(0)));
  return {a.data(), rows, a.shape(1), Eigen::OuterStride<>(rows)};
}

FortranOut new_matrix(Index rows, Index cols) {
  return FortranOut({rows, cols});
}

MapOut view(FortranOut& a) {
  return {a.mutable_data(), a.shape(0), a.shape(1), Eigen::OuterStride<>(a.shape(0))};
}

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

void check_threads(int n_threads) {
  if (n_threads < 1) throw py::value_error("n_threads must be >= 1, got " + std::to_string(n_threads));
}

[[noreturn]] void refuse_dtype(const char* name, const py::array& a, const char* allowed) {
  throw py::type_error(std::string(name) + " must have dtype " + allowed + ", got " +
                       py::str(a.dtype()).cast<std::string>());
}

void check_aligned(const char* name, const py::array& a) {
  if ((a.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_) == 0)
    throw py::value_error(std::string(name) + " must be aligned to its item size");
}

/// A design and the arrays it views, which live as long as it does, whoever holds the last reference.
template <class D>
struct OwningDesign {
  std::vector<py::object> arrays;
  std::unique_ptr<D> design;

  ~OwningDesign() {
    design.reset();
    const py::gil_scoped_acquire gil;
    arrays.clear();
  }
};

template <class D>
std::shared_ptr<D> keep_arrays(std::unique_ptr<D> design, std::vector<py::object> arrays) {
  const auto owning = std::make_shared<OwningDesign<D>>();
  owning->arrays = std::move(arrays);
  owning->design = std::move(design);
  return {owning, owning->design.get()};
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

using Bytes = py::array_t<std::uint8_t, py::array::c_style>;

/// A .bed file by its name or open, or packed genotypes by the array that holds them.
riata::PlinkSource plink_source(const py::handle& source, Index samples, Index variants) {
  riata::PlinkSource out;
  out.variants = variants;
  if (py::isinstance<Bytes>(source)) {
    const auto packed = py::reinterpret_borrow<Bytes>(source);
    const Index stride = (samples + 3) / 4;
    if (packed.ndim() != 2 || packed.shape(0) != variants || packed.shape(1) != stride)
      throw py::value_error("packed genotypes must have shape (" + std::to_string(variants) + ", " +
                            std::to_string(stride) + ")");
    out.packed = packed.data();
    return out;
  }
  if (py::isinstance<riata::MappedFile>(source)) {
    out.file = source.cast<std::shared_ptr<riata::MappedFile>>();
    out.path = out.file->path();
    return out;
  }
  out.path = file_name(source);
  return out;
}

py::array mapped_bytes(const py::object& self) {
  const auto& file = self.cast<const riata::MappedFile&>();
  py::array_t<std::uint8_t> bytes(static_cast<Index>(file.size()), file.data(), self);
  bytes.attr("flags").attr("writeable") = false;
  return bytes;
}

std::shared_ptr<riata::PlinkDesign> plink_design(
    const std::vector<py::object>& sources, Index n_samples, const std::vector<Index>& n_variants, bool count_a1,
    const std::optional<py::array_t<std::uint8_t, py::array::c_style | py::array::forcecast>>& include,
    const std::optional<py::array_t<std::int64_t, py::array::c_style | py::array::forcecast | kAligned>>& columns,
    int n_threads) {
  check_threads(n_threads);
  if (sources.size() != n_variants.size())
    throw py::value_error("n_variants must have one entry a source (" + std::to_string(sources.size()) + "), got " +
                          std::to_string(n_variants.size()));
  std::vector<riata::PlinkSource> from;
  for (std::size_t k = 0; k < sources.size(); ++k) from.push_back(plink_source(sources[k], n_samples, n_variants[k]));
  std::vector<std::uint8_t> kept;
  if (include) kept.assign(include->data(), include->data() + include->size());
  std::optional<std::vector<Index>> picked;
  if (columns) picked.emplace(columns->data(), columns->data() + columns->size());
  std::unique_ptr<riata::PlinkDesign> design;
  {
    const py::gil_scoped_release nogil;
    const auto counted = count_a1 ? riata::CountedAllele::A1 : riata::CountedAllele::A2;
    design = std::make_unique<riata::PlinkDesign>(from, n_samples, counted, kept, picked, n_threads);
  }
  return keep_arrays(std::move(design), sources);
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

FortranOut multiply_tables(const riata::PlinkDesign& X, const FortranIn& tables, const FortranIn& B, int n_threads) {
  check_threads(n_threads);
  const MapIn t = matrix(tables, "tables", 4);
  if (t.cols() != X.cols())
    throw py::value_error("tables must have " + std::to_string(X.cols()) + " columns, got " + std::to_string(t.cols()));
  const MapIn b = matrix(B, "B", X.cols());
  FortranOut out = new_matrix(X.rows(), b.cols());
  {
    MapOut o = view(out);
    const py::gil_scoped_release nogil;
    X.multiply_tables(t, b, o, n_threads);
  }
  return out;
}

py::array_t<std::uint32_t> counts(const riata::PlinkDesign& X, int n_threads) {
  check_threads(n_threads);
  std::vector<riata::GenotypeCounts> table;
  {
    const py::gil_scoped_release nogil;
    table = X.counts(n_threads);
  }
  py::array_t<std::uint32_t> numbers = array_of<std::uint32_t>(std::move(table));
  return numbers.reshape({X.cols(), Index{4}});
}

py::array_t<std::int64_t> identical(const riata::PlinkDesign& X, int n_threads) {
  check_threads(n_threads);
  std::vector<std::int64_t> first;
  {
    const py::gil_scoped_release nogil;
    first = X.identical(n_threads);
  }
  return array_of<std::int64_t>(std::move(first));
}

py::array_t<double> hardy_weinberg(const py::array_t<std::uint32_t, py::array::c_style | kAligned>& counts,
                                   int n_threads) {
  check_threads(n_threads);
  if (counts.ndim() != 2 || counts.shape(1) != 4) throw py::value_error("counts must have shape (variants, 4)");
  std::vector<riata::GenotypeCounts> table;
  table.reserve(static_cast<std::size_t>(counts.shape(0)));
  for (const std::uint32_t* c = counts.data(); c != counts.data() + counts.size(); c += 4)
    table.push_back({c[0], c[1], c[2], c[3]});
  riata::Vec out;
  {
    const py::gil_scoped_release nogil;
    out = riata::hardy_weinberg(table, n_threads);
  }
  return py::array_t<double>(out.size(), out.data());
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
      .def("moments", &moments, "weights"_a, "n_threads"_a = 1)
      .def("correlate", &correlate, "R"_a, "columns"_a = py::none(), "n_threads"_a = 1)
      .def("multiply", &multiply, "columns"_a, "B"_a, "n_threads"_a = 1)
      .def("gather", &gather, "columns"_a, "n_threads"_a = 1)
      .def("__repr__", [](const riata::Design& X) {
        return "<Design " + std::string(X.kind()) + ", " + std::to_string(X.rows()) + " x " + std::to_string(X.cols()) +
               ">";
      });

  py::class_<riata::MappedFile, std::shared_ptr<riata::MappedFile>>(
      m, "MappedFile", "A whole file as read-only bytes; it stays what it was when another takes its name.")
      .def(py::init([](const py::object& path) { return std::make_shared<riata::MappedFile>(file_name(path)); }),
           "path"_a)
      .def_property_readonly("bytes", &mapped_bytes, "All of it, (size,) uint8, not to be written to.")
      .def("check", &riata::MappedFile::check,
           "Raise OSError when it has another size than it had, or when some of it could not be read.")
      .def_property_readonly(
          "identity",
          [](const riata::MappedFile& file) {
            const riata::FileIdentity id = file.identity();
            return py::make_tuple(id.device, id.inode, id.bytes, id.modified);
          },
          "(device, inode, bytes, nanoseconds of the last change) of the file now, whatever has its name.");

  py::class_<riata::PlinkDesign, riata::Design, std::shared_ptr<riata::PlinkDesign>>(m, "PlinkDesign")
      .def("counts", &counts, "n_threads"_a = 1,
           "(variants, 4): samples with 0, 1, 2 copies of the counted allele and missing, over the included samples.")
      .def("multiply_tables", &multiply_tables, "tables"_a, "B"_a, "n_threads"_a = 1,
           "(samples, k): sums over all variants of B times what each code stands for; the four rows of tables are two "
           "copies of A1, missing, one copy, none.")
      .def("identical", &identical, "n_threads"_a = 1,
           "(variants,): the first variant with the same genotypes in the included samples, -1 where it is the first.")
      .def("imputed",
           [](const riata::PlinkDesign& X) { return py::array_t<double>(X.imputed().size(), X.imputed().data()); });

  m.def("dense_design", &dense_design, "X"_a,
        "float64, float32 or int8, 2-D, any strides that are whole multiples of the item size.");
  m.def("csc_design", &csc_design, "indptr"_a, "indices"_a, "data"_a, "n_rows"_a,
        "indptr and indices both int32 or both int64; data float64 or float32.");
  m.def("plink_design", &plink_design, "sources"_a, "n_samples"_a, "n_variants"_a, "count_a1"_a, "include"_a,
        "columns"_a, "n_threads"_a,
        "sources: .bed files, or uint8 arrays (variants, ceil(n_samples / 4)) of PLINK's 2-bit codes.");

  m.def("hardy_weinberg", &hardy_weinberg, "counts"_a, "n_threads"_a = 1,
        "p values of the exact test, (variants,), from counts as PlinkDesign.counts() gives them.");

  m.def(
      "set_isa", [](const std::string& name) { riata::set_isa(name); }, "name"_a,
      "Choose the instruction set of the kernels: \"baseline\", \"avx2\", \"avx512\" or \"auto\".");
  m.def("isa", [] { return std::string(riata::kernels().name); });
}
