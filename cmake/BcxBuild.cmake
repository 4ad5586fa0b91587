# How bcx's own targets are compiled: build type, compiler cache, linker, warnings, and the two
# functions that every folder uses. Nothing here touches a dependency's targets.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug, RelWithDebInfo" FORCE)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")

find_program(BCX_CCACHE ccache)
if(BCX_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # The sloppiness is what ccache's manual asks for with precompiled headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    ${BCX_CCACHE})
endif()

# GCC 12 knows -fuse-ld=mold; mold and lld link the torch-side libraries in a fraction of bfd's time.
find_program(BCX_MOLD mold)
find_program(BCX_LLD ld.lld)
if(BCX_MOLD)
  set(BCX_LINKER_FLAG -fuse-ld=mold)
elseif(BCX_LLD)
  set(BCX_LINKER_FLAG -fuse-ld=lld)
endif()

# Compile and link options of bcx's own code.
add_library(bcx_options INTERFACE)
target_compile_options(bcx_options INTERFACE -Wall -Wextra -Wpedantic)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  target_compile_options(bcx_options INTERFACE -Winvalid-pch -fpch-preprocess
    -Wno-restrict) # GCC 12 sees overlapping copies in "text" + std::string (GCC bug 105329)
endif()
target_link_options(bcx_options INTERFACE ${BCX_LINKER_FLAG})

# bcx_library(NAME [SHARED|STATIC] SOURCES ... [PUBLIC libs...] [PRIVATE libs...])
# One library of the framework. Headers stand beside sources and are included from the layer's
# folder: "base/error.h". DEFINE_SYMBOL is empty so that torch-side targets share one
# precompiled header.
function(bcx_library name kind)
  cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} ${kind} ${arg_SOURCES})
  set_target_properties(${name} PROPERTIES DEFINE_SYMBOL "")
  target_include_directories(${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/framework> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
  target_link_libraries(${name} PUBLIC ${arg_PUBLIC} PRIVATE bcx_options ${arg_PRIVATE})
  if(kind STREQUAL SHARED)
    bcx_install(${name})
  endif()
endfunction()

# bcx_install(TARGET): part of an installed tree, under the name that others link: bcx::sdk.
function(bcx_install target)
  string(REGEX REPLACE "^bcx_" "" exported ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${exported})
  get_target_property(type ${target} TYPE)
  if(type STREQUAL EXECUTABLE)
    add_executable(bcx::${exported} ALIAS ${target})
  else()
    add_library(bcx::${exported} ALIAS ${target})
  endif()
  install(TARGETS ${target} EXPORT bcxTargets
    RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endfunction()

# bcx_add_test(NAME SOURCES ... LIBS ... [TORCH] [LABELS ...] [TIMEOUT seconds])
# One Catch2 executable and one CTest entry, compiled with -O1. The label torch-free, which
# `unit` implies, makes a test part of the target of that name: what sanitizers build and run.
function(bcx_add_test name)
  cmake_parse_arguments(arg "TORCH" "TIMEOUT" "SOURCES;LIBS;LABELS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE bcx_options bcx_test_main ${arg_LIBS})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU) # at -O1 GCC 12 sees these in assigned variants and std::string + "text"
    target_compile_options(${name} PRIVATE -Wno-free-nonheap-object -Wno-stringop-overread
      -Wno-stringop-overflow -Wno-array-bounds)
  endif()
  if(arg_TORCH)
    bcx_use_torch_pch(${name})
  else()
    target_compile_options(${name} PRIVATE -O1 -fPIC) # as the precompiled header was made
    set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_precompile_headers(${name} REUSE_FROM bcx_test_pch)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  if("unit" IN_LIST arg_LABELS)
    list(APPEND arg_LABELS torch-free)
  endif()
  if("torch-free" IN_LIST arg_LABELS)
    add_dependencies(torch-free ${name})
  endif()
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT})
endfunction()
