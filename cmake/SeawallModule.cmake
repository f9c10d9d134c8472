# What the benchmarks of several modules share: bench/seawall_bench. Nothing of it is installed.
if(SEAWALL_DEVELOPER)
  add_library(seawall_bench INTERFACE)
  target_include_directories(seawall_bench INTERFACE "${seawall_SOURCE_DIR}/bench")
endif()

# seawall_module(<name> [DEPENDS <modules>] [LINK <targets>])
#   src/<name>/*.cpp         -> static library seawall_<name>, alias seawall::<name> (header-only without sources)
#   src/<name>/*_test.cpp    -> GoogleTest executable <name>_tests      (developer mode)
#   src/<name>/x_y_bench.cpp -> executable seawall-bench-x-y            (developer mode; links seawall_bench)
# tools/check_modules holds DEPENDS against the table of modules.
function(seawall_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "DEPENDS;LINK")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "seawall_module(${name}): unknown argument ${arg_UNPARSED_ARGUMENTS}")
  endif()
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  file(GLOB tests CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*_test.cpp")
  file(GLOB benches CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*_bench.cpp")
  list(REMOVE_ITEM sources ${tests} ${benches})
  # The prometheus-cpp adapter is a target of its own: SeawallPrometheus.cmake.
  list(FILTER sources EXCLUDE REGEX "/src/metrics/prometheus\\.cpp$")
  list(FILTER tests EXCLUDE REGEX "/src/metrics/prometheus_test\\.cpp$")

  set(target seawall_${name})
  if(sources)
    set(scope PUBLIC)
    add_library(${target} STATIC ${sources})
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    target_include_directories(${target} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
    target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:seawall_warnings>)
  else()
    set(scope INTERFACE)
    add_library(${target} INTERFACE)
  endif()
  add_library(seawall::${name} ALIAS ${target})
  target_compile_features(${target} ${scope} cxx_std_23)
  target_include_directories(${target} ${scope}
    "$<BUILD_INTERFACE:${seawall_SOURCE_DIR}/include>" "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
  list(TRANSFORM arg_DEPENDS PREPEND seawall::)
  target_link_libraries(${target} ${scope} ${arg_DEPENDS} ${arg_LINK})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})

  set_property(GLOBAL APPEND PROPERTY SEAWALL_MODULES ${name})

  seawall_tests_make_sense(${name} sense)
  if(SEAWALL_SANITIZE MATCHES "thread")
    seawall_keep_threaded(tests)
  endif()
  if(SEAWALL_HAVE_TESTS AND tests AND sense)
    seawall_test(${name}_tests SOURCES ${tests} LINK seawall::${name} LABEL unit)
    target_include_directories(${name}_tests PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
  endif()
  if(SEAWALL_DEVELOPER AND NOT SEAWALL_SANITIZE)
    foreach(bench IN LISTS benches)
      get_filename_component(what "${bench}" NAME)
      string(REGEX REPLACE "_bench\\.cpp$" "" what "${what}")
      string(REPLACE "_" "-" what "${what}")
      add_executable(seawall-bench-${what} "${bench}")
      target_include_directories(seawall-bench-${what} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
      target_link_libraries(seawall-bench-${what} PRIVATE seawall::${name} seawall_bench seawall_warnings)
      if(TARGET benchmark::benchmark)
        target_link_libraries(seawall-bench-${what} PRIVATE benchmark::benchmark)
      endif()
      set_target_properties(seawall-bench-${what} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${seawall_BINARY_DIR}/bench")
    endforeach()
  endif()
endfunction()

# Each test runs where it can find something: what has one thread and no locks not under the thread sanitizer, and what
# looks for races not under the others a second time. Sets <result>.
function(seawall_tests_make_sense kind result)
  set(sense TRUE)
  if(SEAWALL_SANITIZE MATCHES "thread" AND kind MATCHES "^(eviction|resp|fuzz|simulation|tier|traps)$")
    set(sense FALSE)
  elseif(SEAWALL_SANITIZE MATCHES "address" AND kind MATCHES "^(traps|stress|linearizability|shared_tier)$")
    set(sense FALSE)
  elseif(SEAWALL_SANITIZE AND kind MATCHES "^(models|tier_simulation|schedules)$") # one thread, or one at a time
    set(sense FALSE)
  elseif(NOT SEAWALL_SANITIZE AND kind STREQUAL "fuzz")
    set(sense FALSE)
  endif()
  set(${result} ${sense} PARENT_SCOPE)
endfunction()

# Leaves the files in the list <name> that speak of threads, or of what has some: in the others is no race to be found.
function(seawall_keep_threaded name)
  set(kept)
  foreach(file IN LISTS ${name})
    file(STRINGS "${file}" lines REGEX "thread|atomic|async|executor" LIMIT_COUNT 1)
    if(lines)
      list(APPEND kept "${file}")
    endif()
  endforeach()
  set(${name} "${kept}" PARENT_SCOPE)
endfunction()

# seawall_test(<name> SOURCES <files> [LINK <targets>] [LABEL <label>] [TIMEOUT <seconds>])
# A GoogleTest executable with one ctest per test case. GoogleTest and RapidCheck are linked and precompiled.
function(seawall_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LABEL;TIMEOUT" "SOURCES;LINK")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  if(NOT TARGET seawall_test_pch)
    add_library(seawall_test_pch OBJECT "${seawall_SOURCE_DIR}/cmake/test_pch.cpp")
    # Half of the time of a release build went into what templates of tests become at -O3. With -O1, GCC 12 raises false
    # alarms of what its optimizer sees of coroutines and moved temporaries; Clang's builds look for the real ones.
    add_library(seawall_test_options INTERFACE)
    target_compile_options(seawall_test_options INTERFACE $<$<CONFIG:Release>:-O1>
      "$<$<AND:$<CONFIG:Release>,$<CXX_COMPILER_ID:GNU>>:-Wno-mismatched-new-delete;-Wno-maybe-uninitialized>"
      "$<$<AND:$<CONFIG:Release>,$<CXX_COMPILER_ID:GNU>>:-Wno-dangling-pointer;-Wno-use-after-free>")
    target_link_libraries(seawall_test_pch PRIVATE seawall_test_options)
    target_link_libraries(seawall_test_pch PRIVATE GTest::gmock Boost::headers fmt::fmt Threads::Threads)
    target_link_libraries(seawall_test_pch PRIVATE seawall_warnings)
    target_precompile_headers(seawall_test_pch PRIVATE
      <gmock/gmock.h> <gtest/gtest.h> <algorithm> <atomic> <chrono> <expected> <functional> <map> <memory> <mutex>
      <optional> <span> <string> <string_view> <thread> <unordered_map> <vector> <fmt/format.h>
      <boost/asio/any_io_executor.hpp> <boost/asio/co_spawn.hpp> <boost/asio/io_context.hpp> <boost/asio/post.hpp>
      <boost/asio/steady_timer.hpp> <boost/asio/use_awaitable.hpp> <boost/asio/use_future.hpp>)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINK} GTest::gmock_main rapidcheck rapidcheck_gtest seawall_warnings
    seawall_test_options)
  target_precompile_headers(${name} REUSE_FROM seawall_test_pch)
  gtest_discover_tests(${name} TEST_PREFIX "${name}." DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS ${arg_LABEL})
endfunction()
