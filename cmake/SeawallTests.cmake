# Everything that ctest runs besides the modules' unit tests, the examples and the demo.
foreach(kind IN ITEMS traps simulation stress linearizability models)
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/tests/${kind}/*.cpp")
  seawall_tests_make_sense(${kind} sense)
  if(sources AND sense)
    seawall_test(${kind}_tests SOURCES ${sources} LINK seawall::seawall LABEL ${kind} TIMEOUT 1200)
    target_include_directories(${kind}_tests PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/tests/${kind}")
  endif()
endforeach()

if(NOT SEAWALL_SANITIZE) # the compiler's answer is the same
  add_subdirectory(tests/compile_fail)
endif()
foreach(kind IN ITEMS schedules fuzz)
  seawall_tests_make_sense(${kind} sense)
  if(sense)
    add_subdirectory(tests/${kind})
  endif()
endforeach()
add_subdirectory(tests/servers)
add_subdirectory(tests/redis)
add_subdirectory(tests/source)
if(TARGET seawall_tier)
  seawall_tests_make_sense(shared_tier sense)
  if(sense)
    add_subdirectory(tests/tier)
  endif()
  seawall_tests_make_sense(tier_simulation sense)
  if(sense)
    add_subdirectory(tests/tier_simulation)
  endif()
  if(NOT SEAWALL_SANITIZE) # it needs the speed of real processes
    add_subdirectory(tests/chaos)
  endif()
endif()

if(NOT SEAWALL_SANITIZE) # a killed process tells a sanitizer nothing
  add_subdirectory(tests/write_behind)
endif()

foreach(check IN ITEMS modules style docs mutants)
  if(SEAWALL_SANITIZE)
    break() # the same answer as without
  endif()
  set(script "${CMAKE_CURRENT_SOURCE_DIR}/tools/check_${check}")
  add_test(NAME check.${check} COMMAND Python3::Interpreter "${script}" "${CMAKE_CURRENT_SOURCE_DIR}")
  add_test(NAME check.${check}.selftest COMMAND Python3::Interpreter "${script}" --self-test)
  set_tests_properties(check.${check} check.${check}.selftest PROPERTIES LABELS check TIMEOUT 60)
endforeach()

# A sanitized library can be linked by sanitized programs only, which the consumer is not.
if(SEAWALL_INSTALL AND NOT SEAWALL_SANITIZE)
  foreach(mode IN ITEMS installed subdirectory)
    add_test(NAME consumer.${mode} COMMAND "${CMAKE_COMMAND}" -DMODE=${mode}
      "-DSOURCE=${CMAKE_CURRENT_SOURCE_DIR}" "-DBINARY=${CMAKE_CURRENT_BINARY_DIR}"
      "-DWORK=${CMAKE_CURRENT_BINARY_DIR}/consumer/${mode}" "-DCOMPILER=${CMAKE_CXX_COMPILER}"
      "-DLAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER}" -DPROMETHEUS=${SEAWALL_HAVE_PROMETHEUS}
      -P "${CMAKE_CURRENT_SOURCE_DIR}/tests/consumer/run.cmake")
    set_tests_properties(consumer.${mode} PROPERTIES LABELS consumer TIMEOUT 600)
  endforeach()
endif()
