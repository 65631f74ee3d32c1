#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>
#include <stdexcept>

#include "bindings.hpp"
#include "riata/loss/concordance.hpp"
#include "riata/loss/cox.hpp"

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

/// fn of each column of eta.
template <class Fn>
py::array_t<double> for_columns(const Array& eta, const Fn& fn) {
  if (eta.ndim() != 2) throw std::invalid_argument("eta must have 2 dimensions, got " + std::to_string(eta.ndim()));
  py::array_t<double> out(eta.shape(1));
  double* const values = out.mutable_data();
  const Eigen::Map<const riata::Mat> columns(eta.data(), eta.shape(0), eta.shape(1));
  const py::gil_scoped_release nogil;  // only plain C++ views from here on
  for (Index k = 0; k < columns.cols(); ++k) values[k] = fn(columns.col(k));
  return out;
}

riata::Cox make_cox(const Array& time, const Survival& survival, const Array& weights) {
  const Vec w = vector_of(weights);
  return {vector_of(time), survival, w / w.sum(), w.sum()};
}

}  // namespace

void bind_survival(py::module_& m) {
  py::class_<Survival>(m, "Survival").def(py::init(&make_survival), "event"_a, "start"_a, "stratum"_a, "efron"_a);
  m.def(
      "cox_objective",
      [](const Array& time, const Survival& survival, const Array& weights, const Array& eta) {
        const riata::Cox loss = make_cox(time, survival, weights);
        return for_columns(eta, [&](const Vec& column) { return loss.value(column); });
      },
      "time"_a, "survival"_a, "weights"_a, "eta"_a);
  m.def(
      "cox_saturated",
      [](const Array& time, const Survival& survival, const Array& weights) {
        return make_cox(time, survival, weights).saturated();
      },
      "time"_a, "survival"_a, "weights"_a);
  m.def(
      "cox_log_hazards",
      [](const Array& time, const Survival& survival, const Array& weights, const Array& eta) {
        const riata::Cox loss = make_cox(time, survival, weights);
        const Vec jumps = loss.log_hazards(vector_of(eta));
        Vec times(jumps.size()), strata(jumps.size());
        for (Index k = 0; k < jumps.size(); ++k) {
          times[k] = loss.risk_sets().time(k);
          strata[k] = loss.risk_sets().stratum(k);
        }
        const auto array = [](const Vec& v) { return py::array_t<double>(v.size(), v.data()); };
        return py::make_tuple(array(strata), array(times), array(jumps));
      },
      "time"_a, "survival"_a, "weights"_a, "eta"_a);
  m.def(
      "concordance",
      [](const Array& time, const Survival& survival, const Array& weights, const Array& eta) {
        const Vec t = vector_of(time), w = vector_of(weights);
        return for_columns(eta, [&](const Vec& column) { return riata::concordance(t, survival, w, column); });
      },
      "time"_a, "survival"_a, "weights"_a, "eta"_a);
}
