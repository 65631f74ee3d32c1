// Genotypes: mapped files, PLINK's two-bit storage, and the test of Hardy-Weinberg equilibrium.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "bindings.hpp"
#include "riata/design/hardy_weinberg.hpp"
#include "riata/design/plink.hpp"
#include "riata/io/mmap.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace {

using namespace arrays;
using riata::Index;
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

void bind_plink(py::module_& m) {
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

  m.def("plink_design", &plink_design, "sources"_a, "n_samples"_a, "n_variants"_a, "count_a1"_a, "include"_a,
        "columns"_a, "n_threads"_a,
        "sources: .bed files, or uint8 arrays (variants, ceil(n_samples / 4)) of PLINK's 2-bit codes.");

  m.def("hardy_weinberg", &hardy_weinberg, "counts"_a, "n_threads"_a = 1,
        "p values of the exact test, (variants,), from counts as PlinkDesign.counts() gives them.");
}
