# How every target of logboom is built: flags, the precompiled standard library, tests beside their code.
#
#   logboom_library(NAME SOURCES a.cc b.cc DEPENDS lb_base PRIVATE_DEPENDS re2)   one folder, one library
#   logboom_test(NAME SOURCES a_test.cc DEPENDS lb_queue)                         one test program for CTest
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE OFF)

option(LOGBOOM_TESTS "Build the unit tests" ON)
option(LOGBOOM_BENCH "Build the benchmarks" OFF)
option(LOGBOOM_FUZZ "Build the fuzz targets with libFuzzer (clang)" OFF)
option(LOGBOOM_PCH "Use a precompiled header for the standard library" ON)
set(LOGBOOM_SANITIZE "" CACHE STRING "Value of -fsanitize=, e.g. address,undefined")

add_library(lb_flags INTERFACE)
target_include_directories(lb_flags INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_BINARY_DIR}/generated)
target_compile_options(lb_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Werror
  -fno-omit-frame-pointer -fstack-protector-strong -pthread)  # -pthread everywhere: a target without it could not share the precompiled header
target_compile_definitions(lb_flags INTERFACE _GNU_SOURCE)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(lb_flags INTERFACE -Wthread-safety)
else()
  # g++ 12.2 warns falsely about std::string and std::vector when it inlines them, and about members with default initializers
  # that a designated initializer leaves out.
  target_compile_options(lb_flags INTERFACE -Wno-restrict -Wno-stringop-overflow -Wno-array-bounds -Wno-dangling-pointer
    -Wno-maybe-uninitialized -Wno-stringop-overread -Wno-missing-field-initializers)
endif()
if(LOGBOOM_SANITIZE)
  target_compile_options(lb_flags INTERFACE -fsanitize=${LOGBOOM_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(lb_flags INTERFACE -fsanitize=${LOGBOOM_SANITIZE})
endif()
find_program(LOGBOOM_MOLD mold)
if(LOGBOOM_MOLD)
  target_link_options(lb_flags INTERFACE -fuse-ld=mold)
endif()
find_program(LOGBOOM_CCACHE ccache)
if(LOGBOOM_CCACHE)
  # pch_defines and time_macros: what ccache needs to cache compilations that use a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${LOGBOOM_CCACHE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(lb_flags INTERFACE -fpch-preprocess)
  endif()
endif()

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

find_package(fmt REQUIRED)
target_link_libraries(lb_flags INTERFACE fmt::fmt Threads::Threads)
if(LOGBOOM_PCH)
  add_library(lb_pch OBJECT ${CMAKE_SOURCE_DIR}/cmake/std_pch.cc)
  target_link_libraries(lb_pch PRIVATE lb_flags)
  target_precompile_headers(lb_pch PRIVATE ${CMAKE_SOURCE_DIR}/cmake/std_pch.h)
endif()

function(logboom_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC lb_flags ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE_DEPENDS})
  logboom_pch(${name})
endfunction()

function(logboom_pch name)
  if(LOGBOOM_PCH)
    target_precompile_headers(${name} REUSE_FROM lb_pch)
  endif()
endfunction()

function(logboom_test name)
  if(NOT LOGBOOM_TESTS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  find_package(GTest REQUIRED)
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE lb_flags ${ARG_DEPENDS} GTest::gtest GTest::gmock GTest::gtest_main)
  logboom_pch(${name})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES ENVIRONMENT "LOGBOOM_SOURCE_DIR=${CMAKE_SOURCE_DIR}")
endfunction()

# logboom_bench(NAME SOURCES ... DEPENDS ...): a benchmark program, run by bench/run.py
function(logboom_bench name)
  if(NOT LOGBOOM_BENCH)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE lb_flags ${ARG_DEPENDS})
  logboom_pch(${name})
endfunction()

# logboom_fuzz(NAME SOURCES x_fuzz.cc DEPENDS ...): with LOGBOOM_FUZZ a libFuzzer program; always a replay test over fuzz/corpus/NAME.
function(logboom_fuzz name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  if(LOGBOOM_FUZZ)
    add_executable(${name} ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE lb_flags ${ARG_DEPENDS})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    logboom_pch(${name})
  elseif(LOGBOOM_TESTS)
    add_executable(${name}_replay ${ARG_SOURCES} ${CMAKE_SOURCE_DIR}/fuzz/replay_main.cc)
    target_link_libraries(${name}_replay PRIVATE lb_flags ${ARG_DEPENDS})
    logboom_pch(${name}_replay)
    add_test(NAME ${name}_replay COMMAND ${name}_replay ${CMAKE_SOURCE_DIR}/fuzz/corpus/${name})
  endif()
endfunction()
