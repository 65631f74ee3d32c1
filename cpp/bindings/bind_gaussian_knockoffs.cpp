#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "bindings.hpp"
#include "riata/knockoff/banded.hpp"
#include "riata/knockoff/gaussian.hpp"
#include "signal_poll.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace {

using arrays::FortranIn;
using riata::Index;
using Array = py::array_t<double, py::array::c_style | py::array::forcecast | kAligned>;
using Numbers = py::array_t<std::int64_t, py::array::c_style | py::array::forcecast | kAligned>;

[[noreturn]] void refuse(const std::string& what) {
  throw py::value_error(what);
}

std::vector<Index> numbers_of(const Numbers& a, const char* name, Index least, Index end) {
  if (a.ndim() != 1) refuse(std::string(name) + " must have 1 dimension, got " + std::to_string(a.ndim()));
  for (Index k = 0; k < a.size(); ++k) {
    if (a.data()[k] < least || a.data()[k] >= end) {
      refuse(std::string(name) + " must hold numbers from " + std::to_string(least) + " to " + std::to_string(end - 1) +
             ", got " + std::to_string(a.data()[k]));
    }
  }
  return {a.data(), a.data() + a.size()};
}

riata::Vec vector_of(const Array& a, const char* name, Index size) {
  if (a.ndim() != 1 || a.size() != size) refuse(std::string(name) + " must have " + std::to_string(size) + " numbers");
  return Eigen::Map<const riata::Vec>(a.data(), a.size());
}

riata::StandardColumns columns_of(const riata::Design& design, const Numbers& rows, const Array& mean,
                                  const Array& scale, const FortranIn& scores, const FortranIn& loadings) {
  riata::StandardColumns out;
  out.X = &design;
  out.rows = numbers_of(rows, "rows", 0, design.rows());
  if (out.rows.empty()) refuse("rows must not be empty");
  out.mean = vector_of(mean, "mean", design.cols());
  out.scale = vector_of(scale, "scale", design.cols());
  out.scores = arrays::matrix(scores, "scores", out.samples());
  out.loadings = arrays::matrix(loadings, "loadings", design.cols());
  if (out.scores.cols() != out.loadings.cols()) refuse("scores and loadings must have as many columns as each other");
  return out;
}

riata::BlockOrder order_of(const Numbers& order, const Numbers& first, Index cols) {
  riata::BlockOrder out;
  out.order = numbers_of(order, "order", 0, cols);
  out.first = numbers_of(first, "first", 0, static_cast<Index>(out.order.size()) + 1);
  bool right = !out.first.empty() && out.first.front() == 0 && out.first.back() == static_cast<Index>(out.order.size());
  for (Index b = 0; right && b < out.blocks(); ++b) right = out.size(b) > 0;
  if (!right) refuse("first must rise from 0 to the length of order");
  return out;
}

std::span<const double> sigma_of(const Array& sigma, const riata::BlockOrder& blocks) {
  if (sigma.ndim() != 1 || sigma.size() != blocks.offsets().back()) refuse("sigma must have a matrix for each block");
  return {sigma.data(), static_cast<std::size_t>(sigma.size())};
}

std::vector<Index> groups_of(const Numbers& group, const riata::BlockOrder& blocks) {
  std::vector<Index> out = numbers_of(group, "group", 0, static_cast<Index>(blocks.order.size()));
  if (out.size() != blocks.order.size()) refuse("group must have one number for each of order");
  for (Index b = 0; b < blocks.blocks(); ++b) {
    Index next = 0;
    for (Index k = blocks.first[static_cast<std::size_t>(b)]; k < blocks.first[static_cast<std::size_t>(b) + 1]; ++k) {
      const Index g = out[static_cast<std::size_t>(k)];
      if (g > next) refuse("group must number the groups of each block 0, 1, ... by their first columns");
      if (g == next) ++next;
    }
  }
  return out;
}

riata::KnockoffRun run_of(int n_threads) {
  arrays::check_threads(n_threads);
  return {.threads = n_threads, .poll = SignalPoll()};
}

riata::DistanceOptions distance_of(const std::string& method, double tol, Index max_sweeps) {
  if (method != "mvr" && method != "entropy") refuse("method must be mvr or entropy, got " + method);
  return {.method = method == "mvr" ? riata::Distance::mvr : riata::Distance::entropy,
          .tol = tol,
          .max_sweeps = max_sweeps};
}

float* filled(py::array_t<float, py::array::f_style>& out, const riata::StandardColumns& columns) {
  if (out.ndim() != 2 || out.shape(0) != columns.samples() || out.shape(1) != columns.X->cols()) {
    refuse("out must have the shape of X");
  }
  return out.mutable_data();
}

py::tuple blocks(const riata::Design& design, const Numbers& rows, const Array& mean, const Array& scale,
                 const FortranIn& scores, const FortranIn& loadings, double least, Index max_size,
                 const Numbers& together, Index most_pairs, int n_threads) {
  const auto columns = columns_of(design, rows, mean, scale, scores, loadings);
  riata::BlockOptions options;
  options.least = least;
  options.max_size = max_size;
  options.together = numbers_of(together, "together", -1, design.cols());
  options.most_pairs = most_pairs;
  if (!options.together.empty() && static_cast<Index>(options.together.size()) != design.cols()) {
    refuse("together must have one number for each column, or none");
  }
  const auto run = run_of(n_threads);
  riata::KnockoffBlocks out;
  {
    const py::gil_scoped_release nogil;
    out = riata::knockoff_blocks(columns, options, run);
  }
  return py::make_tuple(py::array_t<std::int64_t>(static_cast<Index>(out.label.size()), out.label.data()), out.left);
}

py::tuple correlations(const riata::Design& design, const Numbers& rows, const Array& mean, const Array& scale,
                       const FortranIn& scores, const FortranIn& loadings, const Numbers& order, const Numbers& first,
                       int n_threads) {
  const auto columns = columns_of(design, rows, mean, scale, scores, loadings);
  const auto blocks = order_of(order, first, design.cols());
  const auto run = run_of(n_threads);
  py::array_t<double> sigma(blocks.offsets().back());
  const std::span<double> to(sigma.mutable_data(), static_cast<std::size_t>(sigma.size()));
  riata::Vec rho;
  {
    const py::gil_scoped_release nogil;
    rho = riata::knockoff_correlations(columns, blocks, to, run);
  }
  return py::make_tuple(sigma, py::array_t<double>(rho.size(), rho.data()));
}

py::array_t<double> distances(const Numbers& first, const Array& sigma, const Numbers& group, const std::string& method,
                              double tol, Index max_sweeps, int n_threads) {
  Numbers order(group.size());
  for (Index k = 0; k < group.size(); ++k) order.mutable_data()[k] = k;
  const auto blocks = order_of(order, first, group.size());
  const auto numbers = sigma_of(sigma, blocks);
  const auto groups = groups_of(group, blocks);
  const auto options = distance_of(method, tol, max_sweeps);
  const auto run = run_of(n_threads);
  riata::Vec out;
  {
    const py::gil_scoped_release nogil;
    out = riata::knockoff_distances(blocks, numbers, groups, options, run);
  }
  return py::array_t<double>(out.size(), out.data());
}

void draw(const riata::Design& design, const Numbers& rows, const Array& mean, const Array& scale,
          const FortranIn& scores, const FortranIn& loadings, const Numbers& order, const Numbers& first,
          const Array& sigma, const Numbers& group, const Array& gamma, std::uint64_t seed, std::uint32_t draw,
          py::array_t<float, py::array::f_style> out, int n_threads) {
  const auto columns = columns_of(design, rows, mean, scale, scores, loadings);
  const auto blocks = order_of(order, first, design.cols());
  const auto numbers = sigma_of(sigma, blocks);
  const auto groups = groups_of(group, blocks);
  const riata::Vec distance = vector_of(gamma, "gamma", static_cast<Index>(blocks.order.size()));
  float* const to = filled(out, columns);
  const auto run = run_of(n_threads);
  const py::gil_scoped_release nogil;
  riata::draw_gaussian(columns, blocks, numbers, groups, distance, {.seed = seed, .draw = draw}, to, run);
}

riata::BandedLaw law_of(std::vector<Index> order, const FortranIn& before, const Array& rest) {
  riata::BandedLaw law;
  if (before.ndim() != 2 || before.shape(1) != static_cast<Index>(order.size())) {
    refuse("before must have one column for each of order");
  }
  law.before = arrays::matrix(before, "before", before.shape(0));
  law.rest = vector_of(rest, "rest", static_cast<Index>(order.size()));
  if (!(law.rest.array() > 0.0).all()) refuse("rest must be > 0");
  law.order = std::move(order);
  return law;
}

py::tuple band(const riata::Design& design, const Numbers& rows, const Array& mean, const Array& scale,
               const FortranIn& scores, const FortranIn& loadings, const Numbers& order, Index reach, int n_threads) {
  const auto columns = columns_of(design, rows, mean, scale, scores, loadings);
  auto which = numbers_of(order, "order", 0, design.cols());
  if (reach < 0) refuse("reach must be >= 0, got " + std::to_string(reach));
  const auto run = run_of(n_threads);
  riata::BandedLaw law;
  {
    const py::gil_scoped_release nogil;
    law = riata::banded_law(columns, std::move(which), reach, run);
  }
  auto before = arrays::new_matrix(law.before.rows(), law.before.cols());
  arrays::view(before) = law.before;
  return py::make_tuple(before, py::array_t<double>(law.rest.size(), law.rest.data()));
}

py::array_t<double> band_distances(const FortranIn& before, const Array& rest, const std::string& method, double tol,
                                   Index max_sweeps, int n_threads) {
  std::vector<Index> order(static_cast<std::size_t>(rest.size()));
  const auto law = law_of(std::move(order), before, rest);
  const auto options = distance_of(method, tol, max_sweeps);
  const auto run = run_of(n_threads);
  riata::Vec out;
  {
    const py::gil_scoped_release nogil;
    out = riata::banded_distances(law, options, run);
  }
  return py::array_t<double>(out.size(), out.data());
}

void draw_band(const riata::Design& design, const Numbers& rows, const Array& mean, const Array& scale,
               const FortranIn& scores, const FortranIn& loadings, const Numbers& order, const FortranIn& before,
               const Array& rest, const Array& distances, std::uint64_t seed, std::uint32_t draw,
               py::array_t<float, py::array::f_style> out, int n_threads) {
  const auto columns = columns_of(design, rows, mean, scale, scores, loadings);
  const auto law = law_of(numbers_of(order, "order", 0, design.cols()), before, rest);
  const riata::Vec s = vector_of(distances, "distances", law.size());
  float* const to = filled(out, columns);
  const auto run = run_of(n_threads);
  const py::gil_scoped_release nogil;
  riata::draw_banded(columns, law, s, {.seed = seed, .draw = draw}, to, run);
}

}  // namespace

void bind_gaussian_knockoffs(py::module_& m) {
  m.def("knockoff_blocks", &blocks, "design"_a, "rows"_a, "mean"_a, "scale"_a, "scores"_a, "loadings"_a, "least"_a,
        "max_size"_a, "together"_a, "most_pairs"_a = 20'000'000, "n_threads"_a = 1);
  m.def("knockoff_correlations", &correlations, "design"_a, "rows"_a, "mean"_a, "scale"_a, "scores"_a, "loadings"_a,
        "order"_a, "first"_a, "n_threads"_a = 1);
  m.def("knockoff_distances", &distances, "first"_a, "sigma"_a, "group"_a, "method"_a, "tol"_a = 1e-3,
        "max_sweeps"_a = 30, "n_threads"_a = 1);
  m.def("draw_gaussian", &draw, "design"_a, "rows"_a, "mean"_a, "scale"_a, "scores"_a, "loadings"_a, "order"_a,
        "first"_a, "sigma"_a, "group"_a, "gamma"_a, "seed"_a, "draw"_a, py::arg("out").noconvert(), "n_threads"_a = 1);
  m.def("knockoff_band", &band, "design"_a, "rows"_a, "mean"_a, "scale"_a, "scores"_a, "loadings"_a, "order"_a,
        "reach"_a, "n_threads"_a = 1);
  m.def("banded_distances", &band_distances, "before"_a, "rest"_a, "method"_a, "tol"_a = 1e-3, "max_sweeps"_a = 30,
        "n_threads"_a = 1);
  m.def("draw_banded", &draw_band, "design"_a, "rows"_a, "mean"_a, "scale"_a, "scores"_a, "loadings"_a, "order"_a,
        "before"_a, "rest"_a, "distances"_a, "seed"_a, "draw"_a, py::arg("out").noconvert(), "n_threads"_a = 1);
}
