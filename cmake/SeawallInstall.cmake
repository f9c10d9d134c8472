# cmake --install: headers, libraries, and a package for find_package(seawall [COMPONENTS prometheus]).
include(CMakePackageConfigHelpers)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/seawall")

get_property(modules GLOBAL PROPERTY SEAWALL_MODULES)
list(TRANSFORM modules PREPEND seawall_)
install(TARGETS seawall ${modules} EXPORT seawallTargets ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(EXPORT seawallTargets NAMESPACE seawall:: DESTINATION "${package_dir}")
install(DIRECTORY include/seawall DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.hpp")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}")

if(SEAWALL_HAVE_PROMETHEUS)
  install(TARGETS seawall_prometheus EXPORT seawallPrometheusTargets ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
  install(EXPORT seawallPrometheusTargets NAMESPACE seawall:: DESTINATION "${package_dir}")
endif()

configure_package_config_file(cmake/seawallConfig.cmake.in seawallConfig.cmake INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file(seawallConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  "${CMAKE_CURRENT_BINARY_DIR}/seawallConfig.cmake" "${CMAKE_CURRENT_BINARY_DIR}/seawallConfigVersion.cmake"
  cmake/FindxxHash.cmake cmake/FindPrometheusCore.cmake
  DESTINATION "${package_dir}")
