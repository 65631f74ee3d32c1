#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The parts of riata._core, one per file; module.cpp lists them.
void bind_design(pybind11::module_& m);
void bind_gaussian_knockoffs(pybind11::module_& m);
void bind_groups(pybind11::module_& m);
void bind_haplotypes(pybind11::module_& m);
void bind_hosts(pybind11::module_& m);
void bind_path(pybind11::module_& m);
void bind_plink(pybind11::module_& m);
void bind_python_design(pybind11::module_& m);
void bind_survival(pybind11::module_& m);
void bind_tables(pybind11::module_& m);
void bind_univariate(pybind11::module_& m);

/// For the flags of array_t: arrays whose numbers do not lie at multiples of their size are copied.
constexpr int kAligned = pybind11::detail::npy_api::NPY_ARRAY_ALIGNED_;

/// The name of a file in the bytes of the system, which need not be UTF-8.
inline std::string file_name(const pybind11::handle& path) {
  std::string name = pybind11::bytes(pybind11::module_::import("os").attr("fsencode")(path));
  if (name.find('\0') != std::string::npos) throw pybind11::value_error("path must not hold a null character");
  return name;
}

/// A message as Python has it. It may hold a path, or bytes of a file, that are not UTF-8: `errors` is Python's word
/// for what becomes of them. Null, with an error set, when there is no memory for it.
inline pybind11::object message_of(std::string_view text, const char* errors = "surrogateescape") {
  return pybind11::reinterpret_steal<pybind11::object>(
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), errors));
}

/// Sets an error of Python with such a message.
inline void set_error(PyObject* type, std::string_view text) {
  if (const auto message = message_of(text)) PyErr_SetObject(type, message.ptr());
}

/// A vector as an array of the numbers that its items are made of, which owns it.
template <class Number, class Item>
pybind11::array_t<Number> array_of(std::vector<Item>&& values) {
  static_assert(sizeof(Item) % sizeof(Number) == 0);
  auto* const kept = new std::vector<Item>(std::move(values));
  const pybind11::capsule owner(kept, [](void* p) { delete static_cast<std::vector<Item>*>(p); });
  return pybind11::array_t<Number>(static_cast<pybind11::ssize_t>(kept->size() * sizeof(Item) / sizeof(Number)),
                                   reinterpret_cast<const Number*>(kept->data()), owner);
}
