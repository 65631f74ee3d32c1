#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "bindings.hpp"
#include "riata/model/loss_spec.hpp"
#include "riata/univariate/leave_one_out.hpp"
#include "signal_poll.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace {

using Array = py::array_t<double, py::array::f_style | py::array::forcecast | kAligned>;

riata::Vec rows_of(const Array& a, const char* name, riata::Index rows) {
  if (a.ndim() != 1 || a.size() != rows) {
    throw py::value_error(std::string(name) + " must have one number for each of " + std::to_string(rows) + " rows");
  }
  return Eigen::Map<const riata::Vec>(a.data(), a.size());
}

py::array_t<double> array_of(const riata::Vec& values) {
  return py::array_t<double>(values.size(), values.data());
}

/// The design of leave-one-out predictions, and intercept and slope of each one-feature model.
py::tuple leave_one_out_design(const std::shared_ptr<riata::Design>& source, const Array& y, const Array& weights,
                               const std::optional<Array>& offset, const std::string& loss,
                               const std::optional<riata::Survival>& survival, bool intercept, int steps, int threads) {
  const riata::Index n = source->rows();
  riata::UnivariateProblem problem{loss, rows_of(y, "y", n), rows_of(weights, "weights", n)};
  if (offset) problem.offset = rows_of(*offset, "offset", n);
  if (problem.loss.is<riata::losses::Cox>() && !survival) {
    throw py::value_error("survival must be given for the cox loss");
  }
  if (survival) problem.survival = *survival;
  problem.intercept = intercept;
  problem.steps = steps;
  std::shared_ptr<riata::LeaveOneOut> design;
  {
    const py::gil_scoped_release nogil;
    design = riata::leave_one_out_design(source, std::move(problem), threads, SignalPoll());
  }
  return py::make_tuple(std::static_pointer_cast<riata::Design>(design), array_of(design->fits().intercept),
                        array_of(design->fits().slope));
}

}  // namespace

void bind_univariate(py::module_& m) {
  m.def("leave_one_out_design", &leave_one_out_design, "design"_a, "y"_a, "weights"_a, "offset"_a, "loss"_a,
        "survival"_a, "intercept"_a, "steps"_a, "n_threads"_a = 1);
}
