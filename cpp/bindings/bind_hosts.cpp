// Columns that other processes hold: servers of them, and hosts written in Python.

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bindings.hpp"
#include "riata/design/column_host.hpp"
#include "riata/design/column_server.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace {

using riata::Index;

/// The bytes of an object, where they are.
std::string_view view(const py::buffer_info& bytes) {
  return {static_cast<const char*>(bytes.ptr), static_cast<std::size_t>(bytes.size * bytes.itemsize)};
}

/// A host whose calls are those of a Python object, with bytes in and out. They are made on the thread that entered the
/// library; what they raise comes out of the fit as it is.
class PythonHost final : public riata::ColumnHost {
 public:
  PythonHost(py::object source, Index parts) : source_(std::move(source)), parts_(parts) {}
  PythonHost(const PythonHost&) = delete;
  PythonHost& operator=(const PythonHost&) = delete;
  ~PythonHost() override {
    const py::gil_scoped_acquire gil;
    source_ = py::object();
  }

  Index parts() const override { return parts_; }

  void call(std::string_view method, std::string_view common, std::span<const Index> parts,
            std::span<const std::string> own, const Done& done) const override {
    const py::gil_scoped_acquire gil;
    py::list numbers, messages;
    for (const Index part : parts) numbers.append(part);
    for (const std::string& message : own) messages.append(py::bytes(message));
    const py::object answers =
        source_.attr("call")(std::string(method), py::bytes(common.data(), common.size()), numbers, messages);
    for (const py::handle& pair : answers) {
      const auto [part, answer] = pair.cast<std::pair<Index, py::buffer>>();
      const py::buffer_info bytes = answer.request();
      done(part, view(bytes));
    }
  }

 private:
  py::object source_;
  Index parts_;
};

/// Ends what a server is answering, from another thread.
class StopFlag {
 public:
  void set() { set_.store(true, std::memory_order_relaxed); }
  bool is_set() const { return set_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> set_{false};
};

/// None when `stop` has ended it.
py::object answer(riata::ColumnServer& server, const std::string& method, const py::buffer& common,
                  const py::buffer& own, const StopFlag* stop) {
  struct Stopped {};
  const py::buffer_info large = common.request(), small = own.request();
  std::string out;
  try {
    const py::gil_scoped_release nogil;
    out = server.answer(method, view(large), view(small), [stop] {
      if (stop != nullptr && stop->is_set()) throw Stopped();
    });
  } catch (const Stopped&) {
    return py::none();
  }
  return py::bytes(out);
}

}  // namespace

void bind_hosts(py::module_& m) {
  py::class_<StopFlag>(m, "StopFlag", "Ends an answer of a ColumnServer, from another thread.")
      .def(py::init<>())
      .def("set", &StopFlag::set)
      .def_property_readonly("is_set", &StopFlag::is_set);
  py::class_<riata::ColumnServer>(m, "ColumnServer", "Columns of a larger X in this process, for fits in another one.")
      .def(py::init([](const std::shared_ptr<riata::Design>& X, Index first, int n_threads) {
             return std::make_unique<riata::ColumnServer>(X, first, n_threads);
           }),
           "X"_a, "first"_a, "n_threads"_a = 1)
      .def("answer", &answer, "method"_a, "common"_a, "own"_a, "stop"_a = py::none(),
           "What the call of a host is answered with, as bytes; None where a StopFlag has ended it. One call at a "
           "time.");
  m.def(
      "hosted_design",
      [](py::object host, Index parts) -> std::shared_ptr<riata::Design> {
        if (parts < 1) throw py::value_error("parts must be >= 1, got " + std::to_string(parts));
        const auto carried = std::make_shared<PythonHost>(std::move(host), parts);
        const py::gil_scoped_release nogil;
        return riata::hosted_design(carried);
      },
      "host"_a, "parts"_a,
      "The columns that other processes hold. host.call(method, common, parts, own) carries bytes to the ColumnServer "
      "of "
      "each of `parts` and returns pairs (part, answer), in any order.");
}
