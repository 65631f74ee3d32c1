# Eigen from the system when there is one, else from the Python package cmeel-eigen, whose prefix `cmeel.prefix` lies
# in a directory of Python packages: beside pybind11 in pip's build environment, or anywhere on sys.path.
function(riata_find_eigen)
  find_package(Eigen3 3.4 CONFIG QUIET)
  if(NOT Eigen3_FOUND)
    set(prefixes)
    if(pybind11_DIR)
      cmake_path(SET beside_pybind11 NORMALIZE "${pybind11_DIR}/../../../../cmeel.prefix")
      list(APPEND prefixes "${beside_pybind11}")
    endif()
    if(Python_EXECUTABLE)
      execute_process(
        COMMAND "${Python_EXECUTABLE}" -c "import sys; print(';'.join(p + '/cmeel.prefix' for p in sys.path if p))"
        OUTPUT_VARIABLE on_sys_path OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
      list(APPEND prefixes ${on_sys_path})
    endif()
    find_package(Eigen3 3.4 CONFIG REQUIRED PATHS ${prefixes} NO_DEFAULT_PATH)
  endif()
  message(STATUS "Eigen ${Eigen3_VERSION}: ${Eigen3_DIR}")
  set_target_properties(Eigen3::Eigen PROPERTIES IMPORTED_GLOBAL TRUE)
endfunction()
