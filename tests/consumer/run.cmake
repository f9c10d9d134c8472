# Configures, builds and runs the consumer in WORK: cmake -DMODE=installed|subdirectory -DSOURCE=<seawall>
# -DBINARY=<its build> -DWORK=<folder> -DCOMPILER=<c++> -DLAUNCHER=<ccache or empty> -DPROMETHEUS=ON|OFF -P run.cmake
function(run what)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "consumer, ${MODE}: ${what} failed (${code}):\n${output}")
  endif()
endfunction()

file(REMOVE_RECURSE "${WORK}")
if(MODE STREQUAL "installed")
  run("installing" "${CMAKE_COMMAND}" --install "${BINARY}" --prefix "${WORK}/prefix")
  set(how "-DCMAKE_PREFIX_PATH=${WORK}/prefix" "-DCONSUMER_PROMETHEUS=${PROMETHEUS}")
else()
  set(how "-DSEAWALL_SOURCE_DIR=${SOURCE}")
endif()
# Without optimization: that it builds and runs is all that matters here.
run("configuring" "${CMAKE_COMMAND}" -G Ninja -S "${SOURCE}/tests/consumer" -B "${WORK}/build" ${how}
  -DCMAKE_BUILD_TYPE=None "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}")
run("building" "${CMAKE_COMMAND}" --build "${WORK}/build")
run("running" "${WORK}/build/consumer")
