include(CMakePackageConfigHelpers)

set(riata_config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/riata")
install(TARGETS riata_core EXPORT riataTargets ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/cpp/include/riata" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT riataTargets NAMESPACE riata:: DESTINATION "${riata_config_dir}")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")

set(RIATA_NEEDS_OPENMP "${OpenMP_CXX_FOUND}")
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/riataConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/riataConfig.cmake" INSTALL_DESTINATION "${riata_config_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/riataConfigVersion.cmake"
  VERSION "${PROJECT_VERSION}" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/riataConfig.cmake" "${PROJECT_BINARY_DIR}/riataConfigVersion.cmake"
  DESTINATION "${riata_config_dir}")
