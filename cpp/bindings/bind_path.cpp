// fit_paths(): options and problems from keywords, results as dictionaries of arrays.

#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "bindings.hpp"
#include "riata/api.hpp"
#include "riata/design/hstack.hpp"
#include "signal_poll.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace {

using riata::Index;
using Array = py::array_t<double, py::array::f_style | py::array::forcecast | kAligned>;

riata::Vec vector_of(const Array& a, const char* name) {
  if (a.ndim() != 1)
    throw py::value_error(std::string(name) + " must have 1 dimension, got " + std::to_string(a.ndim()));
  return Eigen::Map<const riata::Vec>(a.data(), a.size());
}

/// A vector, or the columns of a matrix one after the other.
riata::Vec columns_of(const Array& a, const char* name) {
  if (a.ndim() != 1 && a.ndim() != 2)
    throw py::value_error(std::string(name) + " must have 1 or 2 dimensions, got " + std::to_string(a.ndim()));
  return Eigen::Map<const riata::Vec>(a.data(), a.size());
}

riata::Vec optional_vector(const std::optional<Array>& a, const char* name) {
  return a ? vector_of(*a, name) : riata::Vec();
}

using Numbers = py::array_t<std::int64_t, py::array::c_style | py::array::forcecast | kAligned>;

std::vector<Index> optional_numbers(const std::optional<Numbers>& a, const char* name) {
  if (!a) return {};
  if (a->ndim() != 1) {
    throw py::value_error(std::string(name) + " must have 1 dimension, got " + std::to_string(a->ndim()));
  }
  return {a->data(), a->data() + a->size()};
}

void warn(const std::string& text) {
  const py::gil_scoped_acquire gil;
  const auto message = message_of(text, "backslashreplace");
  if (!message || PyErr_WarnEx(PyExc_UserWarning, PyUnicode_AsUTF8(message.ptr()), 1) != 0) {
    throw py::error_already_set();
  }
}

template <class To, class From>
py::array_t<To> array_of(const std::vector<From>& values) {
  py::array_t<To> out(static_cast<Index>(values.size()));
  std::copy(values.begin(), values.end(), out.mutable_data());
  return out;
}

py::array_t<double> array_of(const riata::Vec& values) {
  return py::array_t<double>(values.size(), values.data());
}

py::dict counters_of(const riata::Counters& c) {
  return py::dict("columns_streamed"_a = c.columns_streamed, "passes"_a = c.passes, "products"_a = c.products,
                  "columns_gathered"_a = c.columns_gathered, "inserted"_a = c.inserted, "rounds"_a = c.rounds,
                  "violators"_a = c.violators, "newton_steps"_a = c.newton_steps, "factor_updates"_a = c.factor_updates,
                  "cd_updates"_a = c.cd_updates, "prox_steps"_a = c.prox_steps, "memory"_a = c.memory,
                  "seconds_stream"_a = c.seconds_stream, "seconds_inner"_a = c.seconds_inner,
                  "seconds_total"_a = c.seconds_total);
}

py::dict dict_of(const riata::PathResult& r, bool keep_linear_predictor) {
  py::dict out;
  out["alphas"] = array_of<double>(r.alphas);
  out["coef_indptr"] = array_of<std::int64_t>(r.coef_indptr);
  out["coef_indices"] = array_of<std::int64_t>(r.coef_indices);
  out["coef_values"] = array_of<double>(r.coef_values);
  out["part_indptr"] = array_of<std::int64_t>(r.part_indptr);
  out["part_indices"] = array_of<std::int64_t>(r.part_indices);
  out["part_values"] = array_of<double>(r.part_values);
  out["n_outputs"] = r.outputs;
  out["intercepts"] = array_of<double>(r.intercepts);
  if (r.outputs > 1) out["intercepts"] = out["intercepts"].attr("reshape")(-1, r.outputs);
  out["primal"] = array_of<double>(r.primal);
  out["dual"] = array_of<double>(r.dual);
  out["dual_gaps"] = array_of<double>(r.dual_gaps);
  out["deviance_ratio"] = array_of<double>(r.deviance_ratio);
  out["converged"] = array_of<bool>(r.converged);
  out["locally_convex"] = array_of<bool>(r.locally_convex);
  out["n_active"] = array_of<std::int64_t>(r.n_active);
  out["n_groups"] = array_of<std::int64_t>(r.n_groups);
  out["n_iter"] = array_of<std::int64_t>(r.n_iter);
  std::vector<std::string_view> solvers;
  for (const riata::Solver solver : r.solver) solvers.push_back(riata::name_of(solver));
  out["solver"] = solvers;
  out["alpha_max"] = r.alpha_max;
  out["null_objective"] = r.null_objective;
  out["saturated_objective"] = r.saturated_objective;
  out["dependent"] = array_of<std::int64_t>(r.dependent);
  out["exhausted"] = r.exhausted;
  out["separated"] = r.separated;
  out["mean"] = array_of(r.mean);
  out["scale"] = array_of(r.scale);
  out["spread"] = array_of(r.spread);
  out["stopped"] = r.stopped;
  if (keep_linear_predictor) {
    std::vector<Index> shape{r.linear_predictor.rows(), static_cast<Index>(r.alphas.size())};
    if (r.outputs > 1) shape.insert(shape.begin() + 1, r.outputs);
    py::array_t<double, py::array::f_style> eta(shape);
    std::copy_n(r.linear_predictor.data(), r.linear_predictor.size(), eta.mutable_data());
    out["linear_predictor"] = eta;
  } else {
    out["linear_predictor"] = py::none();
  }
  out["counters"] = counters_of(r.counters);
  return out;
}

using Times = std::variant<std::monostate, riata::Survival, std::vector<riata::Survival>>;

/// The response of each problem: as given, or one for each that leads, in order.
std::vector<Index> responses_of(const std::vector<Index>& leaders, const std::optional<std::vector<Index>>& given) {
  const Index count = static_cast<Index>(leaders.size());
  if (given && given->size() != leaders.size()) {
    throw py::value_error("responses must have one entry for each column of weights");
  }
  std::vector<Index> out(leaders.size(), -1);
  Index leading = 0;
  for (std::size_t f = 0; f < out.size(); ++f) {
    if (leaders[f] == static_cast<Index>(f)) out[f] = leading++;
  }
  for (std::size_t f = 0; f < out.size(); ++f) {
    const Index leader = leaders[f];
    if (leader < 0 || leader >= count || leaders[static_cast<std::size_t>(leader)] != leader) {
      throw py::value_error("leaders must be numbers of problems that lead, got " + std::to_string(leader));
    }
    out[f] = out[static_cast<std::size_t>(leader)];
  }
  return given ? *given : out;
}

/// Problems of several responses: a column of y and offset, and an entry of survival, for each response.
std::vector<riata::Problem> led_problems(const Array& y, const Eigen::Map<const riata::Mat>& weights,
                                         const std::optional<Array>& offset, const Times& survival,
                                         const std::vector<Index>& leaders,
                                         const std::optional<std::vector<Index>>& given) {
  if (static_cast<Index>(leaders.size()) != weights.cols()) {
    throw py::value_error("leaders must have one entry for each column of weights");
  }
  const std::vector<Index> responses = responses_of(leaders, given);
  if (responses.empty()) return {};
  const Index count = given ? y.shape(1) : 1 + *std::max_element(responses.begin(), responses.end());
  const auto column = [&](const Array& a, Index k, const char* name) -> riata::Vec {
    if (a.ndim() != 2 || a.shape(1) != count) {
      throw py::value_error(std::string(name) + (given ? " must have one column for each response"
                                                       : " must have one column for each problem that leads"));
    }
    return Eigen::Map<const riata::Mat>(a.data(), a.shape(0), a.shape(1)).col(k);
  };
  const auto* times = std::get_if<std::vector<riata::Survival>>(&survival);
  if (times != nullptr && static_cast<Index>(times->size()) != count) {
    throw py::value_error(given ? "survival must have one entry for each response"
                                : "survival must have one entry for each problem that leads");
  }
  std::vector<Index> first(static_cast<std::size_t>(count), -1);  // problem of each response
  std::vector<riata::Problem> problems;
  for (std::size_t f = 0; f < responses.size(); ++f) {
    const Index k = responses[f];
    if (k < 0 || k >= count) {
      throw py::value_error("responses must be numbers of columns of y, got " + std::to_string(k));
    }
    riata::Problem& problem = problems.emplace_back();
    problem.weights = weights.col(static_cast<Index>(f));
    problem.leader = leaders[f];
    Index& owner = first[static_cast<std::size_t>(k)];
    problem.response = owner;
    if (owner >= 0) continue;
    owner = static_cast<Index>(f);
    problem.y = column(y, k, "y");
    if (offset) problem.offset = column(*offset, k, "offset");
    if (times != nullptr) problem.survival = (*times)[static_cast<std::size_t>(k)];
  }
  return problems;
}

/// Problems of one response: all but the first have that of the first.
std::vector<riata::Problem> shared_problems(const Array& y, const Eigen::Map<const riata::Mat>& weights,
                                            const std::optional<Array>& offset, const Times& survival,
                                            const std::optional<std::vector<Index>>& leaders) {
  if (y.ndim() == 2 && y.shape(0) != weights.rows()) {
    throw py::value_error("y must have a row for each row of X, got " + std::to_string(y.shape(0)));
  }
  if (leaders && static_cast<Index>(leaders->size()) != weights.cols()) {
    throw py::value_error("leaders must have one entry for each column of weights");
  }
  std::vector<riata::Problem> problems;
  for (Index f = 0; f < weights.cols(); ++f) {
    riata::Problem& problem = problems.emplace_back();
    problem.weights = weights.col(f);
    problem.leader = leaders ? (*leaders)[static_cast<std::size_t>(f)] : 0;
    if (f > 0) problem.response = 0;
  }
  if (problems.empty()) return problems;
  problems.front().y = columns_of(y, "y");
  if (offset) problems.front().offset = columns_of(*offset, "offset");
  if (const auto* times = std::get_if<riata::Survival>(&survival)) problems.front().survival = *times;
  return problems;
}

/// Reads options, as they describe themselves, from keywords. What is not there keeps its value.
class Keywords {
 public:
  explicit Keywords(const py::kwargs& given) : given_(given) {}

  template <class T>
  void operator()(const riata::Option& option, T& value) {
    const char* const name = option.name == std::string_view("threads") ? "n_threads" : option.name;
    known_.push_back(name);
    PyObject* const given = PyDict_GetItemString(given_.ptr(), name);  // borrowed; null where it is not there
    if (given == nullptr) return;
    try {
      read(given, value);
    } catch (const py::cast_error&) {
      throw py::type_error(std::string(name) + " has a value of the wrong type");
    }
  }
  /// Refuses keywords that nothing has asked for.
  void finish() const {
    for (const auto& item : given_) {
      const std::string_view name = item.first.cast<std::string_view>();
      if (std::find(known_.begin(), known_.end(), name) == known_.end()) {
        throw py::type_error("fit_paths() got an unexpected keyword argument '" + std::string(name) + "'");
      }
    }
  }

 private:
  template <class T>
  static void read(const py::handle& given, T& value) {
    if constexpr (std::is_constructible_v<T, const std::string&>) {
      value = T(given.cast<std::string>());
    } else {
      value = given.cast<T>();
    }
  }
  static void read(const py::handle& given, riata::Solver& solver) {
    solver = riata::solver_named(given.cast<std::string>());
  }
  static void read(const py::handle& given, std::string& name) { name = file_name(given); }
  static void read(const py::handle& given, std::vector<double>& values) {
    if (given.is_none()) return;
    const riata::Vec numbers = vector_of(given.cast<Array>(), "alphas");
    if (numbers.size() == 0) throw py::value_error("alphas must not be empty");
    values.assign(numbers.begin(), numbers.end());
  }

  const py::kwargs& given_;
  std::vector<std::string_view> known_;
};

py::list fit_paths(const riata::Design& design, const Array& y, const Array& weights,
                   const std::optional<Array>& offset, const std::optional<Array>& penalty_factor,
                   const std::optional<Array>& lower, const std::optional<Array>& upper,
                   const std::optional<Numbers>& group, const std::optional<Array>& group_weights,
                   const std::optional<Numbers>& column, const std::optional<Array>& sorted_weights,
                   const Times& survival, const std::optional<std::vector<Index>>& leaders,
                   const std::optional<std::vector<Index>>& responses, const std::optional<Numbers>& label,
                   const std::optional<py::function>& progress, const std::optional<py::function>& held_out, bool apart,
                   const py::kwargs& keywords) {
  riata::PathOptions options;
  Keywords reader(keywords);
  riata::PathOptions::describe(options, reader);
  reader.finish();
  if (weights.ndim() != 2) {
    throw py::value_error("weights must have 2 dimensions, got " + std::to_string(weights.ndim()));
  }
  const Eigen::Map<const riata::Mat> columns(weights.data(), weights.shape(0), weights.shape(1));
  const bool shared =
      y.ndim() == 1 || options.loss.is<riata::losses::Multinomial>() || options.loss.is<riata::losses::Multigaussian>();
  if (responses && (shared || !leaders)) {
    throw py::value_error("responses must be left out without leaders, and where one y is shared by all problems");
  }
  const std::vector<riata::Problem> problems = leaders && !shared
                                                   ? led_problems(y, columns, offset, survival, *leaders, responses)
                                                   : shared_problems(y, columns, offset, survival, leaders);
  riata::Features features;
  features.penalty_factor = optional_vector(penalty_factor, "penalty_factor");
  features.lower = optional_vector(lower, "lower");
  features.upper = optional_vector(upper, "upper");
  features.group = optional_numbers(group, "group");
  features.group_weights = optional_vector(group_weights, "group_weights");
  features.column = optional_numbers(column, "column");
  features.sorted_weights = optional_vector(sorted_weights, "sorted_weights");
  features.label = optional_numbers(label, "label");
  options.warn = warn;
  options.poll = SignalPoll();
  if (progress) {
    options.progress = [&progress](Index done, Index total, double alpha, Index active, double gap, double passes) {
      const py::gil_scoped_acquire gil;
      const py::object answer = (*progress)(done, total, alpha, active, gap, passes);
      return answer.is_none() || answer.cast<bool>();
    };
  }
  if (held_out) {
    const Index outputs = columns.size() > 0 ? problems.front().y.size() / columns.rows() : 1;
    options.held_out = [&held_out, outputs](Index leader, double alpha, const std::vector<riata::Vec>& predictors) {
      const py::gil_scoped_acquire gil;
      py::list kept;
      for (std::size_t f = 0; f < predictors.size(); ++f) {
        const riata::Vec& values = predictors[f];
        if (outputs == 1) {
          kept.append(array_of(values));
          continue;
        }
        py::array_t<double, py::array::f_style> matrix({values.size() / outputs, outputs});
        std::copy_n(values.data(), values.size(), matrix.mutable_data());
        kept.append(matrix);
      }
      riata::HeldOutScore score;
      const py::object answer = (*held_out)(leader, alpha, kept);
      if (!answer.is_none()) std::tie(score.cost, score.error) = answer.cast<std::pair<double, double>>();
      return score;
    };
  }
  std::vector<riata::PathResult> results;
  {
    const py::gil_scoped_release nogil;  // only plain C++ views from here on
    results = (apart ? riata::fit_paths_apart : riata::fit_paths)(design, problems, features, options);
  }
  py::list out;
  for (const riata::PathResult& r : results) out.append(dict_of(r, options.keep_linear_predictor));
  return out;
}

}  // namespace

void bind_path(py::module_& m) {
  m.def(
      "hstack_design",
      [](const std::vector<std::shared_ptr<riata::Design>>& parts) {
        return std::shared_ptr<riata::Design>(
            riata::hstack_design(std::vector<std::shared_ptr<const riata::Design>>(parts.begin(), parts.end())));
      },
      "parts"_a);
  m.def("fit_paths", &fit_paths, "design"_a, "y"_a, "weights"_a, "offset"_a, "penalty_factor"_a, "lower"_a, "upper"_a,
        py::kw_only(), "group"_a = py::none(), "group_weights"_a = py::none(), "column"_a = py::none(),
        "sorted_weights"_a = py::none(), "survival"_a = py::none(), "leaders"_a = py::none(),
        "responses"_a = py::none(), "label"_a = py::none(), "progress"_a = py::none(), "held_out"_a = py::none(),
        "apart"_a = false);
  m.def(
      "checkpoint_progress",
      [](const py::object& path) {
        const riata::CheckpointProgress progress = riata::checkpoint_progress(file_name(path));
        return std::make_pair(progress.done, progress.total);
      },
      "path"_a);
}
