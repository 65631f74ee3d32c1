#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <utility>
#include <vector>

/// The parts of riata._core, one per file; module.cpp lists them.
void bind_design(pybind11::module_& m);
void bind_path(pybind11::module_& m);
void bind_survival(pybind11::module_& m);
void bind_tables(pybind11::module_& m);

/// A vector as an array of the numbers that its items are made of, which owns it.
template <class Number, class Item>
pybind11::array_t<Number> array_of(std::vector<Item>&& values) {
  static_assert(sizeof(Item) % sizeof(Number) == 0);
  auto* const kept = new std::vector<Item>(std::move(values));
  const pybind11::capsule owner(kept, [](void* p) { delete static_cast<std::vector<Item>*>(p); });
  return pybind11::array_t<Number>(static_cast<pybind11::ssize_t>(kept->size() * sizeof(Item) / sizeof(Number)),
                                   reinterpret_cast<const Number*>(kept->data()), owner);
}
