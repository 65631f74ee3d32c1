// Survival times, Cox's objective and baseline hazard, and concordance.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>
#include <stdexcept>

#include "bindings.hpp"
#include "riata/loss/concordance.hpp"
#include "riata/loss/partial_likelihood.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace {

using riata::Index;
using riata::Survival;
using riata::Vec;
using Array = py::array_t<double, py::array::f_style | py::array::forcecast | kAligned>;

Vec vector_of(const Array& a) {
  return Eigen::Map<const Vec>(a.data(), a.size());
}

Survival make_survival(const Array& event, const std::optional<Array>& start, const std::optional<Array>& stratum,
                       bool efron) {
  return {vector_of(event), start ? vector_of(*start) : Vec(), stratum ? vector_of(*stratum) : Vec(), efron};
}

py::array_t<double> array_of(const Vec& v) {
  return py::array_t<double>(v.size(), v.data());
}

/// Columns of eta.
Eigen::Map<const riata::Mat> columns_of(const Array& eta) {
  if (eta.ndim() != 2) throw std::invalid_argument("eta must have 2 dimensions, got " + std::to_string(eta.ndim()));
  return {eta.data(), eta.shape(0), eta.shape(1)};
}

}  // namespace

void bind_survival(py::module_& m) {
  py::class_<Survival>(m, "Survival").def(py::init(&make_survival), "event"_a, "start"_a, "stratum"_a, "efron"_a);
  m.def(
      "cox_objective",
      [](const Array& time, const Survival& survival, const Array& weights, const Array& eta) {
        const Vec t = vector_of(time), w = vector_of(weights);
        const auto columns = columns_of(eta);
        const auto values = [&] {
          const py::gil_scoped_release nogil;
          return riata::cox_objective(t, survival, w, columns);
        };
        return array_of(values());
      },
      "time"_a, "survival"_a, "weights"_a, "eta"_a);
  m.def(
      "cox_saturated",
      [](const Array& time, const Survival& survival, const Array& weights) {
        return riata::cox_saturated(vector_of(time), survival, vector_of(weights));
      },
      "time"_a, "survival"_a, "weights"_a);
  m.def(
      "cox_log_hazards",
      [](const Array& time, const Survival& survival, const Array& weights, const Array& eta) {
        const riata::HazardJumps jumps =
            riata::baseline_hazard(vector_of(time), survival, vector_of(weights), vector_of(eta));
        return py::make_tuple(array_of(jumps.stratum), array_of(jumps.time), array_of(jumps.log_jump));
      },
      "time"_a, "survival"_a, "weights"_a, "eta"_a);
  m.def(
      "concordance",
      [](const Array& time, const Survival& survival, const Array& weights, const Array& eta) {
        const Vec t = vector_of(time), w = vector_of(weights);
        const auto columns = columns_of(eta);
        Vec out(columns.cols());
        {
          const py::gil_scoped_release nogil;  // only plain C++ views from here on
          for (Index k = 0; k < out.size(); ++k) out[k] = riata::concordance(t, survival, w, columns.col(k));
        }
        return array_of(out);
      },
      "time"_a, "survival"_a, "weights"_a, "eta"_a);
}
