# PrometheusCore::core: the core library of prometheus-cpp. Its own CMake configuration also asks for what its HTTP
# parts need (civetweb, curl, zlib), which Seawall does not use.
if(NOT TARGET PrometheusCore::core)
  find_path(PrometheusCore_INCLUDE_DIR prometheus/collectable.h)
  find_library(PrometheusCore_LIBRARY prometheus-cpp-core)
  mark_as_advanced(PrometheusCore_INCLUDE_DIR PrometheusCore_LIBRARY)
  include(FindPackageHandleStandardArgs)
  find_package_handle_standard_args(PrometheusCore REQUIRED_VARS PrometheusCore_LIBRARY PrometheusCore_INCLUDE_DIR)
  if(PrometheusCore_FOUND)
    add_library(PrometheusCore::core UNKNOWN IMPORTED)
    set_target_properties(PrometheusCore::core PROPERTIES
      IMPORTED_LOCATION "${PrometheusCore_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${PrometheusCore_INCLUDE_DIR}")
  endif()
else()
  set(PrometheusCore_FOUND TRUE)
endif()
