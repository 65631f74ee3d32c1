// Storages written in Python.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "bindings.hpp"
#include "riata/design/design.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace {

using riata::Columns;
using riata::Index;
using riata::MatIn;
using riata::MatOut;
using Matrix = py::array_t<double, py::array::f_style | py::array::forcecast>;

constexpr Index kGatheredBytes = Index{64} << 20;  // asked for at a time

/// Copies: the object may keep what it is given, while the solver's memory goes on changing.
Matrix array_of(const MatIn& values) {
  Matrix out({values.rows(), values.cols()});
  Eigen::Map<riata::Mat>(out.mutable_data(), values.rows(), values.cols()) = values;
  return out;
}

py::array_t<std::int64_t> array_of(Columns columns) {
  py::array_t<std::int64_t> out(static_cast<py::ssize_t>(columns.size()));
  std::copy(columns.begin(), columns.end(), out.mutable_data());
  return out;
}

void copy(const py::object& answer, const char* method, MatOut out) {
  const auto values = answer.cast<Matrix>();
  if (values.ndim() != 2 || values.shape(0) != out.rows() || values.shape(1) != out.cols())
    throw py::value_error(std::string(method) + " must return an array of shape (" + std::to_string(out.rows()) + ", " +
                          std::to_string(out.cols()) + ")");
  out = Eigen::Map<const riata::Mat>(values.data(), out.rows(), out.cols());
}

/// A design whose operations are methods of a Python object. They are called on the thread that entered the library,
/// one at a time, with as many columns as there are to be asked for; what they raise comes out of the fit as it is.
class PythonDesign final : public riata::Design {
 public:
  PythonDesign(py::object source, Index rows, Index cols, std::uint64_t fingerprint)
      : Design(rows, cols), source_(std::move(source)), fingerprint_(fingerprint) {}
  PythonDesign(const PythonDesign&) = delete;
  PythonDesign& operator=(const PythonDesign&) = delete;
  ~PythonDesign() override {
    const py::gil_scoped_acquire gil;
    source_ = py::object();
  }

  std::string_view kind() const override { return "python"; }
  riata::Traits traits() const override {
    return {.columns_a_call = std::max<Index>(cols(), 1),
            .concurrent = false,
            .copy_pays = false,  // such a matrix may be one that no memory holds
            .fingerprint = fingerprint_};
  }
  double bytes() const override { return static_cast<double>(rows()) * static_cast<double>(cols()) * sizeof(double); }

  void moments(Columns columns, const MatIn& weights, MatOut mean, MatOut variance, int /*threads*/) const override {
    if (mean.size() == 0) return;
    const py::gil_scoped_acquire gil;
    const auto pair = ask("moments", columns, array_of(weights)).cast<std::pair<py::object, py::object>>();
    copy(pair.first, "moments", mean);
    copy(pair.second, "moments", variance);
  }
  void correlate(Columns columns, const MatIn& R, MatOut out, int /*threads*/) const override {
    if (out.size() == 0) return;
    const py::gil_scoped_acquire gil;
    copy(ask("correlate", columns, array_of(R)), "correlate", out);
  }
  void multiply(Columns columns, const MatIn& B, MatOut out, int /*threads*/) const override {
    out.setZero();
    if (columns.empty() || out.size() == 0) return;
    const py::gil_scoped_acquire gil;
    copy(ask("multiply", columns, array_of(B)), "multiply", out);
  }
  void gather(Columns columns, MatOut out, int /*threads*/) const override {
    const Index total = static_cast<Index>(columns.size());
    const Index most = std::max<Index>(kGatheredBytes / (rows() * static_cast<Index>(sizeof(double))), 1);
    const py::gil_scoped_acquire gil;
    for (Index first = 0; first < total; first += most) {
      const Index size = std::min(most, total - first);
      const Columns some = columns.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(size));
      copy(ask("gather", some), "gather", out.middleCols(first, size));
    }
  }

 private:
  template <class... Arguments>
  py::object ask(const char* method, Columns columns, const Arguments&... arguments) const {
    return source_.attr(method)(array_of(columns), arguments...);
  }

  py::object source_;
  std::uint64_t fingerprint_;
};

}  // namespace

void bind_python_design(py::module_& m) {
  m.def(
      "python_design",
      [](py::object source, Index rows, Index cols, std::uint64_t fingerprint) -> std::shared_ptr<riata::Design> {
        if (rows < 1 || cols < 1) throw py::value_error("X must have at least one sample and one feature");
        return std::make_shared<PythonDesign>(std::move(source), rows, cols, fingerprint);
      },
      "source"_a, "rows"_a, "cols"_a, "fingerprint"_a,
      "An object with the methods moments, correlate, multiply and gather of riata.Design.");
}
