# Language level and compiler flags. Nothing here leaks into a consumer except the need for C++23.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12)
  message(FATAL_ERROR "Seawall needs GCC 12 or newer, this is GCC ${CMAKE_CXX_COMPILER_VERSION}.")
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
  message(FATAL_ERROR "Seawall needs Clang 19 or newer (std::expected), this is Clang ${CMAKE_CXX_COMPILER_VERSION}.")
endif()

# Private to Seawall's own targets.
add_library(seawall_warnings INTERFACE)

if(SEAWALL_DEVELOPER)
  target_compile_options(seawall_warnings INTERFACE -Wall -Wextra -Werror
    $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
    # GCC bug 105651: false alarms of three kinds for "literal" + std::string; Clang's builds look for the real ones.
    "$<$<CXX_COMPILER_ID:GNU>:-Wshadow=local;-Wno-restrict;-Wno-stringop-overflow;-Wno-array-bounds>")

  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
  find_program(SEAWALL_CCACHE ccache)
  if(SEAWALL_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${SEAWALL_CCACHE}")
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
      add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
    endif()
  endif()
  find_program(SEAWALL_MOLD mold)
  if(SEAWALL_MOLD)
    add_link_options(-fuse-ld=mold)
  endif()
  if(SEAWALL_SANITIZE)
    add_compile_options(-fsanitize=${SEAWALL_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${SEAWALL_SANITIZE})
  endif()
endif()
