// Columns of text tables, and finding texts in them.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "bindings.hpp"
#include "riata/io/mmap.hpp"
#include "riata/io/text_table.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace {

using riata::Index;
using Bytes = py::array_t<std::uint8_t, py::array::c_style>;
using Offsets = py::array_t<std::uint32_t, py::array::c_style | kAligned>;
using Positions = py::array_t<std::int64_t, py::array::c_style | py::array::forcecast | kAligned>;

using TextArrays = std::pair<py::array_t<std::uint8_t>, py::array_t<std::uint32_t>>;

TextArrays arrays_of(riata::TextStore&& texts) {
  return {array_of<std::uint8_t>(std::move(texts.bytes)), array_of<std::uint32_t>(std::move(texts.offsets))};
}

riata::Texts view(const Bytes& bytes, const Offsets& offsets) {
  if (bytes.ndim() != 1 || offsets.ndim() != 1 || offsets.size() < 1)
    throw py::value_error("texts must be one-dimensional bytes and one offset more than there are texts");
  std::uint32_t before = 0;
  for (Index i = 0; i < offsets.size(); before = offsets.data()[i++])
    if (offsets.data()[i] < before) throw py::value_error("offsets of texts must not decrease");
  if (before > static_cast<std::size_t>(bytes.size()))
    throw py::value_error("offsets of texts must lie in their bytes");
  return {{reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(bytes.size())},
          {offsets.data(), static_cast<std::size_t>(offsets.size())}};
}

TextArrays take_texts(const Bytes& bytes, const Offsets& offsets, const Positions& positions) {
  const riata::Texts texts = view(bytes, offsets);
  const std::span<const std::int64_t> at(positions.data(), static_cast<std::size_t>(positions.size()));
  for (const std::int64_t i : at)
    if (i < 0 || i >= texts.size())
      throw py::index_error("positions must lie in [0, " + std::to_string(texts.size()) + "), got " +
                            std::to_string(i));
  riata::TextStore out;
  {
    const py::gil_scoped_release nogil;
    out = riata::take_texts(texts, at);
  }
  return arrays_of(std::move(out));
}

py::array_t<std::int32_t> match_texts(const Bytes& bytes, const Offsets& offsets, const Bytes& wanted_bytes,
                                      const Offsets& wanted_offsets) {
  const riata::Texts texts = view(bytes, offsets), wanted = view(wanted_bytes, wanted_offsets);
  std::vector<std::int32_t> out;
  {
    const py::gil_scoped_release nogil;
    out = riata::match_texts(texts, wanted);
  }
  return array_of<std::int32_t>(std::move(out));
}

py::array_t<bool> repeated_texts(const Bytes& bytes, const Offsets& offsets) {
  const riata::Texts texts = view(bytes, offsets);
  std::vector<std::uint8_t> out;
  {
    const py::gil_scoped_release nogil;
    out = riata::repeated_texts(texts);
  }
  return array_of<bool>(std::move(out));
}

riata::TextKind kind_of(const std::string& name) {
  if (name == "code") return riata::TextKind::code;
  if (name == "text") return riata::TextKind::text;
  if (name == "integer") return riata::TextKind::integer;
  if (name == "real") return riata::TextKind::real;
  throw py::value_error("kind must be 'code', 'text', 'integer' or 'real', got '" + name + "'");
}

py::object column_of(riata::TextColumn&& column, riata::TextKind kind) {
  if (kind == riata::TextKind::integer) return array_of<std::int64_t>(std::move(column.integers));
  if (kind == riata::TextKind::real) return array_of<double>(std::move(column.reals));
  TextArrays texts = arrays_of(std::move(column.texts));
  if (kind == riata::TextKind::text) return py::cast(std::move(texts));
  return py::make_tuple(array_of<std::int32_t>(std::move(column.codes)), std::move(texts.first),
                        std::move(texts.second));
}

py::list read_text_columns(const py::object& source,
                           const std::vector<std::tuple<Index, std::string, std::string>>& fields,
                           const py::object& name, Index n_fields, const std::string& field_names,
                           Index skipped_lines) {
  std::vector<riata::TextField> wanted;
  for (const auto& [field, kind, label] : fields) {
    if (field < 0) throw py::value_error("fields must be counted from 0, got " + std::to_string(field));
    wanted.push_back({field, kind_of(kind), label});
  }
  const riata::TextLayout layout{file_name(name), n_fields, field_names, skipped_lines};
  std::vector<riata::TextColumn> columns;
  try {
    if (py::isinstance<py::bytes>(source)) {
      const auto text = source.cast<std::string_view>();
      const py::gil_scoped_release nogil;
      columns = riata::read_text_columns(text, layout, wanted);
    } else {
      const std::string path = file_name(source);
      const py::gil_scoped_release nogil;
      const riata::MappedFile file(path);
      file.expect(riata::MappedFile::Access::sequential);
      columns = riata::read_text_columns({reinterpret_cast<const char*>(file.data()), file.size()}, layout, wanted);
      file.check();
    }
  } catch (const std::logic_error& e) {
    set_error(PyExc_ValueError, e.what());
    throw py::error_already_set();
  }
  py::list out;
  for (std::size_t k = 0; k < columns.size(); ++k) out.append(column_of(std::move(columns[k]), wanted[k].kind));
  return out;
}

}  // namespace

void bind_tables(py::module_& m) {
  m.def("read_text_columns", &read_text_columns, "source"_a, "fields"_a, py::kw_only(), "name"_a, "n_fields"_a = 0,
        "field_names"_a = "", "skipped_lines"_a = 0,
        "Columns of a text table with fields between blanks, from a path or from bytes; fields are (place in the line, "
        "kind, what messages call it). Each comes back as an array of numbers (integer, real), as (bytes, offsets) "
        "(text), or as (codes, bytes, offsets) with the distinct texts (code). n_fields: exactly as many a line; 0: at "
        "least those that are read.");
  m.def("take_texts", &take_texts, "bytes"_a, "offsets"_a, "positions"_a,
        "(bytes, offsets) of the texts at positions.");
  m.def("match_texts", &match_texts, "bytes"_a, "offsets"_a, "wanted_bytes"_a, "wanted_offsets"_a,
        "For each text the first of the wanted ones that equals it, or -1.");
  m.def("repeated_texts", &repeated_texts, "bytes"_a, "offsets"_a, "Whether an earlier text equals each.");
}
