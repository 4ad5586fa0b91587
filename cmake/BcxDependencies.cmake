# Everything that bcx uses and did not write.

find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(SQLite3 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json 3.10 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Boost 1.74 REQUIRED COMPONENTS filesystem)
find_package(LibTorch REQUIRED)

# Debian's toml++ is headers alone.
find_path(TOMLPLUSPLUS_INCLUDE_DIR toml++/toml.h REQUIRED)
add_library(bcx_tomlplusplus INTERFACE)
target_include_directories(bcx_tomlplusplus SYSTEM INTERFACE ${TOMLPLUSPLUS_INCLUDE_DIR})

# OpenCV without find_package(OpenCV): its package file wants every module's -dev package, and
# bcx wants three. Only libbcx_images.so may link imgcodecs (140 libraries behind it).
find_path(OPENCV_INCLUDE_DIR opencv2/core.hpp PATH_SUFFIXES opencv4 REQUIRED)
foreach(module core imgproc imgcodecs)
  find_library(OPENCV_${module}_LIBRARY opencv_${module} REQUIRED)
  add_library(opencv_${module} UNKNOWN IMPORTED)
  set_target_properties(opencv_${module} PROPERTIES
    IMPORTED_LOCATION ${OPENCV_${module}_LIBRARY}
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${OPENCV_INCLUDE_DIR}
    INTERFACE_INCLUDE_DIRECTORIES ${OPENCV_INCLUDE_DIR})
endforeach()

# LibTorch's include folder brings another fmt than the system's library. This folder comes before it, so that all of
# bcx uses one fmt, and links it: header-only it costs each file that formats anything 2-3 s.
get_target_property(bcx_fmt_include fmt::fmt INTERFACE_INCLUDE_DIRECTORIES)
if(NOT bcx_fmt_include)
  set(bcx_fmt_include /usr/include)
endif()
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/system)
file(CREATE_LINK ${bcx_fmt_include}/fmt ${PROJECT_BINARY_DIR}/system/fmt SYMBOLIC)

# The precompiled header of torch-side targets: tensors, autograd and torch::nn::Module, which cost 10-20 s a file
# without one. Not torch/torch.h: what the inline functions of a precompiled header need of templates GCC instantiates
# again in each file, in 3.7 s for torch/torch.h and 1.9 s for these. -O1, since what calls LibTorch's kernels runs no
# faster with -O2 (docs/performance.md) and costs the compiler twice as much. Sources with loops over pixels or features
# of their own are bcx_hot_sources.
add_library(bcx_torch_pch OBJECT ${PROJECT_SOURCE_DIR}/cmake/torch_pch.cpp)
target_link_libraries(bcx_torch_pch PRIVATE bcx_options LibTorch::LibTorch fmt::fmt)
target_include_directories(bcx_torch_pch SYSTEM BEFORE PRIVATE ${PROJECT_BINARY_DIR}/system)
target_compile_options(bcx_torch_pch PRIVATE -O1)
target_precompile_headers(bcx_torch_pch PRIVATE <ATen/ATen.h> <torch/csrc/autograd/autograd.h>
  <torch/csrc/autograd/custom_function.h> <torch/nn/module.h> <torch/utils.h>)

# bcx_use_torch_pch(TARGET): links LibTorch privately and reuses the precompiled header.
function(bcx_use_torch_pch target)
  target_link_libraries(${target} PRIVATE LibTorch::LibTorch fmt::fmt)
  target_include_directories(${target} SYSTEM BEFORE PRIVATE ${PROJECT_BINARY_DIR}/system)
  target_precompile_headers(${target} REUSE_FROM bcx_torch_pch)
  target_compile_options(${target} PRIVATE -O1) # as the header was made
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "EXECUTABLE") # -fPIE, CMake's choice, would leave the -fPIC header unused
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${target} PRIVATE -fPIC)
  endif()
endfunction()

# bcx_hot_sources(FILES ...): of a torch-side target, with -O2 and so without the precompiled header; they include
# little of LibTorch.
function(bcx_hot_sources)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_PRECOMPILE_HEADERS ON COMPILE_OPTIONS -O2)
endfunction()
