// The module riata._core.

#include <pybind11/pybind11.h>

#include "bindings.hpp"

PYBIND11_MODULE(_core, m) {
  m.doc() = "Compiled core of riata: designs and certified path fits. Use the functions of the riata package.";
  m.attr("__version__") = RIATA_VERSION;
  bind_design(m);
  bind_plink(m);
  bind_python_design(m);
  bind_hosts(m);
  bind_survival(m);
  bind_path(m);
  bind_groups(m);
  bind_haplotypes(m);
  bind_gaussian_knockoffs(m);
  bind_tables(m);
  bind_univariate(m);
}
