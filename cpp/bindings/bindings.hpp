#pragma once

#include <pybind11/pybind11.h>

/// The parts of riata._core, one per file; module.cpp lists them.
void bind_design(pybind11::module_& m);
void bind_path(pybind11::module_& m);
void bind_tables(pybind11::module_& m);
