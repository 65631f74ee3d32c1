include(CMakePackageConfigHelpers)

set(riata_config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/riata")
install(TARGETS riata_core EXPORT riataTargets ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
# All of cpp/include/riata, in the order of docs/cpp.md; .ci/includes sees to it that each is used by examples/cpp or the
# bindings.
set(riata_headers
  eigen.hpp cross_validation.hpp api.hpp solver.hpp model/loss_spec.hpp model/penalty_spec.hpp named_variant.hpp option.hpp
  counters.hpp types.hpp error.hpp
  design/design.hpp design/dense.hpp design/csc.hpp design/plink.hpp design/bfile.hpp design/hstack.hpp design/paired.hpp
  design/column_host.hpp design/column_server.hpp
  design/hardy_weinberg.hpp design/ld_groups.hpp
  loss/survival.hpp loss/concordance.hpp loss/partial_likelihood.hpp
  knockoff/banded.hpp knockoff/gaussian.hpp knockoff/haplotypes.hpp knockoff/relatives.hpp
  univariate/leave_one_out.hpp io/mmap.hpp io/text_table.hpp kernel/isa.hpp)
foreach(header IN LISTS riata_headers)
  get_filename_component(folder "${header}" DIRECTORY)
  install(FILES "${PROJECT_SOURCE_DIR}/cpp/include/riata/${header}"
    DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/riata/${folder}")
endforeach()
install(EXPORT riataTargets NAMESPACE riata:: DESTINATION "${riata_config_dir}")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")

set(RIATA_NEEDS_OPENMP "${OpenMP_CXX_FOUND}")
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/riataConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/riataConfig.cmake" INSTALL_DESTINATION "${riata_config_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/riataConfigVersion.cmake"
  VERSION "${PROJECT_VERSION}" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/riataConfig.cmake" "${PROJECT_BINARY_DIR}/riataConfigVersion.cmake"
  DESTINATION "${riata_config_dir}")
